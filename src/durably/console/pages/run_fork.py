"""Fork and rewind: a run begins again from one of its operations, with edits of what was recorded."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from durably.console.failures import failure
from durably.console.pages.run import READ, name_of, number
from durably.console.pages.run_deeds import to_run
from durably.console.views import payloads
from durably.console.views.deeds import Refused, parsed
from durably.console.visit import Visit, action, page
from durably.errors import DatabaseUnavailable, DurablyError, NoSuchWorkflow
from durably.types import Arguments, Payload, StepRecord, StepSummary, WorkflowStatus

__all__ = ["PAGES"]

NEAR = 20  # operations before the fork whose outcome can be edited
EDITABLE = "It is too large to be edited here, or cannot be decoded: the fork has it as it is."


@dataclass(frozen=True)
class Origin:
    """The run, and what of it can be edited."""

    run: WorkflowStatus
    given: Payload | None
    steps: list[StepRecord]
    summary: StepSummary
    sees: bool

    @property
    def input(self) -> str | None:
        """The input as JSON to edit; None where it cannot be."""
        return _editable(self.given) if self.sees else None

    def outputs(self) -> dict[int, str]:
        """The outcomes as JSON to edit, of operations that have one."""
        texts = {step.function_id: _editable(step.output) for step in self.steps if _is_editable(step)}
        return {number: text for number, text in texts.items() if text is not None} if self.sees else {}


@page("/run/fork", role="operator")
async def ask_fork(visit: Visit) -> Response:
    """What the fork is to be."""
    step = visit.query.get("step", "")
    origin = await _origin(visit, visit.asked("id"), number(visit, "step"))
    return _form(visit, "fork", origin, {"step": step}, {}, None)


@action("/run/fork")
async def fork(visit: Visit) -> Response:
    """Fork it, and go to the fork."""
    return await _begin(visit, "fork")


@page("/run/rewind", role="operator")
async def ask_rewind(visit: Visit) -> Response:
    """From where, and what is lost."""
    step = visit.query.get("step", "")
    origin = await _origin(visit, visit.asked("id"), number(visit, "step"))
    return _form(visit, "rewind", origin, {"step": step}, {}, None)


@action("/run/rewind")
async def rewind(visit: Visit) -> Response:
    """Rewind it in place."""
    return await _begin(visit, "rewind")


async def _begin(visit: Visit, verb: str) -> Response:
    typed = {name: str(value) for name, value in (await visit.form()).items()}
    id_ = typed.get("id_", "")
    step_text = typed.get("step", "").strip()
    origin = await _origin(visit, id_, int(step_text) if step_text.isdecimal() else None)
    try:
        wanted = _wanted(origin, typed, verb)
        edited = sorted(wanted.get("outputs", {}))
        detail = {"start_step": wanted["start_step"], "edited": edited, "input": "arguments" in wanted}
        call = visit.client.fork_workflow if verb == "fork" else visit.client.rewind_workflow

        async def begin() -> str:
            return (await call(id_, **wanted)).workflow_id

        made: str = await visit.act(verb, "workflow", id_, begin, detail=detail, did=lambda made: made)
    except Refused as refused:
        return _form(visit, verb, origin, typed, {refused.entry: str(refused)}, None, status=400)
    except (NoSuchWorkflow, DatabaseUnavailable):
        raise
    except DurablyError as error:
        failed = failure(error)
        return _form(visit, verb, origin, typed, {}, failed.message, status=failed.status)
    return visit.go(to_run(made), say="Forked: this is the fork." if verb == "fork" else "Rewound.")


async def _origin(visit: Visit, workflow_id: str, step: int | None) -> Origin:
    client = visit.client
    found = await client.get_workflow(workflow_id, load_input=False, load_output=False)
    given = (await client.get_workflow_payloads(workflow_id, most=READ)).input
    summary = await client.summarize_steps(workflow_id, bins=1)
    near: list[StepRecord] = []
    if step is not None and step > 0:
        after = max(-1, step - NEAR - 1)
        near = await client.list_step_records(workflow_id, after=after, limit=NEAR, most=READ)
    kept = [each for each in near if each.function_id < (step or 0)]
    return Origin(found, given, kept, summary, visit.user.sees_payloads)


def _form(
    visit: Visit,
    verb: str,
    origin: Origin,
    typed: dict[str, str],
    wrong: dict[str, str],
    refused: str | None,
    *,
    status: int = 200,
) -> Response:
    texts = origin.outputs()
    edited = [
        (
            step,
            texts.get(step.function_id),
            typed.get(f"output-{step.function_id}", texts.get(step.function_id)),
        )
        for step in reversed(origin.steps)
    ]
    step = typed.get("step", "").strip()
    return visit.render(
        "run/fork.html", status=status, verb=verb, run=origin.run, summary=origin.summary, typed=typed,
        input=typed.get("input", origin.input), is_editable=origin.input is not None, not_editable=EDITABLE,
        outputs=edited, wrong=wrong, refused=refused, name_of=name_of,
        first_lost=int(step) if step.isdecimal() else origin.summary.first_id,
    )  # fmt: skip


def _wanted(origin: Origin, typed: dict[str, str], verb: str) -> dict[str, Any]:
    """What the client is asked for; what was left as it was is not edited."""
    wanted: dict[str, Any] = {"start_step": _start(typed)}
    names = {"queue": "queue_name", "version": "app_version"}
    if verb == "fork":
        names["new_id"] = "new_workflow_id"
    elif "sure" not in typed:
        raise Refused("sure", "Say that you know what is lost.")
    wanted |= {option: typed[name].strip() for name, option in names.items() if typed.get(name, "").strip()}
    if origin.input is not None and _changed(typed.get("input"), origin.input):
        wanted["arguments"] = _arguments(parsed(typed, "input"), origin.given)
    recorded = {step.function_id: step.output for step in origin.steps}
    outputs = {
        step: payloads.revived(parsed(typed, f"output-{step}"), _value(recorded[step]))
        for step, text in origin.outputs().items()
        if _changed(typed.get(f"output-{step}"), text)
    }
    return wanted | ({"outputs": outputs} if outputs else {})


def _start(typed: dict[str, str]) -> int | str | None:
    text = typed.get("step", "").strip()
    if text in ("", "failure"):
        return text or None
    if not text.isdecimal() or len(text) > 9:
        raise Refused("step", "Give the number of an operation, or leave it empty for the beginning.")
    return int(text)


def _arguments(value: Any, given: Payload | None) -> Arguments:
    recorded = _value(given) or {"args": (), "kwargs": {}}
    if isinstance(value, list):
        return Arguments(tuple(payloads.revived(value, recorded["args"])))
    if isinstance(value, dict) and value.keys() == {"args", "kwargs"}:
        if isinstance(value["args"], list) and isinstance(value["kwargs"], dict):
            args = payloads.revived(value["args"], recorded["args"])
            return Arguments(tuple(args), payloads.revived(value["kwargs"], recorded["kwargs"]))
    raise Refused("input", 'Give the list of the arguments, or {"args": [...], "kwargs": {...}}.')


def _changed(text: str | None, known: str) -> bool:
    if text is None:
        return False
    return text.replace("\r\n", "\n").strip() != known.replace("\r\n", "\n").strip()


def _is_editable(step: StepRecord) -> bool:
    started_child = step.child_workflow_id is not None and step.function_name != "DBOS.getResult"
    return step.output is not None and not started_child


def _editable(payload: Payload | None) -> str | None:
    if payload is None or payload.is_cut or payload.unreadable is not None:
        return None
    text = payloads.pretty(payloads.plain(payload.value))
    try:
        json.loads(text)
    except ValueError:
        return None
    return text


def _value(payload: Payload | None) -> Any:
    return None if payload is None else payload.value


PAGES = (ask_fork, fork, ask_rewind, rewind)
