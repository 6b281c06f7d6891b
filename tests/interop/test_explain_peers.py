"""What workflows of a real DBOS application wait for is told from rows, with durably's tables or without."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest

from durably import DBOSClient
from durably.store.database import Database
from durably.store.migrate import migrate
from durably.types import Explanation
from tests.interop import harness
from tests.interop.application_suite import interop
from tests.interop.conftest import Place

HOUR = 3600


@pytest.fixture(scope="module")
def peer(place: Place, start: Callable[[Callable[[], harness.Process]], harness.Process]) -> harness.Process:
    return start(lambda: harness.python_app(place.system_url, APP_NAME="tickets-py", EXECUTOR_ID="peer-1"))


@pytest.fixture(params=["DBOS's tables", "durably's too"])
def client(request: pytest.FixtureRequest, place: Place, peer: harness.Process) -> Iterator[DBOSClient]:
    if request.param == "durably's too":
        asyncio.run(migrated(place.system_url))
    with DBOSClient.create(system_database_url=place.system_url) as opened:
        yield opened


async def migrated(url: str) -> None:
    async with Database(url).dedicated() as connection:
        await migrate(connection, "dbos")


def explained(client: DBOSClient, workflow_id: str, reason: str, word: str = "") -> Explanation:
    """Its explanation, once it has that reason."""
    end = time.monotonic() + 30
    while (found := client.explain(workflow_id)).reason != reason or word not in found.message:
        assert time.monotonic() < end, found
    return found


def test_a_sleep_tells_its_recorded_instant(client: DBOSClient) -> None:
    sleeping = client.enqueue(interop("sleepy"), HOUR * 1000).workflow_id
    found = explained(client, sleeping, "timer")
    assert found.message.startswith("it waits until 20")
    client.cancel_workflow(sleeping)
    assert client.explain(sleeping).reason == "cancelled"


def test_a_wait_for_a_message_tells_until_when_and_what_lies_unread(client: DBOSClient) -> None:
    waiting = client.enqueue(interop("collect"), "approval", 2, HOUR).workflow_id
    client.send(waiting, "yes", "approval")
    client.send(waiting, "no", "other")
    found = explained(client, waiting, "message_or_event", "by topic: 'other'")  # the first is received
    assert "waits for a message or an event until 20" in found.message
    assert "it has no lease" in found.message
    client.cancel_workflow(waiting)


def test_a_queue_that_is_full_a_delay_and_a_dead_letter_are_told(client: DBOSClient, place: Place) -> None:
    queue = f"narrow{time.monotonic_ns()}"
    client.register_queue(queue, concurrency=1)
    with psycopg.connect(place.system_url, autocommit=True) as connection:
        for n, status in enumerate(("PENDING", "ENQUEUED", "DELAYED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")):
            connection.execute(
                "INSERT INTO dbos.workflow_status (workflow_uuid, name, status, queue_name, created_at,"
                " executor_id, application_version, delay_until_epoch_ms, recovery_attempts)"
                " VALUES (%s, 'w', %s, %s, %s, 'gone', 'none', 4000000000000, 51)",
                (f"{queue}-{status}", status, queue, n),
            )
    full, *_ = told = [
        client.explain(f"{queue}-{status}")
        for status in ("ENQUEUED", "DELAYED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")
    ]
    assert [each.reason for each in told][1:] == ["delayed", "dead_letter"]
    assert "after 51 attempts" in told[2].message
    if full.reason != "no_worker":  # which durably's tables know, and which comes first
        assert full.message == f"queue {queue!r} runs 1 of at most 1: {queue}-PENDING"
        with psycopg.connect(place.system_url, autocommit=True) as connection:
            connection.execute(
                "DELETE FROM dbos.workflow_status WHERE executor_id = 'gone' AND status = 'PENDING'"
            )
        ready = client.explain(f"{queue}-ENQUEUED")
        assert ready.reason == "ready"
        assert "a worker of version 'none' takes it. Whether one runs is not recorded" in ready.message
