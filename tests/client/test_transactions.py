"""Enqueue and send inside a transaction of the caller's, with every driver that the client knows."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any

import asyncpg
import psycopg
import pytest
import sqlalchemy
from psycopg.rows import dict_row
from sqlalchemy import orm
from sqlalchemy.ext import asyncio as sqlalchemy_asyncio

from durably import AsyncDBOSClient, DBOSClient, EnqueueOptions, errors
from tests.client.conftest import NewId, Rows


def options(**fields: Any) -> EnqueueOptions:
    return EnqueueOptions(**{"workflow_name": "w", "queue_name": "q", **fields})


class Undone(Exception):
    pass


def alchemy_url(url: str, driver: str) -> str:
    parts = psycopg.conninfo.conninfo_to_dict(url)
    query = {"host": str(parts["host"])} if str(parts.get("host", "")).startswith("/") else {}
    made = sqlalchemy.URL.create(
        f"postgresql+{driver}",
        username=str(parts["user"]),
        host=None if query else str(parts["host"]),
        port=int(str(parts["port"])) if not query or driver == "psycopg" else None,
        database=str(parts["dbname"]),
        query={**query, **({"port": str(parts["port"])} if query and driver == "asyncpg" else {})},
    )
    return made.render_as_string(hide_password=False)


# --- blocking ----------------------------------------------------------------------------------------------


@contextlib.contextmanager
def with_psycopg(url: str) -> Iterator[Any]:
    with psycopg.connect(url) as connection:
        yield connection


@contextlib.contextmanager
def with_psycopg_autocommit(url: str) -> Iterator[Any]:
    connect = psycopg.connect(url, autocommit=True, row_factory=dict_row)
    with connect as connection, connection.transaction():
        yield connection


@contextlib.contextmanager
def engine_of(url: str) -> Iterator[sqlalchemy.Engine]:
    engine = sqlalchemy.create_engine(alchemy_url(url, "psycopg"))
    try:
        yield engine
    finally:
        engine.dispose()


@contextlib.contextmanager
def with_sqlalchemy_connection(url: str) -> Iterator[Any]:
    with engine_of(url) as engine, engine.begin() as connection:
        yield connection


@contextlib.contextmanager
def with_sqlalchemy_session(url: str) -> Iterator[Any]:
    with engine_of(url) as engine, orm.Session(engine) as session, session.begin():
        yield session


@contextlib.contextmanager
def with_scoped_session(url: str) -> Iterator[Any]:
    with engine_of(url) as engine:
        scoped = orm.scoped_session(orm.sessionmaker(engine))  # another session in each thread
        try:
            with scoped.begin():
                yield scoped
        finally:
            scoped.remove()


BLOCKING = [
    with_psycopg,
    with_psycopg_autocommit,
    with_sqlalchemy_connection,
    with_sqlalchemy_session,
    with_scoped_session,
]
Transaction = Callable[[str], AbstractContextManager[Any]]


@pytest.fixture(params=BLOCKING, ids=lambda made: made.__name__.removeprefix("with_"))
def transaction(request: pytest.FixtureRequest, system_url: str) -> Callable[[], AbstractContextManager[Any]]:
    made: Transaction = request.param
    return lambda: made(system_url)


def test_a_commit_makes_it_there(
    transaction: Callable[[], AbstractContextManager[Any]],
    blocking: DBOSClient,
    rows: Rows,
    new_id: NewId,
    system_url: str,
) -> None:
    wid = new_id()
    existing = blocking.enqueue(options())
    with psycopg.connect(system_url, autocommit=True) as listener:
        listener.execute("LISTEN durably")
        with transaction() as connection:
            handle = blocking.enqueue(
                options(workflow_id=wid, max_recovery_attempts=3, attributes={"a": 1}),
                1, "%s :x $1 ::", connection=connection,
            )  # fmt: skip
            blocking.send(wid, {"ok": True}, topic="t", idempotency_key="k", connection=connection)
            blocking.send(existing.workflow_id, "x", connection=connection)
            assert rows.messages(existing.workflow_id) == []
        assert [n.payload for n in listener.notifies(timeout=10, stop_after=1)] == ["q::q"]
    assert handle.get_status().input == {"args": (1, "%s :x $1 ::"), "kwargs": {}}
    assert rows.workflow(wid)["attributes"] == {"a": 1}
    assert [m["message_uuid"] for m in rows.messages(wid)] == [f"k::{wid}"]
    assert len(rows.messages(existing.workflow_id)) == 1
    assert len(rows.run("SELECT 1 FROM durably.workflow_limits WHERE workflow_uuid = %s", wid)) == 1


def test_a_rollback_leaves_nothing(
    transaction: Callable[[], AbstractContextManager[Any]], blocking: DBOSClient, rows: Rows, new_id: NewId
) -> None:
    wid = new_id()
    existing = blocking.enqueue(options())
    before = rows.count()
    with contextlib.suppress(Undone), transaction() as connection:
        handle = blocking.enqueue(options(workflow_id=wid), 1, connection=connection)
        blocking.send(existing.workflow_id, "x", connection=connection)
        raise Undone
    assert rows.count() == before
    assert rows.messages(existing.workflow_id) == []
    with pytest.raises(errors.NoSuchWorkflow):
        handle.get_result(timeout=0)


def test_refusals(
    transaction: Callable[[], AbstractContextManager[Any]], blocking: DBOSClient, rows: Rows, new_id: NewId
) -> None:
    taken = blocking.enqueue(options(deduplication_id=new_id("key")))
    key = rows.workflow(taken.workflow_id)["deduplication_id"]
    before = rows.count()
    with pytest.raises(errors.Deduplicated, match=key), transaction() as connection:
        blocking.enqueue(options(deduplication_id=key), connection=connection)
    with pytest.raises(errors.WorkflowConflict), transaction() as connection:
        blocking.enqueue(options(workflow_id=taken.workflow_id, workflow_name="x"), connection=connection)
    with pytest.raises(errors.InvalidOption, match="duplication_policy"), transaction() as connection:
        existing = options(deduplication_id=key, duplication_policy="return-existing")
        blocking.enqueue(existing, connection=connection)
    with transaction() as connection:
        with pytest.raises(errors.NoSuchWorkflow):
            blocking.send(new_id(), "x", connection=connection)
        with pytest.raises(errors.InvalidOption, match="priority"):
            blocking.enqueue(options(priority=0), connection=connection)
        again = blocking.enqueue(options(workflow_id=taken.workflow_id), connection=connection)
        assert again == taken
    assert rows.count() == before


# --- asynchronous ------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def with_psycopg_async(url: str) -> AsyncIterator[Any]:
    async with await psycopg.AsyncConnection.connect(url) as connection:
        yield connection


@contextlib.asynccontextmanager
async def asyncpg_connection(url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(**asyncpg_place(url))
    try:
        yield connection
    finally:
        await connection.close()


def asyncpg_place(url: str) -> dict[str, Any]:
    parts = psycopg.conninfo.conninfo_to_dict(url)
    port = int(str(parts["port"])) if "port" in parts else None
    return {"host": parts["host"], "port": port, "user": parts["user"], "database": parts["dbname"]}


@contextlib.asynccontextmanager
async def with_asyncpg(url: str) -> AsyncIterator[Any]:
    async with asyncpg_connection(url) as connection, connection.transaction():
        yield connection


@contextlib.asynccontextmanager
async def with_asyncpg_pool(url: str) -> AsyncIterator[Any]:
    async with (
        asyncpg.create_pool(**asyncpg_place(url), min_size=1) as pool,
        pool.acquire() as connection,
        connection.transaction(),
    ):
        yield connection


@contextlib.asynccontextmanager
async def async_engine_of(url: str, driver: str) -> AsyncIterator[sqlalchemy_asyncio.AsyncEngine]:
    engine = sqlalchemy_asyncio.create_async_engine(alchemy_url(url, driver))
    try:
        yield engine
    finally:
        await engine.dispose()


@contextlib.asynccontextmanager
async def with_async_connection(url: str) -> AsyncIterator[Any]:
    async with async_engine_of(url, "psycopg") as engine, engine.begin() as connection:
        yield connection


@contextlib.asynccontextmanager
async def with_async_session(url: str) -> AsyncIterator[Any]:
    async with (
        async_engine_of(url, "psycopg") as engine,
        sqlalchemy_asyncio.AsyncSession(engine) as session,
        session.begin(),
    ):
        yield session


@contextlib.asynccontextmanager
async def with_async_session_on_asyncpg(url: str) -> AsyncIterator[Any]:
    async with (
        async_engine_of(url, "asyncpg") as engine,
        sqlalchemy_asyncio.AsyncSession(engine) as session,
        session.begin(),
    ):
        yield session


ASYNCHRONOUS = [
    with_psycopg_async,
    with_asyncpg,
    with_asyncpg_pool,
    with_async_connection,
    with_async_session,
    with_async_session_on_asyncpg,
]
AsyncTransaction = Callable[[], AbstractAsyncContextManager[Any]]


@pytest.fixture(params=ASYNCHRONOUS, ids=lambda made: made.__name__.removeprefix("with_"))
def async_transaction(request: pytest.FixtureRequest, system_url: str) -> AsyncTransaction:
    return lambda: request.param(system_url)


async def test_an_asynchronous_commit_makes_it_there(
    async_transaction: AsyncTransaction, system_url: str, rows: Rows, new_id: NewId
) -> None:
    wid = new_id()
    async with AsyncDBOSClient.create(system_database_url=system_url) as client:
        async with async_transaction() as connection:
            handle = await client.enqueue(
                options(workflow_id=wid, max_recovery_attempts=3), 1, "%s", connection=connection
            )
            await client.send(wid, "x", idempotency_key="k", connection=connection)
            assert rows.run("SELECT FROM dbos.workflow_status WHERE workflow_uuid = %s", wid) == []
        assert (await handle.get_status()).input == {"args": (1, "%s"), "kwargs": {}}
        assert len(rows.messages(wid)) == 1


async def test_an_asynchronous_rollback_leaves_nothing(
    async_transaction: AsyncTransaction, system_url: str, rows: Rows, new_id: NewId
) -> None:
    before = rows.count()
    async with AsyncDBOSClient.create(system_database_url=system_url) as client:
        with contextlib.suppress(Undone):
            async with async_transaction() as connection:
                await client.enqueue(options(), connection=connection)
                raise Undone
    assert rows.count() == before


async def test_asynchronous_refusals(
    async_transaction: AsyncTransaction, system_url: str, new_id: NewId
) -> None:
    key = new_id("key")
    async with AsyncDBOSClient.create(system_database_url=system_url) as client:
        await client.enqueue(options(deduplication_id=key))
        with pytest.raises(errors.Deduplicated):
            async with async_transaction() as connection:
                await client.enqueue(options(deduplication_id=key), connection=connection)
        async with async_transaction() as connection:
            with pytest.raises(errors.NoSuchWorkflow):
                await client.send(new_id(), "x", connection=connection)


# --- what is no transaction of this colour -----------------------------------------------------------------


def test_a_connection_of_the_other_colour(blocking: DBOSClient, system_url: str) -> None:
    async def blocked() -> None:
        async with AsyncDBOSClient.create(system_database_url=system_url) as client:
            with psycopg.connect(system_url) as connection:
                with pytest.raises(errors.WrongContext, match="DBOSClient"):
                    await client.enqueue(options(), connection=connection)
            async with await psycopg.AsyncConnection.connect(system_url) as other:
                with pytest.raises(errors.WrongContext, match="AsyncDBOSClient"):
                    await asyncio.to_thread(blocking.enqueue, options(), connection=other)

    asyncio.run(blocked())


@pytest.mark.parametrize("connection", [object(), "postgresql://", 7])
def test_what_is_no_connection(blocking: DBOSClient, connection: object) -> None:
    with pytest.raises(errors.InvalidOption, match="connection"):
        blocking.enqueue(options(), connection=connection)
    with pytest.raises(errors.InvalidOption, match="connection"):
        blocking.send("x", 1, connection=connection)


def test_a_connection_outside_a_transaction(blocking: DBOSClient, system_url: str, rows: Rows) -> None:
    before = rows.count()
    with psycopg.connect(system_url, autocommit=True) as connection:
        with pytest.raises(errors.WrongContext, match="autocommit"):
            blocking.enqueue(options(), connection=connection)

    async def asynchronous() -> None:
        async with (
            asyncpg_connection(system_url) as connection,
            AsyncDBOSClient.create(system_database_url=system_url) as client,
        ):
            with pytest.raises(errors.WrongContext, match="no transaction"):
                await client.enqueue(options(), connection=connection)

    asyncio.run(asynchronous())
    assert rows.count() == before
