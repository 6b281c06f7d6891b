"""Requests on a connection: rows, errors, sizes beyond a socket's buffer, connections that end meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from psycopg.pq import TransactionStatus

from durably.store.connections import Connections
from durably.store.exchange import Connection, Request
from durably.store.sql import Numbered
from tests.engine.support import eventually


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[Connection]:
    async with await Connection.connect(database_url, autocommit=True) as connection:
        yield connection


def request(text: str, **parameters: Any) -> Request:
    return Request(Numbered(text.encode(), tuple(parameters)), parameters)


async def one(connection: Connection, text: str, **parameters: Any) -> Any:
    [rows] = await connection.request([request(text, **parameters)], seconds=20)
    return rows


async def test_values_arrive_as_they_were_given(connection: Connection) -> None:
    instant = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    [row] = await one(
        connection,
        "SELECT $1::text AS word, $2::int8 AS number, $3::bool AS flag, $4::text AS nothing,"
        " $5::text[] AS words, $6::float8 AS fraction, $7::timestamptz AS instant, $8::json AS value",
        word='ü "quoted"',
        number=-(2**62),
        flag=False,
        nothing=None,
        words=["a", 'b"', "c,d"],
        fraction=0.1,
        instant=instant,
        value='{"a": [1]}',
    )
    assert row._asdict() == {
        "word": 'ü "quoted"',
        "number": -(2**62),
        "flag": False,
        "nothing": None,
        "words": ["a", 'b"', "c,d"],
        "fraction": 0.1,
        "instant": instant,
        "value": {"a": [1]},
    }


async def test_several_are_one_transaction(connection: Connection) -> None:
    await one(connection, "CREATE TEMPORARY TABLE kept (n int UNIQUE)")
    insert = "INSERT INTO kept VALUES ($1) RETURNING n"
    [[first], [second], none] = await connection.request(
        [request(insert, n=1), request(insert, n=2), request("UPDATE kept SET n = n")], seconds=20
    )
    assert (first.n, second.n, none) == (1, 2, [])
    with pytest.raises(psycopg.errors.UniqueViolation):
        await connection.request(
            [request(insert, n=3), request(insert, n=1), request(insert, n=4)], seconds=20
        )
    assert [row.n for row in await one(connection, "SELECT n FROM kept ORDER BY n")] == [1, 2]


async def test_a_refused_statement_leaves_the_connection_usable(connection: Connection) -> None:
    with pytest.raises(psycopg.errors.UndefinedTable):
        await one(connection, "SELECT * FROM no_such_table")
    with pytest.raises(psycopg.errors.DivisionByZero):
        await one(connection, "SELECT 1 / $1::int", n=0)
    with pytest.raises(psycopg.DataError):
        await one(connection, "SELECT $1::text", word="a\0b")
    assert await one(connection, "SELECT 1") == [(1,)]


async def test_what_the_socket_does_not_take_at_once_is_sent_later(connection: Connection) -> None:
    word = "x" * 30_000_000
    assert await one(connection, "SELECT length($1)", word=word) == [(len(word),)]
    [[echo]] = await connection.request([request("SELECT $1::text", word=word)], seconds=20)
    assert echo == (word,)


async def test_psycopg_uses_the_same_connection_between_requests(connection: Connection) -> None:
    async with connection.transaction():
        await connection.execute("CREATE TEMPORARY TABLE mixed (n int)")
        await one(connection, "INSERT INTO mixed VALUES ($1)", n=7)
        cursor = await connection.execute("SELECT n FROM mixed")
        assert await cursor.fetchall() == [(7,)]
    assert await one(connection, "SELECT n FROM mixed") == [(7,)]


async def test_a_silent_connection_is_given_up(connection: Connection) -> None:
    with pytest.raises(psycopg.OperationalError, match="no answer within"):
        await connection.request([request("SELECT pg_sleep(60)")], seconds=0.1)
    assert connection.closed


async def test_a_slow_answer_that_keeps_coming_is_waited_for(connection: Connection) -> None:
    slowly = "SELECT repeat('x', 100000), pg_sleep(0.06)::text FROM generate_series(1, 10)"
    assert len((await connection.request([request(slowly)], seconds=0.3))[0]) == 10


async def test_the_connection_of_a_cancelled_request_is_closed_alone(database_url: str) -> None:
    connections = Connections(lambda: Connection.connect(database_url, autocommit=True), most=2, patience=5)
    cancelled, other = await connections.take(), await connections.take()
    connections.give_back(other)
    task = asyncio.ensure_future(one(cancelled, "SELECT pg_sleep(60)"))
    await eventually(lambda: cancelled.pgconn.transaction_status == TransactionStatus.ACTIVE)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    connections.give_back(cancelled)
    assert cancelled.closed and not other.closed
    connections.close()


async def test_the_server_ends_it_during_a_request(connection: Connection, database_url: str) -> None:
    [pid] = await one(connection, "SELECT pg_backend_pid() AS pid")
    task = asyncio.ensure_future(one(connection, "SELECT pg_sleep(60)"))
    await terminate(database_url, pid.pid)
    with pytest.raises(psycopg.OperationalError):
        await task
    assert connection.closed


async def test_the_server_ends_it_while_it_lies_idle(connection: Connection, database_url: str) -> None:
    [pid] = await one(connection, "SELECT pg_backend_pid() AS pid")
    await terminate(database_url, pid.pid)
    await eventually(lambda: connection.closed)
    with pytest.raises(psycopg.OperationalError, match="closed"):
        await one(connection, "SELECT 1")


async def terminate(database_url: str, pid: int) -> None:
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as other:
        await other.execute("SELECT pg_terminate_backend(%s)", [pid])


async def test_a_statement_that_another_connection_prepared_is_sent_whole(connection: Connection) -> None:
    """As behind a pooler in transaction mode, where what was prepared is on another connection."""
    await one(connection, "SELECT 1")
    await connection.execute("DEALLOCATE ALL")
    assert await one(connection, "SELECT 1") == [(1,)]
    together = [request("SELECT 2"), request("SELECT $1::int", n=3)]
    assert await connection.request(together, seconds=5) == [[(2,)], [(3,)]]


async def test_a_name_that_is_taken_is_the_same_statement(database_url: str) -> None:
    """Another client of the pooler has prepared it on this connection of the server's."""
    async with await Connection.connect(database_url, autocommit=True) as connection:
        await one(connection, "SELECT 1")
        connection._exchange._prepared.clear()
        assert await one(connection, "SELECT 1") == [(1,)]
