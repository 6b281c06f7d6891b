"""Open connections of one process to one database, the one used last first.

psycopg_pool checks out in 230 us here, three times the round trip that it is for (CPython 3.11): it
returns connections through a task of its own. This hands them over directly. One that comes back closed
takes those with it that lay idle: what ended it may have ended them. One amid something is closed alone,
and so is one that has carried megabytes: it would hold as much memory for as long as it is open.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable

from psycopg.pq import TransactionStatus

from durably.errors import DatabaseUnavailable, NotRunning
from durably.store.exchange import Connection

__all__ = ["Connections"]

KEEP = 60.0  # seconds after which a connection that nobody needed is closed


class Connections:
    """At most `most` connections, made by `connect`; who finds none free waits `patience` seconds for one."""

    def __init__(self, connect: Callable[[], Awaitable[Connection]], *, most: int, patience: float) -> None:
        self._connect = connect
        self._most = most
        self._patience = patience
        self._idle: list[tuple[Connection, float]] = []  # and since when; the last is used first
        self._waiting: deque[asyncio.Future[Connection | None]] = deque()
        self._open = 0
        self._closed = False

    async def take(self) -> Connection:
        """A connection, to be given back."""
        while not self._closed:
            if (idle := self._last_idle()) is not None:
                return idle
            if self._open < self._most:
                return await self._made()
            if (handed := await self._handed()) is not None:
                return handed
        raise NotRunning("the client or application is closed")

    def give_back(self, connection: Connection) -> None:
        """Take a connection back, for who waits for one or for later."""
        if connection.closed:
            self._drop(connection)
            while self._idle:
                self._drop(self._idle.pop()[0])
            self._pass_on(None)
        elif self._closed or not _is_clean(connection):
            self._drop(connection)
            self._pass_on(None)
        elif not self._pass_on(connection):
            self._keep(connection)

    def close(self) -> None:
        """Close what lies idle now, and the others as they come back. Twice is fine."""
        self._closed = True
        while self._idle:
            self._drop(self._idle.pop()[0])
        while self._pass_on(None):
            pass

    def _last_idle(self) -> Connection | None:
        """One that is still open; its end is noticed while it lies idle."""
        while self._idle:
            connection, _ = self._idle.pop()
            if not connection.closed:
                return connection
            self._drop(connection)
        return None

    async def _made(self) -> Connection:
        self._open += 1
        try:
            return await self._connect()
        except BaseException:
            self._open -= 1
            self._pass_on(None)
            raise

    async def _handed(self) -> Connection | None:
        """A connection that came back, or None when one was closed: there is a place for another."""
        future: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        try:
            async with asyncio.timeout(self._patience):
                return await future
        except BaseException as error:
            if future.done() and not future.cancelled() and (connection := future.result()) is not None:
                self.give_back(connection)
            if isinstance(error, TimeoutError):
                raise DatabaseUnavailable(
                    f"no connection came free within {self._patience:g} s; all {self._most} are in use"
                ) from None
            raise
        finally:
            with contextlib.suppress(ValueError):
                self._waiting.remove(future)

    def _pass_on(self, connection: Connection | None) -> bool:
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_result(connection)
                return True
        return False

    def _keep(self, connection: Connection) -> None:
        now = asyncio.get_running_loop().time()
        if self._idle and now - self._idle[0][1] > KEEP:
            self._drop(self._idle.pop(0)[0])
        self._idle.append((connection, now))

    def _drop(self, connection: Connection) -> None:
        self._open -= 1
        connection.discard()


def _is_clean(connection: Connection) -> bool:
    return (
        not connection.is_abandoned
        and not connection.is_swollen
        and connection.pgconn.transaction_status == TransactionStatus.IDLE
    )
