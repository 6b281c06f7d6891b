"""The geometry of a run's timeline."""

from __future__ import annotations

from typing import Any

import pytest

from durably.console.views.timeline import Picture, minimap, picture, ticks, wakes_at
from durably.types import Payload, StepRecord, StepSummary, WorkflowStatus


def run(status: Any = "SUCCESS", **fields: Any) -> WorkflowStatus:
    known: dict[str, Any] = {"workflow_id": "w", "name": "w", "created_at": 1000, "dequeued_at": 2000}
    return WorkflowStatus(**known | {"status": status} | fields)


def step(number: int, start: int, end: int, name: str = "step", **fields: Any) -> StepRecord:
    return StepRecord(
        function_id=number, function_name=name, started_at_epoch_ms=start, completed_at_epoch_ms=end, **fields
    )


def drawn(run: WorkflowStatus, *steps: StepRecord, now_ms: int = 9000) -> Picture:
    return picture(run, steps, now_ms=now_ms, is_first=True, is_last=True)


def bars(found: Picture) -> list[list[tuple[float, float, str]]]:
    return [[(bar.left, bar.width, bar.kind) for bar in line.bars] for line in found.lines]


def test_a_bar_stands_where_its_step_ran() -> None:
    found = drawn(run(completed_at=5000), step(1, 2000, 3000), step(2, 3000, 5000))
    assert bars(found) == [[(0, 25, "queued")], [(25, 25, "done")], [(50, 50, "done")]]
    assert [(kind, at) for at, _, kind in found.marks] == [("end succeeded", 100.0)]


def test_a_long_wait_on_the_queue_is_told_and_not_drawn() -> None:
    found = drawn(run(created_at=-90_000_000, completed_at=3000), step(1, 2000, 3000))
    assert bars(found) == [[(0, 100, "done")]]
    assert found.note == "It waited 1 d 1 h before it first ran."


def test_a_step_of_no_duration_is_seen() -> None:
    found = drawn(run(completed_at=1_000_000), step(1, 1_000_000, 1_000_000))
    (bar,) = found.lines[-1].bars
    assert bar.width > 0
    assert bar.left + bar.width == 100


def test_what_is_under_way_grows_to_now() -> None:
    running = run("PENDING", dequeued_at=1000)
    early, late = (drawn(running, step(1, 1000, 2000), now_ms=now) for now in (3000, 9000))
    assert bars(early)[-1] == [(50, 50, "now running")]
    assert bars(late)[-1] == [(12.5, 87.5, "now running")]
    assert [kind for _, _, kind in late.marks] == ["now"]


@pytest.mark.parametrize("recorded", [8.0, 8000.0 + 1e12])
def test_a_sleep_grows_until_it_is_over(recorded: float) -> None:
    base = 0 if recorded < 1e11 else 10**12
    asleep = step(1, base + 2000, base + 2000, "DBOS.sleep", output=Payload(text="8", size=1, value=recorded))
    assert wakes_at(asleep) == base + 8000
    sleeping = run("PENDING", created_at=base + 2000, dequeued_at=None)
    assert bars(drawn(sleeping, asleep, now_ms=base + 4000)) == [[(0, 100, "wait")]]
    awake = drawn(sleeping, asleep, now_ms=base + 14_000)
    assert bars(awake) == [[(0, 50, "wait")], [(0, 100, "now running")]]


def test_a_child_has_a_bar_of_its_own_state() -> None:
    started = step(1, 2000, 2000, child_workflow_id="c", child_status="PENDING", child_created_at=2000)
    found = drawn(run("PENDING", created_at=2000, dequeued_at=None), started, now_ms=4000)
    assert bars(found)[0][1] == (0, 100, "child running")
    assert found.lines[0].child == "c"


def test_a_later_attempt_is_marked() -> None:
    again = run("PENDING", recovery_attempts=3, dequeued_at=5000)
    found = drawn(again, step(1, 1000, 2000), now_ms=9000)
    assert (50.0, "attempt 3", "attempt") in found.marks


def test_a_step_that_failed_and_one_that_waited() -> None:
    found = drawn(
        run("ERROR", completed_at=5000),
        step(1, 2000, 3000, "DBOS.recv"),
        step(2, 3000, 5000, error=Payload(text="{}", size=2)),
    )
    assert [line.bars[0].kind for line in found.lines] == ["queued", "wait", "failed"]
    assert "failed" in found.lines[2].title


def test_a_run_that_recorded_nothing_has_no_lines() -> None:
    assert drawn(run(created_at=1000, dequeued_at=None, completed_at=1000)).lines == ()


def test_steps_without_instants_have_no_bar() -> None:
    bare = StepRecord(function_id=1, function_name="old")
    assert bars(drawn(run(completed_at=5000, dequeued_at=None), bare)) == [[]]


@pytest.mark.parametrize("span", [1, 7, 950, 5_000, 61_000, 3_600_000, 10**9, 10**12])
def test_ticks_are_few_and_inside(span: int) -> None:
    found = ticks(span)
    assert 1 <= len(found) <= 7
    assert all(0 <= tick.at < 100 for tick in found)
    assert len({tick.word for tick in found}) == len(found)


def test_ticks_are_round() -> None:
    assert [tick.word for tick in ticks(5_000)] == ["0", "1 s", "2 s", "3 s", "4 s"]
    assert [tick.word for tick in ticks(150_000)] == ["0", "30 s", "1 m", "1 m 30 s", "2 m"]


def test_the_map_of_a_long_run_shows_where_the_page_is() -> None:
    summary = StepSummary(
        steps=1000, failed=1, first_id=1, last_id=1000, started_at_epoch_ms=0, completed_at_epoch_ms=10_000,
        now_epoch_ms=20_000, bins=((0, 500, 0, 1), (1, 250, 25, 501)),
    )  # fmt: skip
    found = minimap(summary, [step(501, 5000, 5010), step(600, 6000, 7000)], bins=2)
    assert found.bins == ((0, 40, 100, 0, 1), (50, 40, 50, 5, 501))
    assert (found.left, found.width) == (50, 20)
