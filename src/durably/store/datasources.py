"""Transactions on the application's database with psycopg, and the table that records what they came to."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import psycopg
from psycopg.conninfo import conninfo_to_dict

from durably.config import redact
from durably.errors import ConfigurationError
from durably.store.callers import execute
from durably.store.connections import Connections
from durably.store.database import connection_string
from durably.store.exchange import Connection
from durably.store.failures import BUSY, GONE, translate
from durably.store.sql import Schemas, statement

__all__ = ["Opened", "PsycopgSource", "forget", "is_one_database", "is_transient", "prepare"]

LEVELS = {
    "READ COMMITTED": psycopg.IsolationLevel.READ_COMMITTED,
    "REPEATABLE READ": psycopg.IsolationLevel.REPEATABLE_READ,
    "SERIALIZABLE": psycopg.IsolationLevel.SERIALIZABLE,
}
PATIENCE = 30.0  # seconds to wait for a free connection


class Opened:
    """An open transaction on a connection or session of any driver."""

    def __init__(self, connection: Any, schemas: Schemas) -> None:
        self.connection = connection
        self.commit = False
        self._schemas = schemas

    def execute(self, name: str, parameters: Mapping[str, Any]) -> Any:
        """Execute a statement of ours in it: its rows, or something to await for them."""
        return execute(self.connection, self._schemas, name, parameters)


class PsycopgSource:
    """See `durably.engine.transactions.Datasource`; connections of both colours."""

    def __init__(self, url: str, schemas: Schemas, *, together: bool, size: int) -> None:
        self.together = together
        self._schemas = schemas
        self._conninfo = connection_string(url, "durably transaction")
        self._connections = Connections(self._connected, most=size, patience=PATIENCE)
        self._idle: list[psycopg.Connection[Any]] = []  # by any thread

    @contextlib.asynccontextmanager
    async def begin_async(self, isolation: str) -> AsyncIterator[Opened]:
        """A transaction on an asynchronous connection."""
        connection = await self._connections.take()
        try:
            await connection.set_isolation_level(LEVELS[isolation])
            async with connection.transaction() as block:
                opened = Opened(connection, self._schemas)
                yield opened
                if not opened.commit:
                    raise psycopg.Rollback(block)
        finally:
            self._connections.give_back(connection)

    @contextlib.contextmanager
    def begin(self, isolation: str) -> Iterator[Opened]:
        """A transaction on a blocking connection; there are as many as threads use them at once."""
        connection = self._take()
        try:
            connection.isolation_level = LEVELS[isolation]
            with connection.transaction() as block:
                opened = Opened(connection, self._schemas)
                yield opened
                if not opened.commit:
                    raise psycopg.Rollback(block)
        finally:
            self._give_back(connection)

    def is_transient(self, error: BaseException) -> bool:
        """Whether the same transaction may succeed a moment later."""
        return is_transient(error)

    async def close(self) -> None:
        """Close the connections."""
        self._connections.close()
        while self._idle:
            self._idle.pop().close()

    async def _connected(self) -> Connection:
        return await Connection.connect(self._conninfo, autocommit=True)

    def _take(self) -> psycopg.Connection[Any]:
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return psycopg.connect(self._conninfo, autocommit=True)
            if not connection.closed:
                return connection

    def _give_back(self, connection: psycopg.Connection[Any]) -> None:
        if connection.closed or connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            connection.close()
        else:
            self._idle.append(connection)


def is_transient(error: BaseException) -> bool:
    """A lost connection, a serialization failure or a deadlock, of psycopg or of what stands upon it."""
    cause = getattr(error, "orig", None) or error
    if isinstance(cause, BUSY):
        return True
    if not isinstance(cause, psycopg.Error):
        return False
    if cause.sqlstate is None:
        return isinstance(cause, psycopg.OperationalError)
    return cause.sqlstate.startswith(GONE)


def is_one_database(first: str, second: str) -> bool:
    """Whether two URLs lead to one database of one server."""
    keys = ("host", "hostaddr", "port", "dbname")
    one, other = conninfo_to_dict(first), conninfo_to_dict(second)
    return all(one.get(key) == other.get(key) for key in keys)


async def prepare(url: str, schemas: Schemas, *, create: bool) -> None:
    """Create the table of a database where it is missing; ConfigurationError where it may not be created."""
    try:
        async with await psycopg.AsyncConnection.connect(
            connection_string(url, "durably"), autocommit=True
        ) as connection:
            if not await _has_table(connection, schemas):
                if not create:
                    raise ConfigurationError(
                        f"{redact(url)} has no table {schemas.system}.datasource_outputs, which transactions "
                        "need, and migrate=False forbids to create it: start the application once with a "
                        "role that may create it"
                    )
                await connection.execute(statement("transactions/create", schemas))
    except (psycopg.Error, OSError) as error:
        raise translate(error, url) from error


async def _has_table(connection: psycopg.AsyncConnection[Any], schemas: Schemas) -> bool:
    name = f"{schemas.system}.datasource_outputs"
    cursor = await connection.execute(
        "SELECT FROM information_schema.tables WHERE table_schema || '.' || table_name = %s", [name]
    )
    return await cursor.fetchone() is not None


async def forget_failed(source: PsycopgSource, workflow_id: str) -> None:
    """Delete the records of the failed transactions of a workflow that is to be tried again."""
    async with source.begin_async("READ COMMITTED") as opened:
        await opened.execute("transactions/delete_failed", {"workflow_id": workflow_id})
        opened.commit = True


async def forget(source: PsycopgSource, workflow_ids: Sequence[str], start_step: int = 0) -> None:
    """Delete the records of workflows that have ended."""
    asked = {"workflow_ids": msgspec.json.encode(list(workflow_ids)).decode(), "start_step": str(start_step)}
    async with source.begin_async("READ COMMITTED") as opened:
        await opened.execute("transactions/delete", asked)
        opened.commit = True
