"""What a client has open, in which process and on which loop, and how its calls outlive an outage."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from durably.client._commits import Commits
from durably.client._opening import advised, embedded_server
from durably.client._waits import Waits
from durably.codec import Codecs
from durably.concurrency.forks import keep_for_ever
from durably.concurrency.portal import has_calling_thread
from durably.concurrency.world import RealWorld
from durably.core import ids
from durably.core.records import Step
from durably.core.retry import reconnect_delay
from durably.errors import DatabaseUnavailable, NotRunning, WrongContext
from durably.observing import NOBODY, Observer
from durably.store import migrate
from durably.store.batch import commit, raise_refused
from durably.store.database import POOL_TIMEOUT, Begun, Connection, Database
from durably.store.failures import is_transient

if TYPE_CHECKING:
    from durably.embedded import EmbeddedPostgres

__all__ = ["Session", "Settings"]

T = TypeVar("T")

LIMITS = 2  # the migration of the extension schema that has a table for max_recovery_attempts


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What `create` was asked for."""

    url: str
    schema: str
    application_name: str | None
    pool_size: int
    codecs: Codecs
    listen: bool
    retry_for: float
    observer: Observer = NOBODY


class Open:
    """Connections, and the process and loop that they belong to."""

    def __init__(self, settings: Settings, world: RealWorld, database: Database | None = None) -> None:
        self._is_guest = database is not None
        self.database = database or Database(
            settings.url,
            schema=settings.schema,
            max_size=settings.pool_size,
            label="durably-client",
            pool_timeout=min(POOL_TIMEOUT, max(1.0, settings.retry_for)),
        )
        self.waits = Waits(self.database, world, listen=settings.listen, patience=settings.retry_for)
        self.commits = Commits(self.database)
        self.extension = migrate.KNOWN_EXTENSION if database is not None else 0
        self.keeps_limits = database is not None
        self._embedded: EmbeddedPostgres | None = None
        self.pid = os.getpid()
        self.loop = asyncio.get_running_loop()

    async def connect(self) -> None:
        """Connect, and see that this is a system database that we know."""
        self._embedded = await embedded_server(self.database.url)
        try:
            await self.database.open(self._check)
        except DatabaseUnavailable as error:
            raise advised(error, self.database.url) from error

    async def _check(self, connection: Connection) -> None:
        state = await migrate.check(connection, self.database.schemas.system)
        self.extension = state.extension or 0
        self.keeps_limits = self.extension >= LIMITS

    async def close(self) -> None:
        """Close everything."""
        await self.commits.stop()
        await self.waits.stop()
        if not self._is_guest:
            await self.database.close()
        if self._embedded is not None:
            await asyncio.to_thread(self._embedded.stop)


_begun: ContextVar[Open | None] = ContextVar("begun", default=None)


class _AgainError(Exception):
    """The transaction under way has to be begun again, a moment later."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class Session:
    """The open connections of a client: opened by `start`, and again in a forked child of a blocking one."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.world: RealWorld = RealWorld()
        self._open: Open | None = None
        self._opening: tuple[int, asyncio.Task[Open]] | None = None
        self._message_ids = ids.OrderedIds(self.world.now, self.world.random)
        self._closed = False

    @classmethod
    def over(cls, settings: Settings, database: Database) -> Session:
        """A session on connections that are somebody else's to open and to close."""
        session = cls(settings)
        session._open = Open(settings, session.world, database)
        return session

    async def start(self) -> None:
        """Connect; raises at once when that cannot work."""
        self._open = await self._connected()

    async def close(self) -> None:
        """Close the connections that are this process's own. Closing twice is fine."""
        self._closed = True
        open_, self._open = self._open, None
        if open_ is not None and open_.pid == os.getpid():
            await open_.close()

    def new_message_id(self) -> str:
        """A random UUID that is greater than those before it: messages of one moment keep their order."""
        return self._message_ids.new_id()

    def new_id(self) -> str:
        """A random UUID."""
        return ids.uuid_of(int.from_bytes(os.urandom(16), "big"))

    async def here(self) -> Open:
        """The open connections, on their own loop and in their own process."""
        open_ = self._open
        if open_ is not None and open_.pid == os.getpid() and open_.loop is asyncio.get_running_loop():
            return open_
        if self._closed or open_ is None:
            raise NotRunning("the client is closed: create another one")
        return await self._elsewhere(open_)

    async def call(self, function: Callable[[Open], Awaitable[T]]) -> T:
        """`function` of the open connections, repeated for `retry_for` seconds while the database is away."""
        return await self.call_again(lambda open_, attempt: function(open_))

    async def together(self, effect: Callable[[], Awaitable[T]], record: Callable[[T], Step]) -> T:
        """`effect`, whose calls are one transaction with the record of its value; repeated as a whole."""

        async def both(open_: Open) -> T:
            async with open_.database.begun() as connection:
                inside = copy(open_)
                inside.database = Begun(open_.database, connection)
                token = _begun.set(inside)
                try:
                    value = await effect()
                finally:
                    _begun.reset(token)
                (reply,) = await commit(inside.database, self.settings.application_name, [record(value)])
                raise_refused(reply)
                return value

        while True:
            try:
                return await self.call(both)
            except _AgainError as again:
                await self.world.sleep(again.seconds)

    async def again(self, seconds: float) -> None:
        """Wait before a call is repeated that met another's, which is being committed."""
        if _begun.get() is not None:
            raise _AgainError(seconds)
        await self.world.sleep(seconds)

    async def call_again(self, function: Callable[[Open, int], Awaitable[T]]) -> T:
        """The same for a function that wants to know which attempt it is, from 1."""
        if (begun := _begun.get()) is not None:
            return await function(begun, 1)
        open_ = await self.here()
        attempt, since = 1, self.world.monotonic()
        while True:
            try:
                return await function(open_, attempt)
            except Exception as error:
                if not is_transient(error):
                    raise
                await self._pause(error, attempt, since)
                attempt += 1

    async def _pause(self, error: Exception, attempt: int, since: float) -> None:
        delay = reconnect_delay(attempt, self.world.random)
        if self.world.monotonic() + delay - since > self.settings.retry_for:
            raise DatabaseUnavailable(
                f"{error}; tried for {self.settings.retry_for:g} s (retry_for): whether the last attempt "
                "worked is not known, and calling again with the same workflow_id or idempotency_key is safe"
            ) from error
        await self.world.sleep(delay)
        if self._closed:
            raise NotRunning("the client was closed during this call") from error

    async def _elsewhere(self, open_: Open) -> Open:
        if open_.pid == os.getpid():
            raise WrongContext(
                "this AsyncDBOSClient belongs to another event loop: create one in each loop, "
                "or use the blocking DBOSClient, which any thread may call"
            )
        if not has_calling_thread():
            raise WrongContext(
                "this AsyncDBOSClient was created before os.fork(), and its connections belong to the parent "
                "process: create another one in the child (the blocking DBOSClient may be used in both)"
            )
        keep_for_ever(open_)
        return await self._opened_again()

    async def _opened_again(self) -> Open:
        """In a forked child: connections of its own, opened once for all that call."""
        pid = os.getpid()
        if self._opening is None or self._opening[0] != pid:
            self._opening = pid, asyncio.get_running_loop().create_task(self._connected())
        try:
            open_ = await asyncio.shield(self._opening[1])
        except BaseException:
            self._opening = None
            raise
        self._open = open_
        return open_

    async def _connected(self) -> Open:
        open_ = Open(self.settings, self.world)
        try:
            await open_.connect()
        except BaseException:
            await open_.close()
            raise
        return open_
