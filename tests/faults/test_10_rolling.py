"""Row 10: workers are restarted in turn, as a deployment does it, under load."""

from __future__ import annotations

from tests.faults import history
from tests.faults.fleet import Fleet
from tests.faults.load import Load
from tests.faults.table import Table


def test_rolling_restarts_repeat_no_finished_step(fleet: Fleet, is_full: bool, table: Table) -> None:
    """Each worker is a machine of its own; SIGTERM, its successor, and so on."""
    restarts = 20 if is_full else 6
    workers = [fleet.launch(host=f"machine-{number}", ready=False) for number in range(3)]
    for worker in workers:
        worker.wait_ready()
    codes = []
    with Load(fleet, "climb", 5, 0.1, pace=0.05):
        for number in range(restarts):
            codes.append(workers.pop(0).terminate())
            workers.append(fleet.launch(host=f"again-{number}"))
    seconds = fleet.wait_until_idle(20)
    report = history.check(history.read(fleet.url, fleet.ledger.events()))
    table.add(
        10,
        "rolling restarts of 3 workers under load",
        goal="0 repeated bodies, 0 lost",
        figures=f"{restarts} restarts, {report.workflows} workflows: {len(report.problems)} problems, "
        f"{report.repeated} bodies repeated; idle {seconds:.1f} s after the last ask",
    )
    assert report.problems == []
    assert report.repeated == 0
    assert set(codes) == {0}


def test_a_second_machine_takes_nothing_from_the_first(fleet: Fleet, table: Table) -> None:
    """Both in the default configuration: the second starts while ten steps run on the first."""
    fleet.launch(host="a")
    with fleet.client() as client:
        for number in range(10):
            fleet.ask_with(client, "climb", 2, 1.0, id=f"w{number}")
    fleet.until(lambda: fleet.ledger.count("begin") == 10, 10)
    fleet.launch(host="b")
    fleet.wait_until_idle(20)
    report = history.check(history.read(fleet.url, fleet.ledger.events()))
    table.add(
        10,
        "a second machine starts, default configuration",
        goal="0 repeated bodies",
        figures=f"10 running steps: {report.repeated} repeated, {len(report.problems)} problems",
    )
    assert report.problems == []
    assert report.repeated == 0
