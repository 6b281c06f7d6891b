"""Run: one workflow, how it goes and why it does not, what it was given, did, and gave."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response

from durably.console.views import family, payloads, snippets, timeline
from durably.console.views.deeds import DEEDS, MESSAGE, is_paused, is_stranded, offered
from durably.console.visit import Visit, page
from durably.core.names import CONTINUE_AS_NEW
from durably.errors import DatabaseError, DatabaseUnavailable
from durably.types import TERMINAL, Payload, WorkflowPayloads, WorkflowStatus

__all__ = ["PAGES", "READ", "header", "name_of", "number"]

STEPS = 50  # on a page, each a line of the timeline
PAGE = 100  # messages, events, values of a stream
READ = 100_000  # characters of an input or output that are read, and decoded where that is all
PREVIEW = 2000  # characters of a step's, message's, event's or stream's value
BINS = 120
BREADTH, FAMILY = 50, 300  # children of one run, and descendants, that are shown

Looked = Mapping[str, Any]
Look = Callable[[Visit, WorkflowStatus], Awaitable[Looked]]


@page("/run")
async def run(visit: Visit) -> Response:
    """A run, with one of its tabs."""
    tab = visit.query.get("tab") or "timeline"
    if tab not in TABS:
        raise HTTPException(404, f"a run has no tab {tab!r}: it has {', '.join(TABS)}")
    found = await _run(visit)
    told, looked = await asyncio.gather(header(visit, found), TABS[tab][1](visit, found))
    return visit.render("run.html", **told | dict(looked), tab=tab, tabs=[(to, TABS[to][0]) for to in TABS])


@page("/run/payload")
async def payload(visit: Visit) -> Response:
    """An input, output or error, of a run or of a step, in full, as it is stored: text, and never more."""
    if not visit.user.sees_payloads:
        raise HTTPException(403, f"payloads are {payloads.HIDDEN}")
    found = await _stored(visit, visit.asked("id"), visit.query.get("of", "input"))
    if found is None:
        raise HTTPException(404, "nothing is stored there")
    text = found.text.encode("utf-8", "backslashreplace")
    return PlainTextResponse(text, headers={"Content-Disposition": 'attachment; filename="payload.txt"'})


@page("/run/python")
async def python(visit: Visit) -> Response:
    """The run as programs to copy."""
    found = await _run(visit)
    given = None
    if visit.user.sees_payloads:
        given = (await visit.client.get_workflow_payloads(found.workflow_id, most=READ)).input
    made = snippets.snippets(found, given, step=number(visit, "step"), schema=visit.client.schema)
    return visit.render("run/python.html", run=found, snippets=list(made), name_of=name_of)


async def header(visit: Visit, found: WorkflowStatus) -> dict[str, Any]:
    """What every tab of a run, and every form about it, has on top."""
    given, explained = await asyncio.gather(
        visit.client.get_workflow_payloads(found.workflow_id, most=READ), _explained(visit, found)
    )
    now_ms = _now(found)
    began = found.dequeued_at or found.created_at
    over = found.completed_at or (now_ms if found.status == "PENDING" else None)
    parent, _, last = found.workflow_id.rpartition("/")
    is_generation = found.parent_workflow_id == parent and last.isdecimal()
    return {
        "run": found,
        "now_ms": now_ms,
        "took_ms": None if over is None else max(0, over - began),
        "explained": explained and explained[1],
        "reason": explained and explained[0],
        "is_paused": is_paused(found),
        "is_stranded": is_stranded(found),
        "error": payloads.failed(given.error, sees=visit.user.sees_payloads),
        "payloads": _shown(visit, given),
        "deeds": [deed for deed in DEEDS if offered(found, deed) and visit.may(deed.role)],  # type: ignore[arg-type]
        "generation": int(last) if is_generation and len(last) < 10 else None,
        "has_ended": found.status in TERMINAL,
        "name_of": name_of,
    }


def number(visit: Visit, name: str) -> int | None:
    """A parameter of the URL that is a whole number, if it is there."""
    text = visit.query.get(name, "")
    return int(text) if text.lstrip("-").isdecimal() and len(text) < 10 else None


async def _timeline(visit: Visit, found: WorkflowStatus) -> Looked:
    after = number(visit, "after")
    after = -1 if after is None else after
    only_failed = visit.query.get("failed") == "1"
    asked: dict[str, Any] = {"after": after, "limit": STEPS, "only_failed": only_failed, "most": PREVIEW}
    steps, summary = await asyncio.gather(
        visit.client.list_step_records(found.workflow_id, **asked),
        visit.client.summarize_steps(found.workflow_id, bins=BINS),
    )
    is_first, last = after < 0, summary.last_id if summary.last_id is not None else -1
    is_last = not only_failed and (not steps or steps[-1].function_id >= last)
    now_ms = _tick(summary.now_epoch_ms) if found.status not in TERMINAL else summary.now_epoch_ms
    sees = visit.user.sees_payloads
    return {
        "steps": steps,
        "values": {step.function_id: payloads.shown(step.output, sees=sees) for step in steps},
        "failures": {step.function_id: payloads.failed(step.error, sees=sees) for step in steps},
        "summary": summary,
        "picture": timeline.picture(found, steps, now_ms=now_ms, is_first=is_first, is_last=is_last),
        "minimap": timeline.minimap(summary, steps, bins=BINS) if summary.steps > STEPS else None,
        "only_failed": only_failed,
        "after": after,
        "pager": {
            "before": None if is_first or not steps else max(-1, steps[0].function_id - STEPS - 1),
            "next": steps[-1].function_id if len(steps) == STEPS and steps[-1].function_id < last else None,
            "last": max(-1, last - STEPS),
        },
        "has_generations": any(step.function_name == CONTINUE_AS_NEW for step in steps[:1]),
        "is_wait": timeline.is_wait,
    }


async def _children(visit: Visit, found: WorkflowStatus) -> Looked:
    members = await visit.client.list_workflow_family(found.workflow_id, limit=FAMILY, breadth=BREADTH + 1)
    return {"tree": family.tree(members, breadth=BREADTH, limit=FAMILY), "breadth": BREADTH}


async def _messages(visit: Visit, found: WorkflowStatus) -> Looked:
    created, _, uuid = visit.query.get("before", "").partition(",")
    before = (int(created), uuid) if created.isdecimal() and len(created) < 18 else None
    records = await visit.client.list_message_records(
        found.workflow_id, before=before, limit=PAGE, most=PREVIEW
    )
    last = records[-1] if len(records) == PAGE else None
    shown = [(record, payloads.shown(record.message, sees=visit.user.sees_payloads)) for record in records]
    older = None if last is None else f"{last.created_at_epoch_ms},{last.message_uuid}"
    return {"messages": shown, "older": older, "entries": MESSAGE, "typed": {}, "wrong": {}}


async def _events(visit: Visit, found: WorkflowStatus) -> Looked:
    before = number(visit, "before")
    records = await visit.client.list_event_records(
        found.workflow_id, before=before, limit=PAGE, most=PREVIEW
    )
    shown = [(record, payloads.shown(record.value, sees=visit.user.sees_payloads)) for record in records]
    return {"events": shown, "older": records[-1].function_id if len(records) == PAGE else None}


async def _streams(visit: Visit, found: WorkflowStatus) -> Looked:
    keys = await visit.client.list_stream_keys(found.workflow_id, limit=PAGE)
    chosen = next((each for each in keys if each.key == visit.query.get("key")), keys[0] if keys else None)
    if chosen is None:
        return {"keys": keys, "chosen": None, "values": [], "offset": 0, "page": PAGE}
    offset = number(visit, "offset")
    offset = max(0, chosen.values - PAGE) if offset is None else max(0, offset)
    records = await visit.client.list_stream_records(
        found.workflow_id, chosen.key, offset=offset, limit=PAGE, most=PREVIEW
    )
    shown = [(record, payloads.shown(record.value, sees=visit.user.sees_payloads)) for record in records]
    return {"keys": keys, "chosen": chosen, "values": shown, "offset": offset, "page": PAGE}


async def _attempts(visit: Visit, found: WorkflowStatus) -> Looked:
    attempts = await visit.client.get_workflow_attempts(found.workflow_id)
    error = None if attempts is None else payloads.failed(attempts.error, sees=visit.user.sees_payloads)
    return {"attempts": attempts, "last_error": error}


async def _raw(visit: Visit, found: WorkflowStatus) -> Looked:
    unread = ("input", "output", "error")
    fields = [field.name for field in dataclasses.fields(found) if field.name not in unread]
    return {"columns": [(name, payloads.clean(str(getattr(found, name)))) for name in fields]}


TABS: Mapping[str, tuple[str, Look]] = {
    "timeline": ("Timeline", _timeline),
    "children": ("Children", _children),
    "messages": ("Messages", _messages),
    "events": ("Events", _events),
    "streams": ("Streams", _streams),
    "attempts": ("Attempts", _attempts),
    "raw": ("Raw", _raw),
}


async def _run(visit: Visit) -> WorkflowStatus:
    return await visit.client.get_workflow(visit.asked("id"), load_input=False, load_output=False)


async def _explained(visit: Visit, found: WorkflowStatus) -> tuple[str, str] | None:
    """Why it does not run, or what it does, as a word and in words; nothing of one that has an outcome."""
    if found.status in ("SUCCESS", "ERROR"):
        return None
    try:
        why = await visit.client.explain(found.workflow_id)
        return why.reason, why.message
    except DatabaseUnavailable:
        raise
    except DatabaseError as error:
        return "unknown", found.explanation or str(error)


async def _stored(visit: Visit, workflow_id: str, of: str) -> Payload | None:
    step = number(visit, "step")
    if of not in ("input", "output", "error"):
        raise HTTPException(400, f"of={of!r}: it is input, output or error")
    if step is None:
        stored: Payload | None = getattr(await visit.client.get_workflow_payloads(workflow_id), of)
        return stored
    found = await visit.client.list_step_records(workflow_id, after=step - 1, limit=1, most=None)
    if not found or found[0].function_id != step or of == "input":
        return None
    return found[0].error if of == "error" else found[0].output


def _shown(visit: Visit, given: WorkflowPayloads) -> dict[str, payloads.Shown | None]:
    sees = visit.user.sees_payloads
    return {name: payloads.shown(getattr(given, name), sees=sees) for name in ("input", "output")}


def _now(found: WorkflowStatus) -> int:
    """Now, to the second while it runs, to the minute once it has ended: what is shown does not flicker."""
    now_ms = int(time.time() * 1000)
    if found.completed_at is None or now_ms - found.completed_at < 60_000:
        return _tick(now_ms)
    return now_ms // 60_000 * 60_000 + 60_000


def _tick(now_ms: int) -> int:
    return now_ms // 1000 * 1000


def name_of(found: WorkflowStatus) -> str:
    return ".".join(part for part in (found.class_name, found.name) if part)


PAGES = (run, payload, python)
