"""Row 15: outcomes that cannot be stored as they are."""

from __future__ import annotations

from durably.errors import DurablyError
from tests.faults.fleet import Fleet
from tests.faults.table import Table
from tests.faults.worker import OUTCOMES


def test_every_outcome_ends_once_and_the_client_is_told(fleet: Fleet, table: Table) -> None:
    """On a queue of one, `async def` and `def`: each ends, runs once, and a result or an error comes back."""
    worker = fleet.launch(queues={"q": 1})
    told: dict[str, str] = {}
    names = [(name, f"{name} {kind}", kind) for name in ("ends", "ends_blocking") for kind in OUTCOMES]
    with fleet.client() as client:
        for name, id_, kind in names:
            fleet.ask_with(client, name, kind, id=id_)
        for _, id_, _ in names:
            try:
                client.retrieve_workflow(id_).get_result(30)
                told[id_] = "a result"
            except TimeoutError:
                raise
            except (DurablyError, Exception) as error:
                told[id_] = type(error).__name__
    table.add(
        15,
        "outcomes that cannot be stored",
        goal="16 of 16 end, once, client told",
        figures=f"{len(told)} of {len(names)} end once and are told ({len(OUTCOMES)} kinds, both colours)",
    )
    assert [fleet.ledger.count("begin", id_) for _, id_, _ in names] == [1] * len(names)
    assert worker.lives
