"""Row 11: an owner that was frozen for longer than its lease thaws."""

from __future__ import annotations

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
