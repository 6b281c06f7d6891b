"""Row 13: workflows that kill their process, beside innocents."""

from __future__ import annotations

from functools import partial

import pytest

from tests.faults.fleet import Fleet, Worker
from tests.faults.table import Table

LIMIT = 3


@pytest.mark.parametrize("killers", [1, 2])
def test_only_the_guilty_are_set_aside(killers: int, fleet: Fleet, table: Table) -> None:
    """Twenty workflows that sleep and twenty steps stand beside; each death is followed by a new process."""
    guilty = [f"guilty-{number}" for number in range(killers)]
    innocent = [f"innocent-{number}" for number in range(20)]
    with fleet.client() as client:
        for id_ in innocent:
            fleet.ask_with(client, "nap", 1.0, id=id_, max_recovery_attempts=LIMIT)
        for id_ in guilty:
            fleet.ask_with(client, "killer", id=id_, max_recovery_attempts=LIMIT)
    deaths = 0
    while True:
        worker = fleet.launch(ready=False)
        fleet.until(partial(is_over, fleet, worker), 20)
        if worker.lives:
            break
        deaths += 1
        assert deaths < 20, "they kill for ever"
    found = dict(fleet.rows("SELECT workflow_uuid, status FROM dbos.workflow_status"))
    aside = sum(found[id_] != "SUCCESS" for id_ in innocent)
    most = max(fleet.ledger.count("begin", id_) for id_ in guilty)
    table.add(
        13,
        f"{killers} that kill their process beside 20 innocents, limit {LIMIT}",
        goal="0 innocents aside, the guilty after <= 3 deaths",
        figures=f"{aside} innocents aside; {deaths} deaths, {most} of one workflow at most",
    )
    assert [found[id_] for id_ in guilty] == ["MAX_RECOVERY_ATTEMPTS_EXCEEDED"] * killers
    assert aside == 0
    assert most <= LIMIT


def is_over(fleet: Fleet, worker: Worker) -> bool:
    """Whether the process has died, or has nothing left to do."""
    return not worker.lives or not fleet.active()
