"""One LISTEN connection for a process: hears notices, reconnects, tells when it is deaf."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from durably.concurrency.tasks import end
from durably.core.names import DURABLY_CHANNEL, EVENTS_CHANNEL, MESSAGES_CHANNEL, STREAMS_CHANNEL
from durably.core.ports import World
from durably.core.retry import reconnect_delay
from durably.errors import DatabaseError
from durably.store.database import Connection, Database

__all__ = ["Listener"]

logger = logging.getLogger(__name__)

CHANNELS = (DURABLY_CHANNEL, MESSAGES_CHANNEL, EVENTS_CHANNEL, STREAMS_CHANNEL)
REFUSED = 60.0  # seconds until a server that refuses LISTEN (some know none) is asked again
PROBE_TIMEOUT = 2.0  # seconds within which our own notice must come back


class Listener:
    """Calls `heard(channel, payload)` on the loop for every notice.

    A pooler in transaction mode accepts LISTEN and delivers nothing: a notice of our own, sent through the
    pool, finds that out at each connect. Until it has come back `alive` is False and callers poll.
    """

    def __init__(self, database: Database, heard: Callable[[str, str], None], world: World) -> None:
        self._database = database
        self._heard = heard
        self._world = world
        self._task: asyncio.Task[None] | None = None
        self._probe = ""
        self.alive = False
        self.connected = asyncio.Event()

    def start(self) -> None:
        """Begin to listen, on the running loop."""
        self._task = asyncio.get_running_loop().create_task(self._loop(), name="durably-listener")

    async def stop(self) -> None:
        """Hang up. Stopping twice, or before the start, is fine."""
        await end(self._task)

    async def _loop(self) -> None:
        attempt = 0
        while True:
            try:
                async with self._database.dedicated() as connection:
                    await self._listen(connection)
                    attempt = 0
            except DatabaseError as error:
                attempt += 1
                logger.warning("not listening (attempt %d), polling meanwhile: %s", attempt, error)
            except Exception:
                logger.exception("LISTEN is refused: polling, and asking again in %g s", REFUSED)
                await self._world.sleep(REFUSED)
            finally:
                self.alive = False
            await self._world.sleep(reconnect_delay(max(1, attempt), self._world.random))

    async def _listen(self, connection: Connection) -> None:
        for channel in CHANNELS:
            await connection.execute(f'LISTEN "{channel}"')
        self._probe = f"probe::{self._world.random.getrandbits(64):x}"
        await self._database.rows("hub/notify", {"payload": self._probe})
        async for notice in connection.notifies(timeout=PROBE_TIMEOUT):
            self._take(notice.channel, notice.payload)
            if self.alive:
                break
        self.connected.set()
        if not self.alive:
            logger.warning("LISTEN is accepted but nothing arrives (a transaction-mode pooler?): polling")
            await asyncio.Event().wait()
        self._heard(DURABLY_CHANNEL, "q::*")  # what came while we were deaf: let the next query tell
        async for notice in connection.notifies():
            self._take(notice.channel, notice.payload)

    def _take(self, channel: str, payload: str) -> None:
        if channel == DURABLY_CHANNEL and payload.startswith("probe::"):
            self.alive = self.alive or payload == self._probe
        else:
            self._heard(channel, payload)
