"""What happens in the demo, in order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from durably.cli.demo import journal
from durably.cli.demo.display import Display
from durably.cli.demo.evidence import Evidence, look
from durably.cli.demo.purchases import DATE, EVENT, Purchase, purchase_ticket, purchases
from durably.cli.demo.worker import Worker
from durably.client import DBOSClient
from durably.errors import DatabaseError, DurablyError

__all__ = ["tell"]

PATIENCE = 30.0  # seconds for anything that the demo waits for


def tell(url: str, directory: Path, run: str, display: Display) -> Evidence:
    """Buy tickets while the worker is killed and replaced; returns what the database says about it."""
    notes = directory / f"journal-{run}.tsv"
    singles, groups = purchases(run)
    everyone = [*singles, *groups]
    with display.phase("Worker A starts"):
        first = Worker.start(url, notes, directory / "worker.log")
    with _killed_at_the_end(first), DBOSClient.create(system_database_url=url) as client:
        _buy(client, singles, display)
        _wait_until_charged(client, singles, display)
        _let_one_finish(client, singles[0], display)
        _buy(client, groups, display)
        _wait_until_charging(notes, groups, display)

        with display.phase(f"kill -9 {first.pid}: worker A is gone, in the middle of it"):
            kill_status = first.kill()
            before, ran_before = look(client, run), journal.executions(notes)
        _approve(client, everyone[1:], display)

        with display.phase("Worker B starts, and takes over"):
            second = Worker.start(url, notes, directory / "worker.log")
        with _killed_at_the_end(second):
            results = _results(client, everyone, display)
            events = {p.workflow_id: client.get_event(p.workflow_id, "status", 0) for p in everyone}
            after = look(client, run)
            with display.phase("Worker B is told to stop"):
                stop_status = second.stop()
    return Evidence(
        purchases=everyone,
        executors=(first.executor_id, second.executor_id),
        kill_status=kill_status,
        stop_status=stop_status,
        before=before,
        after=after,
        results=results,
        events=events,
        ran_before=ran_before,
        ran=journal.executions(notes),
    )


def _buy(client: DBOSClient, bought: Sequence[Purchase], display: Display) -> None:
    kind = "groups" if len(bought[0].seats) > 2 else "single buyers"
    with display.phase(f"{len(bought)} {kind} buy tickets", len(bought)) as done:
        for purchase in bought:
            options = purchase_ticket.options(workflow_id=purchase.workflow_id)
            client.enqueue(options, EVENT, purchase.seats, DATE)
            done()


def _wait_until_charged(client: DBOSClient, bought: Sequence[Purchase], display: Display) -> None:
    with display.phase("their cards are charged", len(bought)) as done:
        for purchase in bought:
            if client.get_event(purchase.workflow_id, "status", PATIENCE) is None:
                raise DurablyError(f"purchase {purchase.workflow_id} was not charged within {PATIENCE:g} s")
            done()


def _let_one_finish(client: DBOSClient, purchase: Purchase, display: Display) -> None:
    with display.phase("one is approved, and gets its tickets"):
        _send_approval(client, purchase)
        client.retrieve_workflow(purchase.workflow_id).get_result(PATIENCE)


def _wait_until_charging(notes: Path, groups: Sequence[Purchase], display: Display) -> None:
    with display.phase("their payments are under way"):
        if not journal.wait_until_begun(
            notes, "charge", [group.workflow_id for group in groups], seconds=PATIENCE
        ):
            raise DurablyError(f"the groups were not charged within {PATIENCE:g} s")


def _approve(client: DBOSClient, waiting: Sequence[Purchase], display: Display) -> None:
    """With every worker down: a client needs the database only. One is sent twice, as after a lost answer."""
    with display.phase("the others are approved while nobody works", len(waiting)) as done:
        _send_approval(client, waiting[0])
        for purchase in waiting:
            _send_approval(client, purchase)
            done()


def _send_approval(client: DBOSClient, purchase: Purchase) -> None:
    key = f"approval-of-{purchase.workflow_id}"
    client.send(purchase.workflow_id, purchase.approver, topic="approval", idempotency_key=key)


def _results(client: DBOSClient, bought: Sequence[Purchase], display: Display) -> dict[str, Any]:
    """Every result, typed; an error in place of one is evidence too."""
    results: dict[str, Any] = {}
    with display.phase("every buyer gets the tickets", len(bought)) as done:
        for purchase in bought:
            try:
                handle = client.retrieve_workflow(purchase.workflow_id, purchase_ticket)
                results[purchase.workflow_id] = handle.get_result(PATIENCE)
            except DatabaseError:
                raise
            except Exception as error:
                results[purchase.workflow_id] = error
            done()
    return results


@contextmanager
def _killed_at_the_end(worker: Worker) -> Iterator[None]:
    """No worker outlives the demo, however it ends."""
    try:
        yield
    finally:
        worker.kill()
