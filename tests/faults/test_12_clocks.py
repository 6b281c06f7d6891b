"""Row 12: the clock of one machine is off by an hour; all times that count are the database's."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.faults import history
from tests.faults.fleet import Fleet
from tests.faults.ledger import Event
from tests.faults.table import Table

HOUR = 3600.0
GOAL = "0 early, 0 cancelled; error <= 1 s"


@pytest.mark.parametrize("off", [HOUR, -HOUR], ids=["ahead", "behind"])
def test_delayed_work_is_not_early_and_not_late(fleet: Fleet, off: float, table: Table) -> None:
    """The only worker's clock is wrong."""
    fleet.launch(clock=off)
    fleet.ask("ladder", 1, id="w", delay=timedelta(seconds=1.5))
    fleet.see("w")
    begin, told = (one(fleet, kind) for kind in ("begin", "ask"))
    late = begin.at - told.at - 1.5
    table.add(12, f"delayed work, the only worker {off:+.0f} s", goal=GOAL, figures=f"{late:+.2f} s")
    assert -0.01 <= late <= 1.0


def test_a_wrong_clock_cancels_nothing(fleet: Fleet, table: Table) -> None:
    """Time-outs of ten minutes, work on both machines, one of them an hour ahead."""
    fleet.launch(host="a", clock=HOUR)
    fleet.launch(host="b")
    ids = [f"w{number}" for number in range(20)]
    with fleet.client() as client:
        for id_ in ids:
            fleet.ask_with(client, "climb", 3, 1.0, id=id_, timeout=600)
    fleet.wait_until_idle(20)
    statuses = fleet.rows("SELECT status, count(*) FROM dbos.workflow_status GROUP BY 1")
    report = history.check(history.read(fleet.url, fleet.ledger.events()))
    table.add(
        12, "time-outs of 600 s, one of two machines an hour ahead", goal=GOAL, figures=f"{dict(statuses)}"
    )
    assert statuses == [("SUCCESS", 20)]
    assert report.problems == []


@pytest.mark.parametrize("off", [HOUR, -HOUR], ids=["ahead", "behind"])
def test_a_sleep_begun_on_a_wrong_clock_ends_in_time(fleet: Fleet, off: float, table: Table) -> None:
    """It begins on one machine and ends on another, whose clock is right."""
    wrong = fleet.launch(clock=off)
    fleet.ask("nap", 4.0, id="w")
    fleet.until(lambda: fleet.rows("SELECT 1 FROM dbos.operation_outputs WHERE function_id = 2"), 10)
    fleet.launch()
    fleet.kill(wrong)
    fleet.see("w")
    error = one(fleet, "wake").value
    table.add(
        12, f"durable sleep begun at {off:+.0f} s, ended elsewhere", goal=GOAL, figures=f"{error:+.2f} s"
    )
    assert -0.01 <= error <= 1.0


def one(fleet: Fleet, kind: str) -> Event:
    """The first line of a kind."""
    return next(event for event in fleet.ledger.events() if event.kind == kind)
