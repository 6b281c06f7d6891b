"""Queues from a client: registered, changed, paused, drained, counted; and what cannot be is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest

from durably import AsyncDBOSClient, EnqueueOptions, RateLimit, aio
from durably.app import App
from durably.errors import InvalidOption, NoSuchQueue, QueueOwned
from tests.engine.support import enqueue, eventually, rows, status

PENDING = "SELECT count(*) FROM dbos.workflow_status WHERE status = 'PENDING' AND queue_name = 'q'"


@pytest.fixture
async def client(database_url: str) -> AsyncIterator[AsyncDBOSClient]:
    async with AsyncDBOSClient.create(system_database_url=database_url) as client:
        yield client


def application(url: str, **limits: Any) -> App:
    app = App("queues", system_database_url=url)
    app.queue("q", **limits)

    @app.workflow(name="wait")
    async def wait() -> None:
        await aio.recv("go", timeout=None)

    @app.workflow(name="w")
    async def w() -> None:
        pass

    return app


def pending(url: str) -> int:
    return int(rows(url, PENDING)[0][0])


async def test_a_queue_is_registered_listed_and_deleted(client: AsyncDBOSClient) -> None:
    limiter = RateLimit(limit=5, period=2.0)
    made = await client.register_queue("q", concurrency=3, limiter=limiter, application_name="shop")
    assert (made.name, made.concurrency, made.limiter) == ("q", 3, limiter)
    assert (made.application_name, made.pauses) == ("shop", ())
    assert await client.list_queues() == [made] == await client.list_queues(application_name="shop")
    assert await client.list_queues(application_name="other") == []
    kept = await client.register_queue("q", concurrency=9, on_conflict="never_update")
    assert kept.concurrency == 3
    assert await client.delete_queue("q")
    assert not await client.delete_queue("q")
    assert await client.list_queues() == []


async def test_the_limits_that_are_named_change_and_the_others_stay(client: AsyncDBOSClient) -> None:
    await client.register_queue("q", concurrency=3, worker_concurrency=2, application_name="shop")
    changed = await client.update_queue("q", concurrency=None, limiter=RateLimit(limit=1, period=60))
    assert (changed.concurrency, changed.worker_concurrency) == (None, 2)
    assert changed.limiter == RateLimit(limit=1, period=60)
    assert changed.application_name == "shop"


async def test_limits_that_do_not_fit_those_that_stay_are_refused(client: AsyncDBOSClient) -> None:
    await client.register_queue("q", worker_concurrency=5)
    with pytest.raises(InvalidOption, match="worker_concurrency=5: it exceeds concurrency=2, so it would"):
        await client.update_queue("q", concurrency=2)
    assert (await client.get_queue("q")).concurrency is None


async def test_workers_follow_a_limit_that_is_raised(client: AsyncDBOSClient, database_url: str) -> None:
    for n in range(6):
        enqueue(database_url, f"w{n}", "wait")
    async with application(database_url, concurrency=1):
        await eventually(lambda: pending(database_url) == 1)
        await client.update_queue("q", concurrency=4)
        await eventually(lambda: pending(database_url) == 4, seconds=1.0)
        await client.update_queue("q", concurrency=None)
        await eventually(lambda: pending(database_url) == 6, seconds=1.0)


async def test_workers_follow_a_limit_that_is_new(client: AsyncDBOSClient, database_url: str) -> None:
    async with application(database_url):
        enqueue(database_url, "first", "w")
        await eventually(lambda: status(database_url, "first") == "SUCCESS")
        await client.update_queue("q", concurrency=2)
        for n in range(6):
            enqueue(database_url, f"w{n}", "wait")
        await eventually(lambda: pending(database_url) == 2)
        enqueue(database_url, "seen", "w", queue="_dbos_internal_queue")
        await eventually(lambda: status(database_url, "seen") == "SUCCESS")
        assert pending(database_url) == 2


async def test_a_paused_queue_rests_until_it_is_resumed(client: AsyncDBOSClient, database_url: str) -> None:
    async with application(database_url):
        paused = await client.pause_queue("q", reason="the provider is down")
        assert [(p.executor_id, p.reason) for p in paused.pauses] == [(None, "the provider is down")]
        enqueue(database_url, "w", "w")
        enqueue(database_url, "seen", "w", queue="_dbos_internal_queue")
        await eventually(lambda: status(database_url, "seen") == "SUCCESS")
        assert status(database_url, "w") == "ENQUEUED"
        assert (await client.queue_stats("q"))[0].is_paused
        assert await client.resume_queue("q")
        await eventually(lambda: status(database_url, "w") == "SUCCESS", seconds=1.0)
        assert not await client.resume_queue("q")


@pytest.mark.parametrize("limits", [{"concurrency": 5}, {"partition_concurrency": 5}])
async def test_a_queue_with_shared_limits_rests_too(
    client: AsyncDBOSClient, database_url: str, limits: dict[str, int]
) -> None:
    async with application(database_url, **limits):
        await client.pause_queue("q")
        enqueue(database_url, "w", "w", queue_partition_key="k")
        enqueue(database_url, "seen", "w", queue="_dbos_internal_queue")
        await eventually(lambda: status(database_url, "seen") == "SUCCESS")
        assert status(database_url, "w") == "ENQUEUED"
        await client.resume_queue("q")
        await eventually(lambda: status(database_url, "w") == "SUCCESS")


async def test_a_queue_is_paused_on_one_worker(client: AsyncDBOSClient, database_url: str) -> None:
    one, other = application(database_url), application(database_url)
    async with one, other:
        await client.pause_queue("q", executor_id=one.executor_id)
        for n in range(5):
            enqueue(database_url, f"w{n}", "wait")
        await eventually(lambda: pending(database_url) == 5)
        [stats] = await client.queue_stats("q")
        assert stats.running_on == {other.executor_id: 5}
        assert (stats.enqueued, stats.pending, stats.is_paused) == (0, 5, False)


async def test_draining_waits_for_what_runs(client: AsyncDBOSClient, database_url: str) -> None:
    async with application(database_url):
        enqueue(database_url, "runs", "wait")
        await eventually(lambda: pending(database_url) == 1)
        assert not await client.drain_queue("q", timeout=0.1)
        enqueue(database_url, "waits", "w")
        await client.send("runs", None, topic="go")
        assert await client.drain_queue("q", timeout=10)
        assert (status(database_url, "runs"), status(database_url, "waits")) == ("SUCCESS", "ENQUEUED")


async def test_stats_tell_what_waits(client: AsyncDBOSClient, database_url: str) -> None:
    await client.register_queue("q", limiter=RateLimit(limit=1, period=60))
    enqueue(database_url, "a", "w", created_at=17)
    enqueue(database_url, "b", "w", created_at=18)
    [stats] = await client.queue_stats()
    assert (stats.enqueued, stats.delayed, stats.pending, stats.oldest_enqueued_at) == (2, 0, 0, 17)
    assert (stats.starts_in_period, dict(stats.running_on)) == (0, {})


async def test_a_queue_that_nobody_registered_is_told(client: AsyncDBOSClient) -> None:
    for call in (
        client.get_queue("nowhere"),
        client.update_queue("nowhere", concurrency=1),
        client.pause_queue("nowhere"),
        client.resume_queue("nowhere"),
        client.drain_queue("nowhere"),
        client.queue_stats("nowhere"),
    ):
        with pytest.raises(NoSuchQueue, match=r"no queue 'nowhere' is registered: its application registers"):
            await call


async def test_what_cannot_be_registered_is_refused(client: AsyncDBOSClient) -> None:
    await client.register_queue("q", application_name="shop")
    with pytest.raises(QueueOwned, match="queue 'q' belongs to application 'shop', not to 'bank'"):
        await client.register_queue("q", concurrency=1, application_name="bank")
    with pytest.raises(InvalidOption, match="on_conflict='update_if_latest_version': it must be one of"):
        await client.register_queue("q", on_conflict="update_if_latest_version")
    with pytest.raises(InvalidOption, match="executor_id='gone': no durably worker with this id runs now"):
        await client.pause_queue("q", executor_id="gone")
    assert (await client.get_queue("q")).pauses == ()
    assert (await client.get_queue("q")).concurrency is None


async def test_work_without_a_key_is_refused_on_a_partitioned_queue(
    client: AsyncDBOSClient, database_url: str
) -> None:
    await client.register_queue("q", partition_concurrency=1)
    options: dict[str, Any] = {"workflow_name": "w", "queue_name": "q", "workflow_id": "w"}
    hint = "queue_partition_key=None: queue 'q' is partitioned, so work for it needs a key"
    with pytest.raises(InvalidOption, match=hint):
        await client.enqueue(EnqueueOptions(**options))
    assert rows(database_url, "SELECT 1 FROM dbos.workflow_status") == []
    await client.enqueue(EnqueueOptions(**options, queue_partition_key="k", priority=3, timeout=9))
    made = "SELECT queue_partition_key, priority, workflow_timeout_ms FROM dbos.workflow_status"
    assert rows(database_url, made) == [("k", 3, 9000)]


async def test_an_application_refuses_work_without_a_key_too(database_url: str) -> None:
    app = App("queues", system_database_url=database_url)
    queue = app.queue("q", partition_concurrency=1)

    @app.workflow(name="w")
    async def w() -> None: ...

    async with app:
        with pytest.raises(InvalidOption, match="queue 'q' is partitioned, so work for it needs a key"):
            await queue.enqueue(w)
    assert rows(database_url, "SELECT 1 FROM dbos.workflow_status") == []


async def test_many_are_refused_where_one_lacks_its_key(client: AsyncDBOSClient, database_url: str) -> None:
    await client.register_queue("q", partition_concurrency=1)
    await client.register_queue("plain")
    keyed: EnqueueOptions[..., Any] = EnqueueOptions(
        workflow_name="w", queue_name="q", queue_partition_key="k", max_recovery_attempts=3
    )
    keyless: EnqueueOptions[..., Any] = EnqueueOptions(
        workflow_name="w", queue_name="q", max_recovery_attempts=3
    )
    plain: EnqueueOptions[..., Any] = EnqueueOptions(workflow_name="w", queue_name="plain")
    with pytest.raises(InvalidOption, match="queue_partition_key=None: queue 'q' is partitioned"):
        await client.enqueue_many([(keyed, ()), (plain, ()), (keyless, ()), (plain, ())])
    for table in ("dbos.workflow_status", "dbos.workflow_input", "durably.workflow_limits"):
        assert rows(database_url, f"SELECT 1 FROM {table}") == []
    assert len(await client.enqueue_many([(keyed, ()), (plain, ())])) == 2


async def test_work_without_a_key_is_refused_in_the_callers_transaction(
    client: AsyncDBOSClient, database_url: str
) -> None:
    """The transaction goes on: nothing of the workflow is in it."""
    await client.register_queue("q", partition_limiter=RateLimit(limit=1, period=1))
    keyless: EnqueueOptions[..., Any] = EnqueueOptions(
        workflow_name="w", queue_name="q", max_recovery_attempts=3
    )
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        with pytest.raises(InvalidOption, match="queue_partition_key=None: queue 'q' is partitioned"):
            await client.enqueue(keyless, connection=connection)
    for table in ("dbos.workflow_status", "dbos.workflow_input", "durably.workflow_limits"):
        assert rows(database_url, f"SELECT 1 FROM {table}") == []


async def test_a_child_without_a_key_is_refused_and_that_is_its_outcome(
    client: AsyncDBOSClient, database_url: str
) -> None:
    """Of a queue that was registered from outside; recorded, for the queue may be another at a replay."""
    await client.register_queue("theirs", partition_concurrency=1)
    app = App("queues", system_database_url=database_url)

    @app.workflow(name="child")
    async def child() -> None: ...

    @app.workflow(name="parent")
    async def parent() -> str:
        try:
            await child.options(queue_name="theirs").start()
        except InvalidOption as error:
            return str(error)
        return "started"

    async with app:
        assert (await parent()).startswith("queue_partition_key=None: queue 'theirs' is partitioned")
        with pytest.raises(InvalidOption, match="queue 'theirs' is partitioned"):
            await child.options(queue_name="theirs").start()
    assert rows(database_url, "SELECT function_name, error IS NOT NULL FROM dbos.operation_outputs") == [
        ("child", True)
    ]
    assert rows(database_url, "SELECT name FROM dbos.workflow_status") == [("parent",)]
