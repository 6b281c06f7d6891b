"""What the tests of the engine share: looking into the database, waiting for something to become true."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any, TypeVar

import psycopg
import pytest

from durably.store import database
from durably.store.sql import Schemas, number, statement

__all__ = [
    "Statements",
    "enqueue",
    "eventually",
    "is_interrupted",
    "mutate",
    "rows",
    "run_of",
    "status",
    "waits",
]

T = TypeVar("T")


def rows(url: str, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """What another connection sees; for statements without rows, nothing."""
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(query.encode(), parameters)
        return cursor.fetchall() if cursor.description else []


def status(url: str, workflow_id: str) -> str | None:
    """A workflow's status."""
    found = rows(url, "SELECT status FROM dbos.workflow_status WHERE workflow_uuid = %s", workflow_id)
    return str(found[0][0]) if found else None


async def eventually(check: Callable[[], T], *, seconds: float = 15.0) -> T:
    """Ask again until the answer is true; it, or a failure when the time is over."""
    end = time.monotonic() + seconds
    while not (answer := check()):
        assert time.monotonic() < end, f"not within {seconds} s"
        await asyncio.sleep(0.02)
    return answer


def run_of(app: Any, workflow_id: str) -> Any:
    """The run of a workflow in this process, None where there is none."""
    return app._engine_running().executor.running.get(workflow_id)


def waits(app: Any, workflow_id: str) -> bool:
    """Whether a workflow has come to a wait: for a message, a timer, a child."""
    run = run_of(app, workflow_id)
    return run is not None and run.parked > 0


def is_interrupted(app: Any, workflow_id: str) -> bool:
    """Whether its run has heard that it is cancelled."""
    run = run_of(app, workflow_id)
    return run is not None and run.interruption is not None


def enqueue(
    url: str,
    workflow_id: str,
    name: str,
    *args: Any,
    queue: str = "q",
    inputs: str | None = "",
    serialization: str = "portable_json",
    **columns: Any,
) -> None:
    """Enqueue as a foreign client would: by SQL. `inputs=None` leaves the input's row out."""
    columns |= {"workflow_uuid": workflow_id, "name": name, "queue_name": queue, "status": "ENQUEUED"}
    columns["serialization"] = serialization
    names, marks = ", ".join(columns), ", ".join(["%s"] * len(columns))
    with psycopg.connect(url) as connection:  # one transaction: a workflow without its input would fail
        insert = f"INSERT INTO dbos.workflow_status ({names}) VALUES ({marks})"
        connection.execute(insert.encode(), list(columns.values()))
        if inputs is not None:
            text = inputs or json.dumps({"positionalArgs": list(args), "namedArgs": {}})
            connection.execute("INSERT INTO dbos.workflow_input VALUES (%s, %s)", (workflow_id, text))
        connection.execute("SELECT pg_notify('durably', 'q::' || %s)", (queue,))


def mutate(monkeypatch: pytest.MonkeyPatch, name: str, old: str, new: str) -> None:
    """Break a statement on purpose, for the rest of a test."""

    def mutated(asked: str, schemas: Schemas) -> bytes:
        text = statement(asked, schemas)
        if asked != name:
            return text
        assert old.encode() in text, f"{name} has changed: {old!r} is not in it any more"
        return text.replace(old.encode(), new.encode())

    monkeypatch.setattr(database, "numbered", lambda asked, schemas: number(mutated(asked, schemas)))


class Statements:
    """Counts the round trips of every Database of this process, by statement."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.trips: list[tuple[str, ...]] = []
        several = database.Database.transaction

        async def counted_transaction(self_: Any, calls: Any, *args: Any, **options: Any) -> Any:
            self.trips.append(tuple(name for name, _ in calls))
            return await several(self_, calls, *args, **options)

        monkeypatch.setattr(database.Database, "transaction", counted_transaction)

    def with_(self, name: str) -> int:
        """How many round trips had this statement, for a batch or for one, in them."""
        return sum(any(statement.startswith(name) for statement in trip) for trip in self.trips)
