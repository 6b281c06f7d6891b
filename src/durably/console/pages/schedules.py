"""Schedules: what fires when, and firing out of turn."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from durably.console.views import schedules as views
from durably.console.visit import Visit, action, page
from durably.core.cron import Cron
from durably.errors import EncodeError, InvalidOption, ScheduleExists
from durably.types import Schedule, ScheduleSpec, WorkflowFilter

__all__ = ["PAGES"]

RUNS = 20
TIMES = 8
TEXTS = (
    "schedule_name",
    "workflow_name",
    "workflow_class_name",
    "cron_timezone",
    "queue_name",
    "application_name",
)
SHOWN_TICKS = 200  # of a backfill
UNREADABLE = "it was written by its application in a format that is not read here: change it there"


@page("/schedules")
async def schedules(visit: Visit) -> Response:
    """All of them."""
    found = await visit.client.list_schedules()
    now = datetime.now(UTC)
    rows = [
        {
            "schedule": each,
            "words": views.words_of(each.schedule),
            "next_ms": each.next_fire_at.timestamp() * 1000 if each.next_fire_at else None,
            "last_ms": views.millis(each.last_fired_at),
            "late_ms": views.late_by(each, now),
        }
        for each in found
    ]
    return visit.render("schedules/list.html", rows=rows, now_ms=_now_ms(now))


@page("/schedule")
async def schedule(visit: Visit) -> Response:
    """One of them."""
    name = visit.asked("name")
    recent = WorkflowFilter(
        schedule_name=name, sort_desc=True, limit=RUNS, load_input=False, load_output=False
    )
    known, found = await asyncio.gather(visit.client.get_schedule(name), visit.client.list_workflows(recent))
    now = datetime.now(UTC)
    return visit.render(
        "schedules/one.html",
        schedule=known,
        words=views.words_of(known.schedule),
        times=_times(known.schedule, known.cron_timezone, now),
        last_ms=views.millis(known.last_fired_at),
        late_ms=views.late_by(known, now),
        context=views.context_text(known.context) or repr(known.context),
        runs=views.runs(known, found),
        now_ms=_now_ms(now),
    )


@page("/schedule/edit", role="operator")
async def edit(visit: Visit) -> Response:
    """The form that creates a schedule, or changes one."""
    name = visit.query.get("name")
    known = await visit.client.get_schedule(name) if name else None
    values = _shown(known, visit) if known else {"catch_up": "60", "jitter": "0", **visit.query}
    return _form(visit, known, values)


@action("/schedule/edit")
async def save(visit: Visit) -> Response:
    """Create a schedule, or change one; or only show when it would fire."""
    given = {field: str(value).strip() for field, value in (await visit.form()).items()}
    name = given.get("schedule_name", "")
    known = None if given.get("new") else await visit.client.get_schedule(name)
    try:
        spec = _spec(visit, known, given)
        if "preview" in given:
            Cron.parse(spec.schedule, spec.cron_timezone, now=datetime.now(UTC))
            return _form(visit, known, given, preview=True)
        detail = {"schedule": spec.schedule, "workflow": spec.workflow_name}
        if known is None:
            create = lambda: visit.client.create_schedule(**_fields(spec))  # noqa: E731
            await visit.act("create", "schedule", name, create, detail=detail)
        else:
            change = lambda: visit.client.apply_schedules([spec])  # noqa: E731
            await visit.act("change", "schedule", name, change, detail=detail)
    except (InvalidOption, ScheduleExists, EncodeError) as error:
        return _form(visit, known, given, error=error)
    return visit.go(_path(name), say=f"{'Created' if known is None else 'Changed'} {name}.")


@action("/schedule/pause")
async def pause(visit: Visit) -> Response:
    """Let a schedule rest."""
    name = await _name(visit)
    await visit.act("pause", "schedule", name, lambda: visit.client.pause_schedule(name))
    return visit.go(_path(name), say=f"Paused {name}: it fires no more until it is resumed.")


@action("/schedule/resume")
async def resume(visit: Visit) -> Response:
    """Let a schedule go on."""
    name = await _name(visit)
    await visit.act("resume", "schedule", name, lambda: visit.client.resume_schedule(name))
    return visit.go(_path(name), say=f"Resumed {name}: it goes on from now.")


@action("/schedule/trigger")
async def trigger(visit: Visit) -> Response:
    """Start its workflow now."""
    name = await _name(visit)
    handle = await visit.act("trigger", "schedule", name, lambda: visit.client.trigger_schedule(name))
    return visit.go(_path(name), say=f"Started {handle.workflow_id}.")


@action("/schedule/delete")
async def delete(visit: Visit) -> Response:
    """Delete a schedule; its runs stay."""
    name = await _name(visit)
    existed = await visit.act("delete", "schedule", name, lambda: visit.client.delete_schedule(name))
    return visit.go("/schedules", say=f"Deleted {name}." if existed else f"{name} was deleted already.")


@page("/schedule/backfill", role="operator")
async def backfill_form(visit: Visit) -> Response:
    """The form for a range in the past."""
    return await _backfill_form(visit, await visit.client.get_schedule(visit.asked("name")), {})


@action("/schedule/backfill")
async def backfill(visit: Visit) -> Response:
    """Say what a range had to fire, and then start it."""
    given = {field: str(value).strip() for field, value in (await visit.form()).items()}
    name = given.get("name", "")
    known = await visit.client.get_schedule(name)
    try:
        start, end = _instant("start", given), _instant("end", given)
        found = await visit.client.backfill_schedule(name, start, end, dry_run=True)
    except InvalidOption as error:
        return await _backfill_form(visit, known, given, error=error)
    ids = [handle.workflow_id for handle in found]
    if "go" not in given:
        return await _backfill_form(visit, known, given, ids=ids)
    if str(len(ids)) != given.get("count"):
        return await _backfill_form(visit, known, given, ids=ids)  # it has other times by now: ask again
    run = lambda: visit.client.backfill_schedule(name, start, end)  # noqa: E731
    detail = {"start": start.isoformat(), "end": end.isoformat(), "runs": len(ids)}
    await visit.act("backfill", "schedule", name, run, detail=detail)
    return visit.go(_path(name), say=f"Started what {name} had to fire: {len(ids):,} runs.")


# -- how --------------------------------------------------------------------------------------------------


async def _name(visit: Visit) -> str:
    return str((await visit.form())["name"])


def _form(
    visit: Visit,
    known: Schedule | None,
    values: Mapping[str, str],
    *,
    preview: bool = False,
    error: Exception | None = None,
) -> Response:
    now = datetime.now(UTC)
    expression = values.get("schedule", "")
    wrong = error.option if isinstance(error, InvalidOption) else ""
    return visit.render(
        "schedules/edit.html",
        status=200 if error is None else 400,
        known=known,
        values=values,
        error=error,
        wrong=wrong,
        words=views.words_of(expression) if preview else "",
        times=_times(expression, values.get("cron_timezone") or None, now) if preview else [],
        now_ms=_now_ms(now),
        is_readable=known is None or (visit.user.sees_payloads and _is_json(known)),
    )


async def _backfill_form(
    visit: Visit,
    known: Schedule,
    values: Mapping[str, str],
    *,
    ids: list[str] | None = None,
    error: InvalidOption | None = None,
) -> Response:
    there = 0
    if ids:
        there = await visit.client.count_workflows(WorkflowFilter(workflow_ids=ids))
    return visit.render(
        "schedules/backfill.html",
        status=200 if error is None else 400,
        schedule=known,
        words=views.words_of(known.schedule),
        values=values,
        ids=ids,
        shown=(ids or [])[:SHOWN_TICKS],
        there=there,
        error=error,
        wrong=error.option if error else "",
    )


def _spec(visit: Visit, known: Schedule | None, given: Mapping[str, str]) -> ScheduleSpec:
    texts = {field: given.get(field) or None for field in TEXTS}
    return ScheduleSpec(
        **texts
        | {"schedule_name": given.get("schedule_name", ""), "workflow_name": given.get("workflow_name", "")},  # type: ignore[arg-type]
        schedule=given.get("schedule", ""),
        context=_context(visit, known, given),
        automatic_backfill="automatic_backfill" in given,
        catch_up=_seconds("catch_up", given),
        jitter=_seconds("jitter", given),
        overlap=given.get("overlap", "allow"),  # type: ignore[arg-type]
    )


def _fields(spec: ScheduleSpec) -> dict[str, Any]:
    return {field: getattr(spec, field) for field in ScheduleSpec.__dataclass_fields__}


def _context(visit: Visit, known: Schedule | None, given: Mapping[str, str]) -> Any:
    """What the form says, or what is there already where the form could not show it."""
    if known is not None and "context" not in given:
        if known.problem and "context cannot be read" in known.problem:
            raise InvalidOption("context", None, UNREADABLE)
        return known.context
    text = given.get("context", "")
    if not text:
        return None
    try:
        return json.loads(text)
    except ValueError as error:
        raise InvalidOption("context", text, f"it is not JSON: {error}") from None


def _seconds(option: str, given: Mapping[str, str]) -> float:
    text = given.get(option) or "0"
    try:
        return float(text)
    except ValueError:
        raise InvalidOption(option, text, "a number of seconds") from None


def _instant(option: str, given: Mapping[str, str]) -> datetime:
    text = given.get(option, "")
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidOption(option, text, "an instant, such as 2026-11-01T00:00") from None
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)


def _is_json(known: Schedule) -> bool:
    unread = known.problem is not None and "context cannot be read" in known.problem
    return not unread and views.context_text(known.context) is not None


def _shown(known: Schedule, visit: Visit) -> dict[str, str]:
    """A schedule as the form's fields."""
    shown = {field: getattr(known, field) or "" for field in (*TEXTS, "schedule")}
    shown |= {"catch_up": f"{known.catch_up:g}", "jitter": f"{known.jitter:g}", "overlap": known.overlap}
    if known.automatic_backfill:
        shown["automatic_backfill"] = "1"
    if known.context is not None and _is_json(known):
        shown["context"] = views.context_text(known.context) or ""
    return shown


def _times(expression: str, zone: str | None, now: datetime) -> list[views.Time]:
    try:
        return views.times(Cron.read(expression, zone), now, TIMES)
    except InvalidOption:
        return []


def _now_ms(now: datetime) -> float:
    return now.timestamp() // 1 * 1000


def _path(name: str) -> str:
    return f"/schedule?{urlencode({'name': name})}"


PAGES = (
    schedules, schedule, edit, save, pause, resume, trigger, delete, backfill_form, backfill,
)  # fmt: skip
