"""What queues hold and do: counted up to a cap, sampled by the minute, on any DBOS system database."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest

from durably import AsyncDBOSClient, RateLimit
from durably.errors import DatabaseError
from tests.engine.support import rows

FILL = (
    "INSERT INTO dbos.workflow_status (workflow_uuid, status, name, queue_name, executor_id, priority, "
    "created_at, queue_partition_key) SELECT %s || n, %s, 'w', %s, %s, n %% 3, 1000 + n, %s "
    "FROM generate_series(1, %s) n"
)
STARTED = (
    "INSERT INTO dbos.workflow_status (workflow_uuid, status, name, queue_name, started_at_epoch_ms, "
    "completed_at) SELECT %s || n, 'SUCCESS', 'w', %s, %s::bigint + n * %s, %s::bigint + n * %s "
    "FROM generate_series(0, %s) n"
)


@pytest.fixture
async def client(database_url: str) -> AsyncIterator[AsyncDBOSClient]:
    async with AsyncDBOSClient.create(system_database_url=database_url) as client:
        yield client


async def test_a_queue_shows_what_it_holds(client: AsyncDBOSClient, database_url: str) -> None:
    await client.register_queue("q", concurrency=5)
    rows(database_url, FILL, "e", "ENQUEUED", "q", None, None, 7)
    rows(database_url, FILL, "p", "PENDING", "q", "one", None, 2)
    rows(database_url, FILL, "r", "PENDING", "q", "other", None, 1)
    (queue,) = await client.queue_activity()
    assert (queue.name, queue.is_registered, queue.enqueued, queue.delayed) == ("q", True, 7, 0)
    assert queue.running_on == {"one": 2, "other": 1}
    assert queue.running == 3
    assert queue.oldest_enqueued_at == 1001  # not the first in line: that is 1003, of the highest priority
    assert queue.starts_in_period is None


async def test_counts_end_at_their_cap(client: AsyncDBOSClient, database_url: str) -> None:
    await client.register_queue("q")
    rows(database_url, FILL, "e", "ENQUEUED", "q", None, None, 50)
    (queue,) = await client.queue_activity("q", count_to=20)
    assert (queue.enqueued, queue.counted_to) == (20, 20)


async def test_a_queue_that_nobody_registered_shows_while_it_holds_work(
    client: AsyncDBOSClient, database_url: str
) -> None:
    await client.register_queue("known")
    rows(database_url, FILL, "e", "ENQUEUED", "lost", None, None, 3)
    rows(database_url, FILL, "x", "SUCCESS", "over", None, None, 3)
    found = await client.queue_activity()
    assert [(q.name, q.is_registered, q.enqueued) for q in found] == [("known", True, 0), ("lost", False, 3)]
    (lost,) = await client.queue_activity("lost")
    assert (lost.is_registered, lost.enqueued) == (False, 3)
    (nothing,) = await client.queue_activity("nowhere")
    assert (nothing.is_registered, nothing.enqueued) == (False, 0)


async def test_starts_and_ends_are_counted_by_the_minute(client: AsyncDBOSClient, database_url: str) -> None:
    await client.register_queue("q")
    minute = int(time.time()) // 60 * 60_000
    rows(database_url, STARTED, "a", "q", minute - 120_000, 1, minute - 60_000, 1, 9)
    rows(database_url, STARTED, "b", "other", minute - 120_000, 1, minute - 60_000, 1, 4)
    (queue,) = await client.queue_activity("q")
    assert len(queue.starts) == len(queue.finishes) == 60
    assert (sum(queue.starts), sum(queue.finishes)) == (10, 10)
    assert queue.starts.index(10) + 1 == queue.finishes.index(10)
    assert not queue.is_estimate


async def test_a_busy_minute_is_estimated_from_its_beginning(
    client: AsyncDBOSClient, database_url: str
) -> None:
    await client.register_queue("q")
    minute = int(time.time()) // 60 * 60_000 - 300_000
    rows(database_url, STARTED, "a", "q", minute, 20, minute, 20, 2_999)  # 3,000 starts, one in 20 ms
    (queue,) = await client.queue_activity("q")
    assert queue.is_estimate
    assert sum(queue.starts) == pytest.approx(3_000, rel=0.02)


async def test_starts_under_a_rate_limit_are_those_of_our_table(
    client: AsyncDBOSClient, database_url: str
) -> None:
    await client.register_queue("q", limiter=RateLimit(limit=5, period=3600))
    now = int(time.time() * 1000)
    rows(database_url, "INSERT INTO durably.queue_starts VALUES ('q', %s, 'w1'), ('q', %s, 'w2')", now, now)
    assert (await client.queue_activity("q"))[0].starts_in_period == 2
    assert (await client.queue_stats("q"))[0].starts_in_period == 2


async def test_the_fullest_partitions_come_first(client: AsyncDBOSClient, database_url: str) -> None:
    for key, many in (("a", 2), ("b", 9), ("c", 4)):
        rows(database_url, FILL, key, "ENQUEUED", "q", None, key, many)
    rows(database_url, FILL, "run", "PENDING", "q", "one", "c", 3)
    found = await client.list_backlogs("q", limit=2, count_to=5)
    assert [(b.key, b.enqueued, b.running) for b in found] == [("b", 5, 0), ("c", 4, 3)]
    assert found[0].next_enqueued_at == 1003
    assert await client.list_backlogs("other") == []


async def test_the_polling_interval_changes_with_the_limits(client: AsyncDBOSClient) -> None:
    await client.register_queue("q", concurrency=3)
    changed = await client.update_queue("q", polling_interval_sec=0.5)
    assert (changed.concurrency, changed.polling_interval_sec) == (3, 0.5)


async def test_queues_are_read_and_changed_without_tables_of_durably(database_url: str) -> None:
    rows(database_url, "DROP SCHEMA durably CASCADE")
    rows(database_url, FILL, "e", "ENQUEUED", "q", None, None, 7)
    async with AsyncDBOSClient.create(system_database_url=database_url) as client:
        await client.register_queue("q", limiter=RateLimit(limit=5, period=60))
        assert (await client.update_queue("q", concurrency=2)).concurrency == 2
        assert [queue.pauses for queue in await client.list_queues()] == [()]
        assert [(stats.enqueued, stats.is_paused) for stats in await client.queue_stats()] == [(7, False)]
        assert [(q.enqueued, q.starts_in_period) for q in await client.queue_activity()] == [(7, 0)]
        with pytest.raises(DatabaseError, match="durably db migrate"):
            await client.pause_queue("q")
