"""What an executor runs and what the database thinks it runs are compared in pages, among however many."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from durably.concurrency.world import RealWorld
from durably.core.ports import ExecutorIdentity
from durably.engine.comparison import PAGE, PAGES, Comparison
from durably.store.database import Database
from durably.store.postgres import PostgresStore
from tests.engine.support import rows

PARKED = 2 * PAGE * PAGES + 1  # what takes three looks
FILL = f"""
    INSERT INTO dbos.workflow_status (
        workflow_uuid, name, status, queue_name, executor_id, owner_xid, created_at)
    SELECT 'parked-' || n, 'w', 'PENDING', 'q', 'me', 'token', n / 3 FROM generate_series(1, {PARKED}) n
"""
ME = ExecutorIdentity(
    executor_id="me",
    application_name="a",
    app_version="v",
    host="h",
    pid=1,
    process_start="p",
    lease_seconds=15.0,
)


class Claims:
    """What is under way."""

    def __init__(self) -> None:
        self.in_flight: set[str] = set()
        self.unanswered: set[str] = set()


class Executor:
    """What one of those parked runs: all of them."""

    def __init__(self, store: PostgresStore) -> None:
        self.runs = {(f"parked-{n}", "token") for n in range(1, PARKED + 1)}
        self.claims = Claims()
        self.comparison = Comparison(
            store=store, identity=lambda: ME, running=lambda: self.runs, claims=self.claims
        )

    async def looks(self, count: int) -> tuple[set[str], set[str]]:
        """The ids of what some looks would interrupt, and release."""
        foreign: set[str] = set()
        strays: set[str] = set()
        for _ in range(count):
            ours, theirs = await self.comparison.look()
            self.runs -= set(ours)
            foreign |= {workflow_id for workflow_id, _ in ours}
            strays |= {workflow_id for workflow_id, _ in theirs}
        return foreign, strays


@pytest.fixture
async def executor(database_url: str) -> AsyncIterator[Executor]:
    rows(database_url, FILL)
    database = Database(database_url, max_size=1)
    await database.open()
    yield Executor(PostgresStore(database, "a", RealWorld()))
    await database.close()


async def test_nothing_differs_where_all_is_as_the_database_has_it(executor: Executor) -> None:
    assert await executor.looks(6) == (set(), set())


async def test_a_stolen_and_a_cancelled_run_are_found_among_many(
    executor: Executor, database_url: str
) -> None:
    rows(
        database_url,
        "UPDATE dbos.workflow_status SET owner_xid = 'x', executor_id = 'x' WHERE workflow_uuid = 'parked-7'",
    )
    rows(
        database_url,
        "UPDATE dbos.workflow_status SET status = 'CANCELLED' WHERE workflow_uuid = 'parked-9000'",
    )
    assert (await executor.looks(1))[0] == set()  # it may be on its way
    assert await executor.looks(3) == ({"parked-7", "parked-9000"}, set())


async def test_what_does_not_run_is_found_among_many_and_at_once_if_the_answer_was_lost(
    executor: Executor, database_url: str
) -> None:
    executor.runs -= {("parked-5", "token"), ("parked-20001", "token")}
    rows(database_url, "UPDATE dbos.workflow_status SET owner_xid = 'y' WHERE workflow_uuid = 'parked-20000'")
    executor.runs -= {("parked-20000", "token")}
    executor.claims.unanswered.add("y")
    assert await executor.looks(1) == (set(), {"parked-20000"})
    rows(database_url, "DELETE FROM dbos.workflow_status WHERE workflow_uuid = 'parked-20000'")
    assert await executor.looks(1) == (set(), {"parked-5", "parked-20001"})


async def test_what_a_claim_under_way_has_taken_is_left(executor: Executor) -> None:
    executor.runs.clear()
    executor.claims.in_flight.add("token")
    assert await executor.looks(4) == (set(), set())
