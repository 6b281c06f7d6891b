"""Row 20: eight callers want one workflow id at one moment, each with arguments of its own."""

from __future__ import annotations

import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

from durably import DBOSClient, EnqueueOptions
from durably.errors import ArgumentsIgnored
from tests.faults.fleet import Fleet
from tests.faults.table import Table

CLIENTS = 8


def test_every_caller_whose_arguments_were_dropped_is_told(fleet: Fleet, is_full: bool, table: Table) -> None:
    """Unasked: no policy is given. And who asks again for the same is told nothing."""
    rounds = 100 if is_full else 20
    together = threading.Barrier(CLIENTS)

    def ask(client: DBOSClient, number: int) -> list[bool | None]:
        told = []
        for turn in range(rounds):
            options = EnqueueOptions(workflow_name="count", queue_name="q", workflow_id=f"id-{turn}")
            together.wait(30)
            told.append(client.enqueue(options, number).arguments_ignored)
        return told

    with fleet.client() as first, fleet.client() as second, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with ThreadPoolExecutor(CLIENTS) as pool:
            handles = list(pool.map(ask, [first, second] * (CLIENTS // 2), range(CLIENTS)))
    warned = [each for each in caught if issubclass(each.category, ArgumentsIgnored)]
    known = sum(answer is True for answers in handles for answer in answers)
    rows = fleet.rows("SELECT workflow_uuid FROM dbos.workflow_status")
    table.add(
        20,
        "same id, other arguments",
        goal="told by default: rounds x (clients - 1); one row each",
        figures=f"{rounds} rounds of {CLIENTS} clients: {len(warned)} warned of {rounds * (CLIENTS - 1)}, "
        f"{len(rows)} rows",
    )
    assert len(warned) == known == rounds * (CLIENTS - 1)
    assert len(rows) == rounds
