"""A batch of records: what refuses one of them is not its neighbours', what stops them all is nobody's."""

from __future__ import annotations

import asyncio
import random
import string
from collections.abc import AsyncIterator, Sequence
from typing import Any

import psycopg
import pytest

from durably.concurrency.world import RealWorld
from durably.core.records import Receive, Received, Record, SetEvent, Step
from durably.errors import DatabaseError
from durably.store import batch
from durably.store.database import Database
from durably.store.failures import Contention
from durably.store.writer import Writer
from tests.engine.support import rows

WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
)


def running(url: str, workflow_id: str, owner: str) -> None:
    """A workflow that runs under an owner token."""
    rows(
        url,
        "INSERT INTO dbos.workflow_status (workflow_uuid, status, name, owner_xid) "
        "VALUES (%s, 'PENDING', 'w', %s)",
        workflow_id,
        owner,
    )


def step(workflow_id: str, owner: str, number: int = 1) -> Step:
    return Step(
        workflow_id=workflow_id,
        owner=owner,
        function_id=number,
        function_name="s",
        output="1",
        serialization="portable_json",
        started_at=1,
        completed_at=2,
    )


def receive(workflow_id: str, owner: str) -> Receive:
    return Receive(
        workflow_id=workflow_id,
        owner=owner,
        function_id=1,
        topic="t",
        give_up=True,
        none_text="null",
        none_serialization="portable_json",
        started_at=1,
        completed_at=2,
    )


@pytest.fixture
async def opened(database_url: str) -> AsyncIterator[Database]:
    store = Database(database_url)
    await store.open()
    yield store
    await store.close()


async def until(condition: Any) -> None:
    async with asyncio.timeout(15):
        while not await asyncio.to_thread(condition):
            await asyncio.sleep(0.01)


async def test_a_key_that_no_index_takes_is_refused_alone(database_url: str, opened: Database) -> None:
    """PostgreSQL says program_limit_exceeded, which is no error of the data's class."""
    for workflow_id in ("good", "bad"):
        running(database_url, workflow_id, "token")
    event = SetEvent(
        workflow_id="bad",
        owner="token",
        function_id=1,
        key="".join(random.Random(1).choices(string.printable, k=9000)),
        value="1",
        serialization="portable_json",
        started_at=1,
        completed_at=2,
    )
    replies = await batch.commit(opened, "a", [step("good", "token"), event])
    assert replies[0] is None
    assert isinstance(replies[1], psycopg.errors.ProgramLimitExceeded)
    assert rows(database_url, "SELECT workflow_uuid FROM dbos.operation_outputs") == [("good",)]


async def test_a_statement_that_the_server_ends_is_tried_again(database_url: str, opened: Database) -> None:
    """A statement_timeout of the role's, or an operator: the outcome of nobody's workflow."""
    running(database_url, "w", "token")
    ended: list[DatabaseError] = []

    async def commit(records: Sequence[Record]) -> list[Any]:
        try:
            return await batch.commit(opened, "a", records)
        except DatabaseError as error:
            ended.append(error)
            raise

    writer = Writer(commit, RealWorld())
    writer.start()
    with psycopg.connect(database_url) as other:
        other.execute("SELECT FROM dbos.workflow_status FOR UPDATE")
        ticket = writer.submit(step("w", "token"))
        await until(lambda: rows(database_url, WAITING) == [(1,)])
        rows(
            database_url,
            "SELECT pg_cancel_backend(pid) FROM pg_stat_activity "
            "WHERE wait_event_type = 'Lock' AND datname = current_database()",
        )
        await until(lambda: ended)
        other.rollback()
    assert await ticket is None
    await writer.stop()
    assert rows(database_url, "SELECT output FROM dbos.operation_outputs") == [("1",)]


async def test_a_receive_beside_its_own_unanswered_attempt_is_answered_from_the_record(
    database_url: str, opened: Database
) -> None:
    """The first attempt was given up by us and not by the server: both wait for one row, both are let go."""
    running(database_url, "w", "token")
    rows(
        database_url,
        "INSERT INTO dbos.notifications (destination_uuid, topic, message, serialization) "
        "VALUES ('w', 't', '7', 'portable_json')",
    )
    with psycopg.connect(database_url) as other:
        other.execute("SELECT FROM dbos.workflow_status FOR UPDATE")
        first = asyncio.ensure_future(batch.commit(opened, "a", [receive("w", "token")]))
        await until(lambda: rows(database_url, WAITING) == [(1,)])
        second = asyncio.ensure_future(batch.commit(opened, "a", [receive("w", "token")]))
        await until(lambda: rows(database_url, WAITING) == [(2,)])
        other.rollback()
    answers = await asyncio.gather(first, second, return_exceptions=True)
    replies = [answer if isinstance(answer, BaseException) else answer[0] for answer in answers]
    assert {type(reply) for reply in replies} == {Received, Contention}
    again = await batch.commit(opened, "a", [receive("w", "token")])
    assert again[0].message == "7"
