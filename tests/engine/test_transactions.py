"""Transactions: exactly once over crashes and lost answers, with each driver, in both colours."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import psycopg
import pytest
import sqlalchemy
from sqlalchemy.ext.asyncio import AsyncConnection as AlchemyAsyncConnection
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from durably import aio
from durably.app import App
from durably.errors import ConfigurationError, EncodeError, InvalidOption, NotRunning, WrongContext
from durably.store import datasources
from tests.engine.support import eventually, rows
from tests.support.databases import Databases

PAID = "SELECT account, cents FROM payments ORDER BY account, cents"
INSERT = "INSERT INTO payments VALUES (%s, %s)"
CHECKPOINTS = "SELECT workflow_id, step_id, output, error, serialization FROM dbos.datasource_outputs"
RECORDED = "SELECT function_id, function_name, output, error FROM dbos.operation_outputs ORDER BY 1"
KINDS = ["psycopg", "psycopg async", "connection", "session", "async connection", "async session"]


class Place:
    """An application database with a table, and its system database: another one, or the same."""

    def __init__(self, databases: Databases, *, together: bool) -> None:
        if together:
            self.system = self.own = databases.migrated()
        else:
            self.own = databases.application()
            self.system = beside(self.own)
        rows(self.own, "CREATE TABLE payments (account text, cents int CHECK (cents <> 13))")

    def app(self) -> App:
        options = {} if self.own != self.system else {"system_database": name_of(self.own)}
        return App("pays", url_of(self.own), **options)  # type: ignore[arg-type]

    @property
    def paid(self) -> list[tuple[Any, ...]]:
        return rows(self.own, PAID)


def name_of(dsn: str) -> str:
    return str(psycopg.conninfo.conninfo_to_dict(dsn)["dbname"])


def beside(dsn: str) -> str:
    return psycopg.conninfo.make_conninfo(dsn, dbname=name_of(dsn) + "_dbos_sys")


def url_of(dsn: str) -> str:
    if "://" in dsn:
        return dsn
    parts = {key: str(value) for key, value in psycopg.conninfo.conninfo_to_dict(dsn).items()}
    database = parts.pop("dbname")
    return f"postgresql:///{database}?" + "&".join(f"{key}={value}" for key, value in parts.items())


@pytest.fixture(params=[False, True], ids=["two databases", "one database"])
def place(request: pytest.FixtureRequest, databases: Databases) -> Place:
    return Place(databases, together=request.param)


@pytest.fixture
def apart(databases: Databases) -> Place:
    return Place(databases, together=False)


def define(app: App, kind: str, *, before: Callable[[], None] = lambda: None) -> Any:
    """A transaction that pays, with each kind of connection."""
    alchemy = sqlalchemy.text("INSERT INTO payments VALUES (:account, :cents)")

    if kind == "psycopg":

        @app.transaction(name="pay")
        def pay(connection: psycopg.Connection[Any], account: str, cents: int) -> int:
            before()
            connection.execute(INSERT, [account, cents])
            return cents

        return pay
    if kind == "psycopg async":

        @app.transaction(name="pay")
        async def pay_async(connection: psycopg.AsyncConnection[Any], account: str, cents: int) -> int:
            before()
            await connection.execute(INSERT, [account, cents])
            return cents

        return pay_async
    if kind == "connection":

        @app.transaction(name="pay")
        def pay_connection(connection: sqlalchemy.Connection, account: str, cents: int) -> int:
            before()
            connection.execute(alchemy, {"account": account, "cents": cents})
            return cents

        return pay_connection
    if kind == "session":

        @app.transaction(name="pay")
        def pay_session(session: Session, account: str, cents: int) -> int:
            before()
            session.execute(alchemy, {"account": account, "cents": cents})
            return cents

        return pay_session
    if kind == "async connection":

        @app.transaction(name="pay")
        async def pay_async_connection(connection: AlchemyAsyncConnection, account: str, cents: int) -> int:
            before()
            await connection.execute(alchemy, {"account": account, "cents": cents})
            return cents

        return pay_async_connection

    @app.transaction(name="pay")
    async def pay_async_session(session: AsyncSession, account: str, cents: int) -> int:
        before()
        await session.execute(alchemy, {"account": account, "cents": cents})
        return cents

    return pay_async_session


def workflow_of(app: App, pay: Any) -> Any:
    """Pays three times; the second is refused by the table, and the workflow goes on."""
    if asyncio.iscoroutinefunction(pay) or asyncio.iscoroutinefunction(getattr(pay, "__wrapped__", None)):

        @app.workflow(name="order")
        async def order(account: str) -> list[Any]:
            said: list[Any] = []
            for cents in (1, 13, 2):
                try:
                    said.append(await pay(account, cents))
                except Exception as error:
                    said.append(str(error))
            return said

        return order

    @app.workflow(name="order")
    def order_blocking(account: str) -> list[Any]:
        said: list[Any] = []
        for cents in (1, 13, 2):
            try:
                said.append(pay(account, cents))
            except Exception as error:
                said.append(str(error))
        return said

    return order_blocking


async def run(app: App, workflow: Any, *args: Any) -> Any:
    """Run it, whatever its colour, as the workflow `w`."""
    called = workflow.options(workflow_id="w")
    if workflow.definition.is_async:
        return await called(*args)
    return await asyncio.to_thread(called, *args)


async def replay(app: App, place: Place) -> Any:
    rows(place.system, "DELETE FROM dbos.workflow_output")
    rows(
        place.system,
        "UPDATE dbos.workflow_status SET status = 'ENQUEUED', queue_name = '_dbos_internal_queue'",
    )
    return await app.client.retrieve_workflow("w").get_result(timeout=20)


@pytest.mark.parametrize("kind", KINDS)
async def test_writes_and_records_commit_together_and_replay_alike(place: Place, kind: str) -> None:
    app = place.app()
    order = workflow_of(app, define(app, kind))
    async with app:
        first, refused, third = await run(app, order, "ada")
        assert (first, third) == (1, 2)
        assert "payments_cents_check" in refused
        assert place.paid == [("ada", 1), ("ada", 2)]
        again = await replay(app, place)
        assert again == [1, refused, 2]
    assert place.paid == [("ada", 1), ("ada", 2)]
    recorded = rows(place.system, RECORDED)
    assert [(number, name) for number, name, _, _ in recorded] == [(1, "pay"), (2, "pay"), (3, "pay")]
    assert recorded[0][2] == "1" and recorded[1][2] is None and json.loads(recorded[1][3])["name"]
    if place.own != place.system:  # and what is recorded for good is not kept twice
        assert rows(place.own, CHECKPOINTS) == []


@pytest.mark.parametrize("kind", KINDS)
async def test_a_step_row_that_was_lost_is_written_again_without_a_second_payment(
    apart: Place, kind: str
) -> None:
    """A crash between the two commits: the application's database has it, the system database has not."""
    app = apart.app()
    pay = define(app, kind)
    order = workflow_of(app, pay)
    async with app:
        await run(app, order, "ada")
        before = rows(apart.system, RECORDED)
        await eventually(lambda: rows(apart.own, CHECKPOINTS) == [])
        rows(
            apart.own,
            "INSERT INTO dbos.datasource_outputs VALUES ('w', 3, '2', NULL, 'portable_json', 1)",
        )
        rows(apart.system, "DELETE FROM dbos.operation_outputs WHERE function_id = 3")
        assert (await replay(app, apart))[2] == 2
        assert rows(apart.system, RECORDED) == before
    assert apart.paid == [("ada", 1), ("ada", 2)]


async def test_a_rewind_by_the_application_forgets_what_was_paid_then(apart: Place) -> None:
    """Its records were left, as after a death behind the outcome; the money is paid again, as asked."""
    app = apart.app()
    order = workflow_of(app, define(app, "psycopg async"))
    async with app:
        await run(app, order, "ada")
        await eventually(lambda: rows(apart.own, CHECKPOINTS) == [])
        rows(
            apart.own,
            "INSERT INTO dbos.datasource_outputs VALUES ('w', 3, '99', NULL, 'portable_json', 1)",
        )
        handle = await app.client.rewind_workflow("w", 3)
        assert (await handle.get_result(timeout=20))[2] == 2
    assert apart.paid == [("ada", 1), ("ada", 2), ("ada", 2)]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_serialization_failure_is_tried_again(place: Place, kind: str) -> None:
    tries: list[int] = []

    def before() -> None:
        tries.append(1)
        if len(tries) < 3:
            raise psycopg.errors.SerializationFailure("could not serialize")

    app = place.app()
    pay = define(app, kind, before=before)

    if kind.startswith(("psycopg async", "async")):

        @app.workflow(name="once")
        async def once() -> Any:
            return await pay("ada", 5)
    else:

        @app.workflow(name="once")
        def once() -> Any:
            return pay("ada", 5)

    async with app:
        assert await run(app, once) == 5
    assert len(tries) == 3
    assert place.paid == [("ada", 5)]


class LostCommit:
    """Commits, and then loses the answer, the first time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.lost = 0
        begin = datasources.PsycopgSource.begin_async

        def losing(source: Any, isolation: str) -> Any:
            return self._around(begin(source, isolation))

        monkeypatch.setattr(datasources.PsycopgSource, "begin_async", losing)

    def _around(self, context: Any) -> Any:
        @contextlib.asynccontextmanager
        async def around() -> AsyncIterator[Any]:
            async with context as opened:
                yield opened
            if opened.commit and not self.lost:
                self.lost += 1
                raise psycopg.OperationalError("the connection was lost")

        return around()


async def test_the_answer_to_a_commit_that_was_lost_is_looked_up(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = LostCommit(monkeypatch)
    app = place.app()
    pay = define(app, "psycopg async")

    @app.workflow(name="once")
    async def once() -> Any:
        return await pay("ada", 5)

    async with app:
        assert await run(app, once) == 5
    assert lost.lost == 1
    assert place.paid == [("ada", 5)]


async def test_who_lost_the_workflow_commits_nothing(place: Place) -> None:
    gate, reached = asyncio.Event(), asyncio.Event()
    app = place.app()

    @app.transaction(name="pay")
    async def pay(connection: psycopg.AsyncConnection[Any], cents: int) -> None:
        await connection.execute(INSERT, ["ada", cents])
        reached.set()
        await gate.wait()

    @app.workflow(name="once")
    async def once() -> None:
        await pay(5)

    async with app:
        await once.options(workflow_id="w").start()
        await reached.wait()
        rows(place.system, "UPDATE dbos.workflow_status SET owner_xid = 'another', executor_id = 'another'")
        gate.set()
        await eventually(lambda: not app._engine_running().executor.running)
    assert place.paid == []
    assert rows(place.system, RECORDED) == []


@pytest.mark.parametrize("kind", KINDS)
async def test_outside_of_a_workflow_it_is_an_ordinary_transaction(place: Place, kind: str) -> None:
    app = place.app()
    pay = define(app, kind)
    with pytest.raises(NotRunning, match="application 'pays' is not running"):
        await pay("ada", 1) if kind.startswith(("psycopg async", "async")) else pay("ada", 1)
    async with app:
        if kind.startswith(("psycopg async", "async")):
            assert await pay("ada", 1) == 1
            with pytest.raises(Exception, match="payments_cents_check"):
                await pay("ada", 13)
        else:
            assert await asyncio.to_thread(pay, "ada", 1) == 1
            with pytest.raises(Exception, match="payments_cents_check"):
                await asyncio.to_thread(pay, "ada", 13)
    assert place.paid == [("ada", 1)]
    assert rows(place.system, RECORDED) == []


async def test_the_isolation_is_the_one_asked_for(place: Place) -> None:
    app = place.app()

    @app.transaction(isolation="READ COMMITTED")
    async def level(connection: psycopg.AsyncConnection[Any]) -> str:
        cursor = await connection.execute("SHOW transaction_isolation")
        [(found,)] = await cursor.fetchall()
        return str(found)

    @app.transaction()
    def default_level(session: Session) -> str:
        return str(session.execute(sqlalchemy.text("SHOW transaction_isolation")).scalar())

    async with app:
        assert await level() == "read committed"
        assert await asyncio.to_thread(default_level) == "serializable"


async def test_a_result_that_cannot_be_stored_undoes_the_writes(place: Place) -> None:
    app = place.app()

    @app.transaction(name="pay")
    async def pay(connection: psycopg.AsyncConnection[Any]) -> Any:
        await connection.execute(INSERT, ["ada", 1])
        return object()

    @app.workflow(name="once")
    async def once() -> None:
        await pay()

    async with app:
        with pytest.raises(EncodeError, match="result of transaction 'pay'"):
            await once.options(workflow_id="w")()
    assert place.paid == []


async def test_what_does_not_work_in_a_transaction(apart: Place) -> None:
    app = apart.app()

    @app.transaction(name="inner")
    async def inner(connection: psycopg.AsyncConnection[Any]) -> None: ...

    @app.transaction(name="outer")
    async def outer(connection: psycopg.AsyncConnection[Any], what: str) -> None:
        if what == "transaction":
            await inner()
        elif what == "send":
            await aio.send("w", 1)
        else:
            await aio.write_stream("k", 1)

    @app.step(name="step")
    async def step() -> None:
        await inner()

    @app.transaction(name="blocking")
    def blocking(connection: psycopg.Connection[Any]) -> None: ...

    @app.workflow(name="tries")
    async def tries(what: str) -> None:
        if what == "step":
            await step()
        elif what == "blocking":
            blocking()
        else:
            await outer(what)

    @app.workflow(name="tries_blocking")
    def tries_blocking() -> None:
        inner()  # type: ignore[unused-coroutine]

    async with app:
        for what, said in {
            "transaction": "transaction 'inner' cannot run inside another transaction",
            "step": "transaction 'inner' cannot run inside a step",
            "send": r"DBOS\.send does not work inside a transaction: it would stay when",
            "stream": r"DBOS\.writeStream does not work inside a transaction",
            "blocking": "transaction 'blocking' blocks, and its workflow is async",
        }.items():
            with pytest.raises(WrongContext, match=said):
                await tries(what)
        with pytest.raises(
            WrongContext, match="has to be awaited, and workflow 'tries_blocking' is a `def` one"
        ):
            await asyncio.to_thread(tries_blocking)


def test_a_transaction_that_cannot_be_registered() -> None:
    app = App("pays", system_database_url="postgresql://localhost/nowhere")
    with pytest.raises(ConfigurationError, match="'alone' has no parameter for its connection"):

        @app.transaction(name="alone")  # type: ignore[arg-type]
        def alone() -> None: ...

    with pytest.raises(ConfigurationError, match="'plain' is given its connection as 'account'"):

        @app.transaction(name="plain")
        def plain(account: str) -> None: ...

    with pytest.raises(
        ConfigurationError, match=r"'mixed' is async def and takes a blocking psycopg\.Connection"
    ):

        @app.transaction(name="mixed")
        async def mixed(connection: psycopg.Connection[Any]) -> None: ...

    with pytest.raises(InvalidOption, match="isolation"):
        app.transaction(isolation="CHAOS")  # type: ignore[arg-type]


async def test_without_migrate_the_table_has_to_be_there(apart: Place) -> None:
    app = App("pays", url_of(apart.own), migrate=False)
    define(app, "psycopg async")
    with pytest.raises(
        ConfigurationError, match=r"no table dbos\.datasource_outputs, which transactions need"
    ):
        async with app:
            pass
    async with apart.app() as _:
        pass
