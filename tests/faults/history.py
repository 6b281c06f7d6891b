"""The history checker: the ledger beside the checkpoints; whatever is lost, doubled, early, over or unended.

It knows the programs of `worker.py` only by what they note: a step's body notes its begin and its end, and
the value that it returns is recorded by the system as the outcome of the operation with that number.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from tests.faults.ledger import Event

__all__ = ["Checkpoint", "History", "Outcome", "Report", "check", "check_limit", "read"]

TERMINAL = frozenset(("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"))


@dataclass(frozen=True)
class Checkpoint:
    """A recorded operation."""

    workflow_id: str
    function_id: int
    output: Any


@dataclass(frozen=True)
class Outcome:
    """A workflow's row."""

    workflow_id: str
    status: str
    output: Any
    attempts: int


@dataclass(frozen=True)
class History:
    """The two accounts of what happened."""

    events: Sequence[Event]
    checkpoints: Sequence[Checkpoint]
    outcomes: Mapping[str, Outcome]


@dataclass
class Report:
    """What is wrong, by kind. Bodies may repeat as far as faults explain it: `repeated` counts them."""

    lost: list[str] = field(default_factory=list)
    unended: list[str] = field(default_factory=list)
    bad: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    redone: list[str] = field(default_factory=list)
    early: list[str] = field(default_factory=list)
    over: list[str] = field(default_factory=list)
    repeated: int = 0
    most_in_a_process: int = 0  # times that one process began one body
    workflows: int = 0

    @property
    def problems(self) -> list[str]:
        """Every problem as a sentence."""
        kinds = ("lost", "unended", "bad", "wrong", "redone", "early", "over")
        return [f"{kind}: {text}" for kind in kinds for text in getattr(self, kind)]


def read(url: str, events: Sequence[Event]) -> History:
    """The history whose checkpoints are in a system database."""
    with psycopg.connect(url) as connection:
        operations = connection.execute(
            "SELECT workflow_uuid, function_id, output FROM dbos.operation_outputs WHERE error IS NULL"
        ).fetchall()
        workflows = connection.execute(
            "SELECT s.workflow_uuid, s.status, o.output, s.recovery_attempts FROM dbos.workflow_status s"
            " LEFT JOIN dbos.workflow_output o USING (workflow_uuid)"
        ).fetchall()
    return History(
        events,
        [Checkpoint(id_, number, _value(output)) for id_, number, output in operations],
        {id_: Outcome(id_, status, _value(output), attempts) for id_, status, output, attempts in workflows},
    )


def check(history: History, *, limit: int | None = None) -> Report:
    """Compare; with `limit`, no more than so many bodies may run at once."""
    report = Report(workflows=len(history.outcomes))
    _check_existence(history, report)
    _check_checkpoints(history, report)
    _check_repeats(history, report)
    _check_timers(history.events, report)
    if limit is not None:
        check_limit(history.events, limit, report)
    return report


def _value(text: str | None) -> Any:
    return None if text is None else json.loads(text)


def _check_existence(history: History, report: Report) -> None:
    for id_ in _ids(history.events, "told"):
        if id_ not in history.outcomes:
            report.lost.append(f"{id_} was acknowledged and is not there")
    for outcome in history.outcomes.values():
        if outcome.status not in TERMINAL:
            report.unended.append(f"{outcome.workflow_id} is {outcome.status}")
    for event in history.events:
        if event.kind != "see":
            continue
        outcome_ = history.outcomes.get(event.workflow_id)
        if outcome_ is None:
            report.lost.append(f"{event.workflow_id} had a result and is not there")
        elif outcome_.output != event.value:
            report.wrong.append(
                f"{event.workflow_id}: a client saw {event.value!r}, recorded is {outcome_.output!r}"
            )


def _check_checkpoints(history: History, report: Report) -> None:
    """What is recorded of a step is what one of its bodies returned."""
    returned: dict[tuple[str, int], list[Any]] = defaultdict(list)
    for event in history.events:
        if event.kind == "end":
            returned[event.workflow_id, event.step].append(event.value)
    for point in history.checkpoints:
        values = returned.get((point.workflow_id, point.function_id))
        if values is not None and point.output not in values:
            report.bad.append(
                f"{point.workflow_id} step {point.function_id}: recorded {point.output!r}, "
                f"bodies gave {values!r}"
            )
    recorded = {(point.workflow_id, point.function_id) for point in history.checkpoints}
    for id_, step in returned:
        outcome = history.outcomes.get(id_)
        if outcome is not None and outcome.status == "SUCCESS" and (id_, step) not in recorded:
            report.bad.append(f"{id_} step {step}: it ran, the workflow succeeded, and nothing is recorded")


def _check_repeats(history: History, report: Report) -> None:
    """A body may run again while its outcome is unacknowledged: never once the workflow went on past it."""
    begun: Counter[tuple[str, int]] = Counter()
    furthest: dict[str, int] = defaultdict(int)
    for event in history.events:
        if event.kind != "begin":
            continue
        key = (event.workflow_id, event.step)
        begun[key] += 1
        passed = furthest[event.workflow_id]
        if begun[key] > 1 and event.step < passed:
            report.redone.append(
                f"{event.workflow_id} step {event.step} ran again although step {passed} had begun"
            )
        furthest[event.workflow_id] = max(passed, event.step)
    report.repeated = sum(count - 1 for count in begun.values())
    by_process = Counter((e.workflow_id, e.step, e.pid) for e in history.events if e.kind == "begin")
    report.most_in_a_process = max(by_process.values(), default=0)


def _check_timers(events: Iterable[Event], report: Report) -> None:
    for event in events:
        if event.kind == "wake" and event.value < 0:
            report.early.append(f"{event.workflow_id} woke {-event.value:.3f} s before its time")


def check_limit(events: Iterable[Event], limit: int, report: Report) -> None:
    """No more than so many bodies at once, those of dead processes left out."""
    running: set[tuple[str, int, int]] = set()
    for event in events:
        key = (event.workflow_id, event.step, event.pid)
        if event.kind == "begin":
            running.add(key)
            if len(running) > limit:
                report.over.append(f"{len(running)} at once, the limit is {limit}: {sorted(running)}")
        elif event.kind == "end":
            running.discard(key)
        elif event.kind == "fault" and isinstance(event.value, int):  # of that process
            running = {one for one in running if one[2] != event.value}


def _ids(events: Iterable[Event], kind: str) -> set[str]:
    return {event.workflow_id for event in events if event.kind == kind}
