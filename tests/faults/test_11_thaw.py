"""Row 11: an owner that was frozen for longer than its lease thaws."""

from __future__ import annotations

import pytest

from tests.faults import history
from tests.faults.fleet import Fleet
from tests.faults.table import Table


def test_a_frozen_owner_thaws(fleet: Fleet, is_full: bool, table: Table) -> None:
    """Another has ended its work; the late steps are stopped, nothing is begun, and it is of use again."""
    workflows = 50 if is_full else 10
    frozen = fleet.launch(host="a")
    ids = [f"w{number}" for number in range(workflows)]
    with fleet.client() as client:
        for id_ in ids:
            fleet.ask_with(client, "lingers", id=id_)
    fleet.until(lambda: fleet.ledger.count("begin", step=1) == workflows, 20)
    frozen.freeze()
    other = fleet.launch(host="b")
    taken = fleet.wait_until_idle(20)
    frozen.thaw()
    stopped = fleet.until(lambda: fleet.ledger.count("cancelled") == workflows, 10)
    assert fleet.see(*ids) == [["gone on", 2]] * workflows
    other.terminate()
    fleet.ask("ladder", id="after")
    fleet.see("after")
    report = history.check(history.read(fleet.url, fleet.ledger.events()))
    begun = [event.pid for event in fleet.ledger.events() if event.kind == "begin" and event.step == 2]
    table.add(
        11,
        "a frozen owner thaws",
        goal="0 bad, late steps cancelled within 1 s of the thaw",
        figures=f"{workflows} workflows taken over in {taken:.1f} s, late steps cancelled {stopped:.2f} s "
        f"after the thaw, {len(report.problems)} problems",
    )
    assert report.problems == []
    assert stopped <= 1.0
    assert frozen.pid not in begun[:workflows]
    assert frozen.lives


@pytest.mark.parametrize("workflow", ["ladder", "ladder_blocking"])
def test_a_frozen_owner_begins_nothing_at_its_thaw(
    fleet: Fleet, workflow: str, is_full: bool, table: Table
) -> None:
    """Its lease ran out: a run whose step was recorded before the freeze does not begin the next one.

    The process freezes itself in a body, where no other one is between the check of the lease and its begin.
    """
    workflows, steps = (50, 500) if is_full else (20, 200)
    frozen = fleet.launch(host="a", stops=["w0", 20])
    ids = [f"w{number}" for number in range(workflows)]
    with fleet.client() as client:
        for id_ in ids:
            fleet.ask_with(client, workflow, steps, id=id_)
    fleet.until(lambda: frozen.is_frozen, 20)
    fleet.launch(host="b")
    fleet.wait_until_idle(60)
    fleet.ledger.note("fault")
    frozen.thaw()
    fleet.until(lambda: any("begins anew" in line for line in frozen.log), 10)
    events = fleet.ledger.events()
    thawed = max(event.at for event in events if event.kind == "fault")

    begun = [event for event in events if event.kind == "begin" and event.at > thawed]
    report = history.check(history.read(fleet.url, events))
    table.add(
        11,
        f"a frozen owner begins nothing at its thaw ({workflow})",
        goal="0 bodies begun, 0 bad",
        figures=f"{workflows} workflows of {steps} steps taken over, {len(begun)} bodies begun after the "
        f"thaw, {len(report.problems)} problems",
    )
    assert begun == []
    assert report.problems == []
    assert frozen.lives
