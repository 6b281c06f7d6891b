"""The history checker itself, on histories that are wrong on purpose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.faults.history import Checkpoint, History, Outcome, Report, check
from tests.faults.ledger import Event, Kind


def event(at: float, kind: Kind, step: int = 0, value: Any = None, *, pid: int = 1, id: str = "w") -> Event:
    return Event(kind, id, step, value, pid, at)


RIGHT = History(
    events=[
        event(0, "ask"),
        event(1, "told"),
        event(2, "begin", 1),
        event(3, "end", 1, "a"),
        event(4, "begin", 2),
        event(5, "end", 2, "b"),
        event(6, "see", value="b"),
    ],
    checkpoints=[Checkpoint("w", 1, "a"), Checkpoint("w", 2, "b")],
    outcomes={"w": Outcome("w", "SUCCESS", "b", 1)},
)


def kinds(report: Report) -> list[str]:
    return [problem.partition(":")[0] for problem in report.problems]


def with_events(*events: Event) -> History:
    return replace(RIGHT, events=sorted([*RIGHT.events, *events], key=lambda one: one.at))


def without(kind: Kind, step: int = 0) -> list[Event]:
    return [one for one in RIGHT.events if (one.kind, one.step) != (kind, step)]


def test_a_right_history_has_no_problem() -> None:
    report = check(RIGHT, limit=1)
    assert report.problems == []
    assert (report.repeated, report.most_in_a_process, report.workflows) == (0, 1, 1)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        (RIGHT.events[:2], ["lost"]),  # acknowledged
        (RIGHT.events[-1:], ["lost"]),  # its result was seen
    ],
)
def test_a_lost_workflow_is_reported(events: Sequence[Event], expected: list[str]) -> None:
    assert kinds(check(History(events, [], {}))) == expected


def test_an_unacknowledged_workflow_may_be_missing() -> None:
    assert check(History([event(0, "ask")], [], {})).problems == []


@pytest.mark.parametrize("status", ["PENDING", "ENQUEUED", "DELAYED"])
def test_a_workflow_that_never_ended_is_reported(status: str) -> None:
    outcomes = {"w": Outcome("w", status, None, 1)}
    assert kinds(check(History(RIGHT.events[:-1], RIGHT.checkpoints, outcomes))) == ["unended"]


def test_a_result_that_changed_after_a_client_saw_it_is_reported() -> None:
    assert kinds(check(replace(RIGHT, outcomes={"w": Outcome("w", "SUCCESS", "c", 1)}))) == ["wrong"]


def test_a_checkpoint_that_no_body_returned_is_reported() -> None:
    points = [Checkpoint("w", 1, "z"), RIGHT.checkpoints[1]]
    assert kinds(check(replace(RIGHT, checkpoints=points))) == ["bad"]


def test_a_step_of_a_finished_workflow_without_a_checkpoint_is_reported() -> None:
    assert kinds(check(replace(RIGHT, checkpoints=RIGHT.checkpoints[:1]))) == ["bad"]


def test_a_body_that_runs_again_after_the_workflow_went_on_is_reported() -> None:
    again = check(with_events(event(5.5, "begin", 1, pid=2), event(5.6, "end", 1, "a", pid=2)))
    assert kinds(again) == ["redone"]


def test_a_body_that_runs_again_before_it_was_acknowledged_is_counted_and_no_problem() -> None:
    report = check(with_events(event(2.5, "begin", 1, pid=2), event(2.6, "end", 1, "a", pid=2)))
    assert (report.problems, report.repeated, report.most_in_a_process) == ([], 1, 1)


def test_a_process_that_runs_a_body_twice_is_counted() -> None:
    assert check(with_events(event(2.5, "begin", 1))).most_in_a_process == 2


def test_a_timer_that_rings_early_is_reported_and_a_late_one_is_not() -> None:
    assert kinds(check(with_events(event(3.5, "wake", value=-0.2)))) == ["early"]
    assert check(with_events(event(3.5, "wake", value=0.2))).problems == []


def test_bodies_over_a_limit_are_reported() -> None:
    other = [event(2.5, "begin", 1, id="x", pid=2), event(3.5, "end", 1, "a", id="x", pid=2)]
    assert kinds(check(with_events(*other), limit=1)) == ["over"]
    assert check(with_events(*other), limit=2).problems == []


def test_a_body_whose_process_was_killed_holds_its_place_no_longer() -> None:
    killed = [event(2.2, "begin", 1, id="x", pid=2), event(2.3, "fault", value=2)]
    history = History([*killed, *RIGHT.events[1:]], RIGHT.checkpoints, RIGHT.outcomes)
    after = replace(history, events=[replace(one, at=one.at + (one.pid == 1)) for one in history.events])
    assert check(after, limit=1).problems == []
