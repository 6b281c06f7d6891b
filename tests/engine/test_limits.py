"""Limits that executors share: rates, partitions, both together; turns of partitions; chosen queues."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import psycopg
import pytest

from durably import RateLimit, aio
from durably.app import App
from durably.concurrency.world import RealWorld
from durably.core.ports import Claim
from durably.errors import ConfigurationError, InvalidOption, QueueOwned
from durably.store.database import Database
from durably.store.postgres import PostgresStore
from tests.engine.support import enqueue, eventually, rows, status

STARTS = "SELECT started_at_epoch_ms FROM dbos.workflow_status WHERE status = 'SUCCESS' ORDER BY 1"


class Worker:
    """One executor with one queue, and a workflow that notes what is pending when it runs."""

    def __init__(self, url: str, *, listen_queues: list[str] | None = None, **limits: Any) -> None:
        self.app = App("limits", system_database_url=url, listen_queues=listen_queues)
        self.queue = self.app.queue("q", **limits)
        self.order: list[str] = []
        self.seen: list[dict[str, int]] = []

        @self.app.step(name="look")
        async def look() -> None:
            self.seen.append(dict(pending(url)))

        @self.app.workflow(name="note")
        async def note() -> None:
            self.order.append(aio.workflow_id())
            await look()

        @self.app.workflow(name="wait")
        async def wait() -> None:
            await aio.recv("go", timeout=None)


def pending(url: str) -> Iterator[tuple[str, int]]:
    yield from rows(
        url,
        "SELECT queue_partition_key, count(*) FROM dbos.workflow_status"
        " WHERE status = 'PENDING' AND queue_name = 'q' GROUP BY 1",
    )


def ended(url: str, many: int) -> Callable[[], bool]:
    query = "SELECT count(*) FROM dbos.workflow_status WHERE status = 'SUCCESS'"
    return lambda: rows(url, query)[0][0] == many


def fill(url: str, many: int, name: str, key: str, *, prefix: str = "") -> None:
    """Enqueue many at once, as a foreign client would."""
    with psycopg.connect(url) as connection:
        connection.execute(
            "WITH made AS (INSERT INTO dbos.workflow_status"
            " (workflow_uuid, name, queue_name, status, serialization, queue_partition_key)"
            " SELECT %s || n, %s, 'q', 'ENQUEUED', 'portable_json', %s FROM generate_series(1, %s) n"
            " RETURNING workflow_uuid)"
            """ INSERT INTO dbos.workflow_input SELECT workflow_uuid, '{"positionalArgs":[]}' FROM made""",
            (prefix or f"{key}-", name, key, many),
        )
        connection.execute("SELECT pg_notify('durably', 'q::q')")


async def test_a_rate_limit_holds_in_every_window_and_is_used(database_url: str) -> None:
    limit, period, many = 5, 0.5, 25
    for n in range(many):
        enqueue(database_url, f"w{n:02}", "note")
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(3):
            worker = Worker(database_url, limiter=RateLimit(limit=limit, period=period))
            await stack.enter_async_context(worker.app)
        await eventually(ended(database_url, many), seconds=15)
    starts = [row[0] for row in rows(database_url, STARTS)]
    for first, beyond in zip(starts, starts[limit:], strict=False):
        assert beyond - first >= period * 1000, starts
    # that 95 % are used is shown in tests/queues/test_rate.py, over longer windows
    assert starts[-1] - starts[0] < 2 * period * 1000 * (many / limit - 1), starts


async def test_a_start_counts_against_the_rate_when_its_workflow_is_cancelled(database_url: str) -> None:
    """DBOS forgets it, and starts another at once."""
    worker = Worker(database_url, limiter=RateLimit(limit=1, period=1.5))
    async with worker.app:
        enqueue(database_url, "first", "wait")
        await eventually(lambda: status(database_url, "first") == "PENDING")
        [[began]] = rows(database_url, "SELECT started_at_epoch_ms FROM dbos.workflow_status")
        await worker.app.client.cancel_workflow("first")
        enqueue(database_url, "second", "note")
        await eventually(lambda: status(database_url, "second") == "SUCCESS")
    [[again]] = rows(database_url, STARTS)
    assert again - began >= 1500


async def test_every_partition_has_its_own_limit(database_url: str) -> None:
    for key in "abc":
        fill(database_url, 8, "note", key)
    async with contextlib.AsyncExitStack() as stack:
        workers = [Worker(database_url, partition_concurrency=2) for _ in range(2)]
        for worker in workers:
            await stack.enter_async_context(worker.app)
        await eventually(ended(database_url, 24))
    seen = [look for worker in workers for look in worker.seen]
    assert len(seen) == 24
    assert max(max(look.values()) for look in seen) <= 2
    assert max(sum(look.values()) for look in seen) > 2, "partitions do not wait for each other"


async def test_a_partitioned_queue_keeps_the_limits_of_the_queue(database_url: str) -> None:
    for key in "abcd":
        fill(database_url, 5, "note", key)
    worker = Worker(database_url, concurrency=3, partition_concurrency=2)
    async with worker.app:
        await eventually(ended(database_url, 20))
    assert max(sum(look.values()) for look in worker.seen) <= 3


async def test_a_partition_has_a_rate_of_its_own(database_url: str) -> None:
    for key in "ab":
        fill(database_url, 3, "note", key)
    async with Worker(database_url, partition_limiter=RateLimit(limit=1, period=0.4)).app:
        await eventually(ended(database_url, 6))
    for key in "ab":
        starts = [
            row[0]
            for row in rows(
                database_url,
                "SELECT started_at_epoch_ms FROM dbos.workflow_status WHERE queue_partition_key = %s"
                " ORDER BY 1",
                key,
            )
        ]
        assert all(later - earlier >= 400 for earlier, later in pairwise(starts)), starts


async def test_an_executor_keeps_to_its_own_limit_in_a_partition(database_url: str) -> None:
    fill(database_url, 3, "wait", "a")
    async with Worker(database_url, partition_worker_concurrency=1).app:
        await eventually(lambda: dict(pending(database_url)) == {"a": 1})
        async with Worker(database_url, partition_worker_concurrency=1).app:
            await eventually(lambda: dict(pending(database_url)) == {"a": 2})


async def test_partitions_are_served_in_turn(database_url: str) -> None:
    """With one place for all of them none is served again before the others were."""
    for key in "abc":
        fill(database_url, 4, "note", key)
    worker = Worker(database_url, concurrency=1, partition_concurrency=1)
    async with worker.app:
        await eventually(ended(database_url, 12))
    turns = [workflow_id[0] for workflow_id in worker.order]
    assert turns == list("abc" * 4)


async def test_a_backlog_of_one_tenant_does_not_delay_another(database_url: str) -> None:
    worker = Worker(database_url, concurrency=2, partition_concurrency=2)
    fill(database_url, 100_000, "note", "busy")
    async with worker.app:
        await eventually(lambda: len(worker.order) > 20)
        fill(database_url, 1, "note", "new")
        before = len(worker.order)
        await eventually(lambda: "new-1" in worker.order)
    assert worker.order.index("new-1") - before < 40


async def test_work_without_a_key_waits_on_a_partitioned_queue(database_url: str) -> None:
    enqueue(database_url, "keyless", "note")
    fill(database_url, 1, "note", "a")
    async with Worker(database_url, partition_concurrency=1).app:
        await eventually(lambda: status(database_url, "a-1") == "SUCCESS")
    assert status(database_url, "keyless") == "ENQUEUED"


async def test_a_process_listens_to_chosen_queues(database_url: str) -> None:
    enqueue(database_url, "other", "note")
    worker = Worker(database_url, listen_queues=["mine"])
    worker.app.queue("mine")
    async with worker.app:
        enqueue(database_url, "ours", "note", queue="mine")
        await eventually(lambda: status(database_url, "ours") == "SUCCESS")
        assert status(database_url, "other") == "ENQUEUED"
        async with Worker(database_url).app:
            await eventually(lambda: status(database_url, "other") == "SUCCESS")


async def test_a_queue_of_another_application_is_left_as_it_is(database_url: str) -> None:
    theirs = App("theirs", system_database_url=database_url)
    theirs.queue("q", concurrency=3)
    async with theirs:
        pass
    with pytest.raises(QueueOwned, match=r"queue 'q' belongs to application 'theirs', not to 'limits'"):
        await Worker(database_url, concurrency=1).app.__aenter__()
    assert rows(database_url, "SELECT concurrency, application_name FROM dbos.queues") == [(3, "theirs")]


async def test_an_older_version_leaves_the_limits_alone(database_url: str) -> None:
    async with App("limits", system_database_url=database_url, version="1"):
        pass
    new = App("limits", system_database_url=database_url, version="2")
    new.queue("q", concurrency=7)
    async with new:
        pass
    old = App("limits", system_database_url=database_url, version="1")
    old.queue("q", concurrency=1)
    async with old:
        pass
    assert rows(database_url, "SELECT concurrency FROM dbos.queues") == [(7,)]


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"concurrency": 0}, "concurrency=0: it must be between 1 and"),
        ({"concurrency": 1.5}, "concurrency=1.5: it must be a whole number"),
        (
            {"concurrency": 1, "worker_concurrency": 2},
            "worker_concurrency=2: it exceeds concurrency=1, so it would never be met",
        ),
        ({"concurrency": 1, "partition_concurrency": 2}, "partition_concurrency=2: it exceeds concurrency=1"),
        (
            {"worker_concurrency": 1, "partition_worker_concurrency": 2},
            "partition_worker_concurrency=2: it exceeds worker_concurrency=1",
        ),
        ({"limiter": 5}, "limiter=5: pass RateLimit"),
        ({"limiter": RateLimit(limit=0, period=1)}, "limiter.limit=0: it must be between 1 and"),
        ({"partition_limiter": RateLimit(limit=1, period=0)}, "partition_limiter.period=0: it must be more"),
        ({"on_conflict": "sometimes"}, "on_conflict='sometimes': it must be one of"),
    ],
)
def test_limits_that_cannot_work_are_refused(limits: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidOption, match="^" + message.replace("(", r"\(").replace(".", r"\.")):
        App("limits").queue("q", **limits)


def test_dboss_own_queues_cannot_be_declared() -> None:
    with pytest.raises(ConfigurationError, match="names that begin with _dbos_ are DBOS's own"):
        App("limits").queue("_dbos_internal_queue")


async def test_a_claim_counts_what_began_while_it_waited_for_the_lock(database_url: str) -> None:
    rows(database_url, "INSERT INTO dbos.queues (name, concurrency) VALUES ('q', 1)")
    for name in "ab":
        enqueue(database_url, name, "w")
    database = Database(database_url)
    claim = Claim(
        queue_name="q",
        executor_id="e",
        application_name="limits",
        app_version="1",
        owner="token",
        most=5,
        runnable=["w\x1f\x1f"],
        formats=["portable_json"],
        limited=True,
    )
    with psycopg.connect(database_url) as other:
        other.execute("SELECT FROM dbos.queues WHERE name = 'q' FOR UPDATE")
        asked = asyncio.ensure_future(PostgresStore(database, "limits", RealWorld()).claim(claim))
        waiting = "SELECT 1 FROM pg_locks WHERE NOT granted"
        await eventually(lambda: asked.done() or rows(database_url, waiting))
        other.execute("UPDATE dbos.workflow_status SET status = 'PENDING' WHERE workflow_uuid = 'a'")
    assert await asked == []
    await database.close()
