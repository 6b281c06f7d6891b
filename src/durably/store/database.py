"""One system database: its connections, and the only calls that execute SQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import namedtuple_row

from durably.config import CONNECTION_PARAMETERS, redact
from durably.errors import ConfigurationError
from durably.store.connections import Connections
from durably.store.exchange import Connection, Request
from durably.store.failures import translate
from durably.store.sql import Schemas, numbered

__all__ = ["Begun", "Call", "Connection", "Database", "connection_string"]

Call: TypeAlias = tuple[str, Mapping[str, Any]]

PLANS = (
    "SET plan_cache_mode = force_generic_plan; SET jit = off; "
    "SET enable_seqscan = off; SET enable_nestloop = off"
)
DEADLINE = 10.0  # seconds that a server may be silent amid a statement before its connection is abandoned
POOL_TIMEOUT = 10.0  # seconds to wait for a free connection
GRACE = 5.0  # seconds beyond a limit that the server itself keeps


class Database:
    """Connections in autocommit mode; a call is one statement, or several in one transaction."""

    def __init__(
        self,
        url: str,
        *,
        schema: str = "dbos",
        max_size: int = 4,
        label: str = "durably",
        pool_timeout: float = POOL_TIMEOUT,
    ) -> None:
        self.url = url
        self.schemas: Schemas = Schemas(schema)
        self._conninfo = connection_string(url, label)
        self._connections = Connections(self._connected, most=max_size, patience=pool_timeout)

    async def open(self, inspect: Callable[[Connection], Awaitable[object]] | None = None) -> None:
        """Connect once, at once, and `inspect`: raises DatabaseUnavailable or ConfigurationError."""
        async with self.connection() as connection:
            if inspect is not None:
                await inspect(connection)

    async def close(self) -> None:
        """Close every connection, those in use as they come back."""
        self._connections.close()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """One of the connections; driver errors leave it as ours."""
        try:
            connection = await self._connections.take()
            try:
                yield connection
            finally:
                self._connections.give_back(connection)
        except (psycopg.Error, OSError) as error:
            raise translate(error, self.url) from error

    @asynccontextmanager
    async def dedicated(self) -> AsyncIterator[Connection]:
        """A connection of the caller's own, closed at the end."""
        try:
            async with await self._connected() as connection:
                yield connection
        except (psycopg.Error, OSError) as error:
            raise translate(error, self.url) from error

    async def _connected(self) -> Connection:
        """A new connection, which plans each of our statements once: they are few, and the larger ones take
        longer to plan than to run. They are written to be right for a table of any size (`sql/README.md`).
        """
        connection = await Connection.connect(
            self._conninfo, autocommit=True, row_factory=namedtuple_row, prepare_threshold=None
        )
        try:
            await connection.execute(PLANS)
        except BaseException:
            connection.discard()
            raise
        return connection

    async def rows(self, name: str, parameters: Mapping[str, Any]) -> list[Any]:
        """Execute one statement; its rows."""
        return (await self.transaction([(name, parameters)]))[0]

    async def query(self, name: str, parameters: Mapping[str, Any], *, seconds: float) -> list[Any]:
        """Execute one statement of many optional conditions; its rows.

        It is planned for these very values, and the server ends it after `seconds`.
        """
        limit = {"milliseconds": str(round(seconds * 1000))}
        asked = (("session/limit", limit), (name, parameters))
        requests = [Request(numbered(each, self.schemas), given, is_whole=True) for each, given in asked]
        async with self.connection() as connection:
            return (await connection.request(requests, seconds=seconds + GRACE))[1]

    @asynccontextmanager
    async def begun(self) -> AsyncIterator[Connection]:
        """A connection in a transaction, which an error rolls back."""
        async with self.connection() as connection, _deadline(connection), connection.transaction():
            yield connection

    async def rows_on(self, connection: Connection, name: str, parameters: Mapping[str, Any]) -> list[Any]:
        """Execute one statement on a connection of the caller's; its rows."""
        return (await connection.request([self._request(name, parameters)], seconds=DEADLINE))[0]

    async def transaction(self, calls: Sequence[Call]) -> list[list[Any]]:
        """Execute statements in one transaction and one round trip; the rows of each.

        A pipeline without BEGIN is one implicit transaction up to its end, and in it each statement sees
        what was committed before it began.
        """
        requests = [self._request(*call) for call in calls]
        async with self.connection() as connection:
            return await connection.request(requests, seconds=DEADLINE)

    def _request(self, name: str, parameters: Mapping[str, Any]) -> Request:
        return Request(numbered(name, self.schemas), parameters)


class Begun(Database):
    """The same database within one transaction of the caller's: what is asked of it commits with that."""

    def __init__(self, outer: Database, connection: Connection) -> None:
        self.url = outer.url
        self.schemas = outer.schemas
        self._outer = outer
        self._connection = connection

    async def transaction(self, calls: Sequence[Call]) -> list[list[Any]]:
        """Execute statements in the transaction that is under way; the rows of each."""
        return [await self._outer.rows_on(self._connection, *call) for call in calls]


def connection_string(url: str, label: str) -> str:
    """The URL with the parameters that make a silent network end, unless it sets them itself."""
    try:
        given = conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        raise ConfigurationError(f"{redact(url)} is not a connection URI that libpq reads: {error}") from None
    defaults = {"application_name": label, **CONNECTION_PARAMETERS}
    return make_conninfo(url, **{k: v for k, v in defaults.items() if k not in given})


@asynccontextmanager
async def _deadline(connection: Connection, seconds: float = DEADLINE) -> AsyncIterator[None]:
    """Abandon the connection when its statement does not end in time."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        connection.discard()
        raise psycopg.OperationalError(
            f"no answer within {seconds:g} s; the connection is given up"
        ) from None
