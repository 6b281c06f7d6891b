"""Who is alive: renews this executor's lease, and adopts the work of the dead.

It runs on a loop and a connection of its own, so that user code that blocks the engine's loop does not make a
healthy process look dead.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from durably.concurrency.tasks import end
from durably.core.ports import Beat, ExecutorIdentity, Store, World
from durably.errors import DatabaseError
from durably.observing import NOBODY, Observer

__all__ = ["Heartbeat", "Leases", "Liveness"]

logger = logging.getLogger(__name__)

BEATS_PER_LEASE = 3
HURRY = 10  # times sooner than the next beat is one that failed tried again


class Liveness(Protocol):
    """What this machine knows of its processes."""

    def is_alive(self, pid: int, process_start: str) -> bool:
        """Whether that very process still runs here."""
        ...


@dataclass(frozen=True)
class Heartbeat:
    """One that was answered."""

    executor_id: str
    answer: Beat
    sent: float  # by this machine's monotonic clock
    seen: float  # when the answer came, by its wall clock: a loop that was blocked hears of it later


class Leases:
    """One heartbeat a third of a lease; see the module.

    `beaten` is told of each answer; it is called on this object's loop.
    """

    def __init__(
        self,
        *,
        store: Store,
        identity: Callable[[], ExecutorIdentity],
        liveness: Liveness,
        world: World,
        beaten: Callable[[Heartbeat], None],
        runnable: Callable[[], Sequence[str]] = tuple,
        observer: Observer = NOBODY,
    ) -> None:
        self._store = store
        self._identity = identity
        self._liveness = liveness
        self._world = world
        self._beaten = beaten
        self._runnable = runnable
        self._observer = observer
        self._task: asyncio.Task[None] | None = None
        self.renewed: float | None = None  # when that was asked for, by this machine's monotonic clock
        self.trouble: str | None = None  # why the last heartbeat did not reach the database

    async def start(self) -> None:
        """Take over from neighbours that died on this machine, then begin to beat."""
        await self._beat()
        self._task = asyncio.get_running_loop().create_task(self._loop(), name="durably-leases")

    async def stop(self) -> None:
        """Beat no more. Stopping twice, or before the start, is fine."""
        await end(self._task)

    async def _loop(self) -> None:
        pause = self._interval
        for count in itertools.count(1):
            await self._world.sleep(pause)
            try:
                async with asyncio.timeout(self._interval):  # a lease outlives one silent connection
                    await self._beat()
                    if count % BEATS_PER_LEASE == 0:
                        await self._sweep()
                pause = self._interval
            except (DatabaseError, TimeoutError) as error:
                self.trouble = str(error) or "no answer"
                logger.warning("the heartbeat waits for the database: %s", self.trouble)
                pause = self._interval / HURRY
            except Exception:
                logger.exception("the heartbeat is refused")
                pause = self._interval

    @property
    def _interval(self) -> float:
        return self._identity().lease_seconds / BEATS_PER_LEASE

    async def _sweep(self) -> None:
        """Put back what executors claimed after their lease was closed, before they knew (or died of it).

        And what executors of other code have stranded since this one began.
        """
        await self._store.adopt(self._identity().application_name, [], only_expired=True)
        await self._store.release_stranded(self._identity(), self._runnable())

    async def _beat(self) -> None:
        identity, sent = self._identity(), self._world.monotonic()
        beat = await self._store.beat(identity)
        self.renewed, self.trouble = sent, None
        self._beaten(Heartbeat(identity.executor_id, beat, sent, self._world.now()))
        fallen = [
            executor_id
            for executor_id, pid, process_start in beat.neighbours
            if not self._liveness.is_alive(pid, process_start)
        ]
        if fallen:
            logger.info("taking over from %s, which died on this machine", ", ".join(fallen))
            back = await self._store.adopt(self._identity().application_name, fallen)
            self._observer.took_over(len(fallen), len(back))
