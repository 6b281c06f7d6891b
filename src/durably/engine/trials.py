"""Crash attribution: a workflow that saw several deaths of its process is tried by itself.

first claim, three recoveries    together with everything else: most deaths are nobody's fault
later, or the last allowed       a suspect: one at a time in a process, until it records, waits or takes long

While suspects are tried, a death counts as an attempt of the one on trial alone (`executors/adopt`), so who
merely stood beside it is never set aside. A limit of n allows n recoveries, whatever ended the attempts; but
who is on trial in its n-th attempt, and dies, has no other: it is set aside after n deaths.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from durably.core.ports import Claimed, ExecutorIdentity, Store, World
from durably.core.retry import reconnect_delay
from durably.errors import DatabaseError

__all__ = ["Trials"]

logger = logging.getLogger(__name__)

INNOCENT = 4  # attempts, the first and three recoveries, that run together with everything else
LONGEST = 60.0  # seconds until the next suspect begins beside one that neither ends nor waits


class Trials:
    """The suspects of one executor."""

    def __init__(self, store: Store, identity: Callable[[], ExecutorIdentity], world: World) -> None:
        self._store = store
        self._identity = identity
        self._world = world
        self._loop = asyncio.get_running_loop()
        self._court = asyncio.Lock()
        self._on_trial: dict[str, asyncio.Event] = {}  # and set once it is over
        self._suspects = 0

    @staticmethod
    def is_suspect(claimed: Claimed, limit: int) -> bool:
        """Whether it is to be tried by itself: in its second attempt only where that is its last."""
        return claimed.recovery_attempts > max(1, min(INNOCENT, limit - 1))

    async def begin(self, claimed: Claimed, owner: str, limit: int) -> asyncio.Task[None]:
        """Wait for its turn; the trial goes on by itself until `over`."""
        workflow_id = claimed.workflow_id
        blamed = f"{owner}:{workflow_id}" if claimed.recovery_attempts >= limit else workflow_id
        self._suspects += 1
        try:
            await self._court.acquire()
        except BaseException:
            self._suspects -= 1
            raise
        self._on_trial[workflow_id] = over = asyncio.Event()
        try:
            await self._say(blamed)
        except BaseException:
            self._close(workflow_id)
            raise
        return asyncio.create_task(self._sit(workflow_id, over))

    def over(self, workflow_id: str) -> None:
        """It has ended, or waits for something: the next may begin."""
        if (event := self._on_trial.get(workflow_id)) is not None:
            event.set()

    def progressed(self, workflow_id: str) -> None:
        """It has recorded something, on any thread: what killed the process before comes no more."""
        if (event := self._on_trial.get(workflow_id)) is not None:
            self._loop.call_soon_threadsafe(event.set)

    async def acquit(self) -> None:
        """A clean end of the process is nobody's fault."""
        try:
            await self._store.put_on_trial(self._identity().executor_id, "")
        except DatabaseError as error:
            logger.warning("the hand-over counts as an attempt, the database being away: %s", error)

    async def _sit(self, workflow_id: str, over: asyncio.Event) -> None:
        try:
            async with asyncio.timeout(LONGEST):
                await over.wait()
        except TimeoutError:
            logger.warning("workflow %s has been tried by itself for %g s", workflow_id, LONGEST)
        try:
            await self._say("" if self._suspects > 1 else None)
        finally:
            self._close(workflow_id)

    def _close(self, workflow_id: str) -> None:
        self._on_trial.pop(workflow_id, None)
        self._suspects -= 1
        self._court.release()

    async def _say(self, blamed: str | None) -> None:
        attempt = 0
        while True:
            try:
                return await self._store.put_on_trial(self._identity().executor_id, blamed)
            except DatabaseError as error:
                attempt += 1
                logger.warning("a trial waits for the database: %s", error)
                await self._world.sleep(reconnect_delay(attempt, self._world.random))
