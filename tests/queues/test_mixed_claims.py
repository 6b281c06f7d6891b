"""A limit holds when a DBOS executor's claim is under way while ours counts, step by step."""

from __future__ import annotations

from collections.abc import AsyncIterator

import psycopg
import pytest

from durably.concurrency.world import RealWorld
from durably.core.ports import Claim
from durably.store.database import Database
from durably.store.postgres import PostgresStore
from tests.engine.support import rows

ROW = (
    "INSERT INTO dbos.workflow_status (workflow_uuid, name, status, queue_name, queue_partition_key,"
    " created_at, serialization) VALUES ('{}', 'w', 'ENQUEUED', 'q', 'k', {}, '{}')"
)
# As DBOS's executors claim: counted in the snapshot of a REPEATABLE READ, the rows locked NOWAIT.
COUNT = "SELECT count(*) FROM dbos.workflow_status WHERE queue_name = 'q' AND status = 'PENDING'"
LOCK = "SELECT FROM dbos.workflow_status WHERE workflow_uuid = '{}' AND status = 'ENQUEUED' FOR UPDATE NOWAIT"
TAKE = (
    "UPDATE dbos.workflow_status SET status = 'PENDING', executor_id = 'peer', owner_xid = 'theirs',"
    " rate_limited = true, started_at_epoch_ms = (EXTRACT(epoch FROM now()) * 1000)::bigint"
    " WHERE workflow_uuid = '{}'"
)
LIMITS = (
    "concurrency = 1",
    "rate_limit_max = 1, rate_limit_period_sec = 600",
    "partition_concurrency = 1",
    "partition_rate_limit_max = 1, partition_rate_limit_period_sec = 600",
)


def ours(limits: str, owner: str = "ours") -> Claim:
    return Claim(
        queue_name="q",
        executor_id="us",
        application_name="a",
        app_version="v",
        owner=owner,
        most=5,
        runnable=["w\x1f\x1f"],
        formats=["portable_json"],
        limited=True,
        keys=["k"] if limits.startswith("partition") else (),
    )


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[PostgresStore]:
    database = Database(database_url, max_size=1)
    await database.open()
    yield PostgresStore(database, "a", RealWorld())
    await database.close()


def begin(peer: psycopg.Connection[tuple[int]], workflow_id: str, *, take: bool) -> None:
    peer.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    assert peer.execute(COUNT.encode()).fetchone() == (0,)
    peer.execute(LOCK.format(workflow_id).encode())
    if take:
        peer.execute(TAKE.format(workflow_id).encode())


@pytest.mark.parametrize("take", [False, True], ids=["locked", "taken"])
@pytest.mark.parametrize("limits", LIMITS)
async def test_a_peers_claim_under_way_of_what_we_cannot_run_counts(
    database_url: str, store: PostgresStore, limits: str, *, take: bool
) -> None:
    """What we would choose is another row, so that no lock of ours meets its."""
    rows(database_url, f"INSERT INTO dbos.queues (name) VALUES ('q'); UPDATE dbos.queues SET {limits}")
    rows(database_url, ROW.format("pickled", 1, "py_pickle"))
    rows(database_url, ROW.format("plain", 2, "portable_json"))
    with psycopg.connect(database_url) as peer:
        begin(peer, "pickled", take=take)
        assert await store.claim(ours(limits)) == []
        if not take:
            peer.execute(TAKE.format("pickled").encode())
    assert await store.claim(ours(limits)) == []
    assert rows(database_url, COUNT) == [(1,)]


@pytest.mark.parametrize("limits", LIMITS)
async def test_a_peers_claim_that_comes_to_nothing_does_not_count(
    database_url: str, store: PostgresStore, limits: str
) -> None:
    rows(database_url, f"INSERT INTO dbos.queues (name) VALUES ('q'); UPDATE dbos.queues SET {limits}")
    rows(database_url, ROW.format("pickled", 1, "py_pickle"))
    rows(database_url, ROW.format("plain", 2, "portable_json"))
    with psycopg.connect(database_url) as peer:
        begin(peer, "pickled", take=True)
        peer.rollback()
    assert [claimed.workflow_id for claimed in await store.claim(ours(limits))] == ["plain"]


@pytest.mark.parametrize("limits", LIMITS)
async def test_a_peers_claim_under_way_of_what_we_would_choose_is_left(
    database_url: str, store: PostgresStore, limits: str
) -> None:
    rows(database_url, f"INSERT INTO dbos.queues (name) VALUES ('q'); UPDATE dbos.queues SET {limits}")
    rows(database_url, ROW.format("plain", 1, "portable_json"))
    rows(database_url, ROW.format("next", 2, "portable_json"))
    with psycopg.connect(database_url) as peer:
        begin(peer, "plain", take=True)
        assert await store.claim(ours(limits)) == []
    assert await store.claim(ours(limits)) == []
    assert rows(database_url, COUNT) == [(1,)]
