"""Rows 24 and 25: odd ids and names, and targets that do not exist."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from durably import DBOSClient, EnqueueOptions
from durably.errors import DurablyError, NoSuchWorkflow
from tests.faults.fleet import Fleet
from tests.faults.table import Table

ODD = (
    "", " ", "a\0b", "\ud800", "a\nb", "\u202e", "é", "\U0001d4b3", "x" * 512, "x" * 3_000, "x" * 100_000,
    "../..", "%s",
    "'; DROP TABLE x; --", '"', "\\", "a::b", "_dbos_internal_queue", "{}", "null", 7, None, b"x", ["x"],
)  # fmt: skip


def doors(client: DBOSClient, odd: Any) -> dict[str, Callable[[], object]]:
    """Everywhere that a caller hands in an id or a name."""

    def enqueue(**fields: Any) -> object:
        options = {"workflow_name": "ladder", "queue_name": "q", **fields}
        return client.enqueue(EnqueueOptions(**options), 1).get_result(timeout=20)

    return {
        "workflow_id": lambda: enqueue(workflow_id=odd),
        "queue_name": lambda: client.enqueue(EnqueueOptions(workflow_name="ladder", queue_name=odd), 1),
        "workflow_name": lambda: client.enqueue(EnqueueOptions(workflow_name=odd, queue_name="odd"), 1),
        "deduplication_id": lambda: enqueue(deduplication_id=odd),
        "queue_partition_key": lambda: client.enqueue(
            EnqueueOptions(workflow_name="ladder", queue_name="odd", queue_partition_key=odd)
        ),
        "send topic": lambda: client.send("there", 1, odd),
        "send to": lambda: client.send(odd, 1),
        "retrieve": lambda: client.retrieve_workflow(odd).get_status(),
        "get_event": lambda: client.get_event("there", odd, timeout_seconds=0),
        "cancel": lambda: client.cancel_workflow(odd),
        "register_queue": lambda: client.register_queue(odd),
    }


@pytest.mark.timeout(180)
def test_odd_names_work_everywhere_or_are_refused_by_our_own_error(fleet: Fleet, table: Table) -> None:
    """No error of the driver's, nothing that is taken and never done."""
    fleet.launch()
    fleet.ask("ladder", 1, id="there")
    fleet.see("there")
    raw: list[str] = []
    worked = refused = 0
    with fleet.client() as client:
        for odd in ODD:
            for door, knock in doors(client, odd).items():
                try:
                    knock()
                    worked += 1
                except DurablyError:
                    refused += 1
                except Exception as error:
                    raw.append(f"{door} {str(odd)[:20]!r}: {type(error).__name__}: {str(error)[:100]}")
    waiting = fleet.rows(
        "SELECT workflow_uuid FROM dbos.workflow_status"
        " WHERE status = 'ENQUEUED' AND queue_name = 'q' AND name = 'ladder'"
    )
    table.add(
        24,
        f"{len(ODD)} odd ids and names at {len(doors(client, ''))} doors",
        goal="one error type at the door, or it works",
        figures=f"{worked} work, {refused} refused, {len(raw)} raw errors, {len(waiting)} taken and not done",
    )
    assert raw == []
    assert waiting == []


def test_unknown_targets_are_told_from_those_that_wait(fleet: Fleet, table: Table) -> None:
    """No worker runs: what is enqueued waits, and what was never asked for is not there."""
    slowest, told = 0.0, 0
    fleet.ask("ladder", 1, id="waits")
    with fleet.client() as client:
        missing = client.retrieve_workflow("nobody")
        for ask in (
            lambda: missing.get_result(timeout=30),
            missing.get_status,
            lambda: client.get_event("nobody", "key", timeout_seconds=30),
            lambda: client.send("nobody", 1),
            missing.cancel,
            missing.resume,
            lambda: client.explain("nobody"),
            lambda: list(client.read_stream("nobody", "key")),
        ):
            began = time.monotonic()
            with pytest.raises(NoSuchWorkflow, match="nobody"):
                ask()
            slowest, told = max(slowest, time.monotonic() - began), told + 1
        waits = client.retrieve_workflow("waits").get_status().status
        stranded = EnqueueOptions(workflow_name="nowhere", queue_name="q")
        worker = fleet.launch()
        handle = client.enqueue(stranded)
        began = time.monotonic()
        fleet.until(lambda: any("'nowhere'" in line and "cannot run" in line for line in worker.log), 60)
        shown = time.monotonic() - began
        said = client.explain(handle.workflow_id).message
    table.add(
        25,
        f"{told} questions about an id that does not exist",
        goal="answered < 1 s: 'no such workflow', not 'not yet'",
        figures=f"{told} of {told} say so, the slowest after {slowest:.2f} s; one that waits is {waits}",
    )
    table.add(25, "work that nobody can run", goal="shows as such <= 60 s", figures=f"after {shown:.1f} s")
    assert waits == "ENQUEUED"
    assert slowest < 2  # on a machine that has other things to do
    assert "no worker that runs has registered its name" in said
