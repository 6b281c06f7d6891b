"""The waiters of a process: results, events, messages. They cost memory, never a connection or a thread.

Notices wake the waiter they name within milliseconds. What sends none (a DBOS executor that finishes a
workflow) is seen by one shared query, from 10 ms after the wait began slowing down to once a second.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import Any

from durably.core.names import DURABLY_CHANNEL, EVENTS_CHANNEL, MESSAGES_CHANNEL
from durably.core.ports import Ready, ResultRow, Wait, World
from durably.errors import DatabaseError

__all__ = ["Hub"]

logger = logging.getLogger(__name__)

FASTEST = 0.01  # seconds
SLOWEST = 1.0  # seconds, while something is waited for
IDLE = 1.25  # seconds: with a heartbeat every 5 s an idle executor asks once a second
GROWTH = 1.6
SHARE = 0.1  # of its time that a process may spend in the fallback query


class Hub:
    """Futures for things that happen in the database.

    `poll` is the fallback query; `saw` is told everything that it returned, `heard` of notices about queues
    and cancellations (an executor's business, see `engine.dispatcher`).
    """

    def __init__(
        self,
        poll: Callable[[Sequence[Wait]], Awaitable[Ready]],
        world: World,
        *,
        saw: Callable[[Ready], None] | None = None,
        heard: Callable[[str, str], None] | None = None,
    ) -> None:
        self._poll = poll
        self._world = world
        self._saw = saw
        self._heard = heard
        self._waits: dict[Wait, set[asyncio.Future[Any]]] = {}
        self._hot: set[Wait] = set()
        self._woken = asyncio.Event()
        self._interval = FASTEST
        self._next_due: float | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to poll, on the running loop."""
        self._task = asyncio.get_running_loop().create_task(self._loop(), name="durably-hub")

    async def stop(self) -> None:
        """End; waits that are left are cancelled. Stopping twice is fine."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        for future in [f for futures in self._waits.values() for f in futures]:
            future.cancel()

    @contextlib.contextmanager
    def watch(self, wait: Wait, *, ask: bool = True) -> Iterator[asyncio.Future[Any]]:
        """A future of a ResultRow, of an event's (value, serialization), or of a message's presence.

        `ask=False`: the caller has just looked, so only news matters.
        """
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waits.setdefault(wait, set()).add(future)
        if ask:
            self._hot.add(wait)
        self._hurry()
        try:
            yield future
        finally:
            self._forget(wait, future)

    def notice(self, channel: str, payload: str) -> None:
        """A notice arrived: look at what it names."""
        match channel, payload.partition("::"):
            case (c, (workflow_id, _, topic)) if c == MESSAGES_CHANNEL:
                self._resolve(Wait("message", workflow_id, topic), True)
            case (c, (workflow_id, _, key)) if c == EVENTS_CHANNEL:
                self._heat([Wait("event", workflow_id, key)])
            case (c, ("r", _, "*")) if c == DURABLY_CHANNEL:
                self._heat([wait for wait in self._waits if wait.kind == "result"])
            case (c, ("r", _, workflow_id)) if c == DURABLY_CHANNEL:
                self._heat([Wait("result", workflow_id)])
            case (c, (kind, _, subject)) if c == DURABLY_CHANNEL and self._heard is not None:
                self._heard(kind, subject)
            case _:
                pass

    def announce(self, result: ResultRow) -> None:
        """An outcome that this process itself committed."""
        self._resolve(Wait("result", result.workflow_id), result)

    def ask_soon(self) -> None:
        """Let the next fallback query come at once."""
        self._interval = FASTEST
        self._woken.set()

    def _hurry(self) -> None:
        if self._hot or self._interval > FASTEST:
            self._interval = FASTEST
            self._woken.set()

    def _heat(self, waits: Iterable[Wait]) -> None:
        known = [wait for wait in waits if wait in self._waits]
        if known:
            self._hot.update(known)
            self._woken.set()

    def _forget(self, wait: Wait, future: asyncio.Future[Any]) -> None:
        futures = self._waits.get(wait, set())
        futures.discard(future)
        if not futures:
            self._waits.pop(wait, None)
            self._hot.discard(wait)

    def _resolve(self, wait: Wait, value: Any) -> None:
        for future in self._waits.get(wait, ()):
            if not future.done():
                future.set_result(value)

    async def _loop(self) -> None:
        while True:
            hot = list(self._hot)
            self._hot.clear()
            began = self._world.monotonic()
            await self._ask(hot or list(self._waits), complete=not hot)
            self._pace(hot=bool(hot), spent=self._world.monotonic() - began)
            if not self._hot:
                await self._rest()

    async def _ask(self, waits: list[Wait], *, complete: bool) -> None:
        if not waits and self._saw is None:
            return
        try:
            ready = await self._poll(waits)
        except DatabaseError as error:
            logger.warning("the fallback query waits for the database: %s", error)
            return
        for result in ready.results:
            self.announce(result)
        for workflow_id, key, value, serialization in ready.events:
            self._resolve(Wait("event", workflow_id, key), (value, serialization))
        for workflow_id, topic in ready.messages:
            self._resolve(Wait("message", workflow_id, topic), True)
        self._next_due = ready.next_delay
        if self._saw is not None:
            self._saw(ready)

    def _pace(self, *, hot: bool, spent: float) -> None:
        slowest = SLOWEST if self._waits and self._saw is None else IDLE
        grown = self._interval if hot else self._interval * GROWTH
        self._interval = min(slowest, max(grown, spent / SHARE))

    async def _rest(self) -> None:
        self._woken.clear()
        if not self._waits and self._saw is None:
            await self._woken.wait()
            return
        seconds = self._interval if self._next_due is None else min(self._interval, max(0.0, self._next_due))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()
