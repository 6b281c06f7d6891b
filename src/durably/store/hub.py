"""The waiters of a process: results, events, messages, streams. They cost memory, no connection, no thread.

Notices wake the waiter they name within milliseconds. What sends none (a DBOS executor that finishes a
workflow) is seen by one shared query, from 10 ms after the wait began slowing down to once a second.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import Any

from durably.concurrency.tasks import end
from durably.core.names import DURABLY_CHANNEL, EVENTS_CHANNEL, MESSAGES_CHANNEL, STREAMS_CHANNEL
from durably.core.ports import Ready, ResultRow, Wait, World
from durably.errors import DatabaseError, NotRunning

__all__ = ["Hub"]

logger = logging.getLogger(__name__)

FASTEST = 0.01  # seconds
SLOWEST = 1.0  # seconds, while something is waited for
IDLE = 1.7  # seconds: with a beat every 5 s and the sweep's three statements every 15 s that is one a second
GROWTH = 1.6
SHARE = 0.1  # of its time that a process may spend in the fallback query


class Hub:
    """Futures for things that happen in the database.

    `poll(waits)` is the fallback query. An executor gives `pulse` as well: the same query with everything
    else that time or a silent peer can bring, and `saw`, which is told what it returned; at rest the pulse
    alone is asked, for both. `heard` is told of notices about queues and cancellations.
    """

    def __init__(
        self,
        poll: Callable[[Sequence[Wait]], Awaitable[Ready]],
        world: World,
        *,
        pulse: Callable[[Sequence[Wait]], Awaitable[Ready]] | None = None,
        saw: Callable[[Ready], None] | None = None,
        heard: Callable[[str, str], None] | None = None,
    ) -> None:
        self._poll = poll
        self._pulse = pulse
        self._world = world
        self._saw = saw
        self._heard = heard
        self._waits: dict[Wait, dict[asyncio.Future[Any], int]] = {}  # and as the how many-th each came
        self._came = 0
        self._streams: dict[str, set[Wait]] = {}  # of those, the ones for streams, by workflow
        self._hot: set[Wait] = set()  # to be asked about at once
        self._woken = asyncio.Event()
        self._poll_pace = FASTEST
        self._pulse_pace = FASTEST
        self._poll_at = 0.0
        self._pulse_at = 0.0
        self._next_due: float | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to poll, on the running loop."""
        self._task = asyncio.get_running_loop().create_task(self._loop(), name="durably-hub")

    async def stop(self) -> None:
        """End; waits that are left are cancelled. Stopping twice is fine."""
        await end(self._task)
        for future in [f for futures in self._waits.values() for f in futures]:
            if not future.done():
                future.set_exception(NotRunning("the wait is over: the application or client is closed"))
                future.exception()  # seen: whoever waited may be gone already

    @contextlib.contextmanager
    def watch(self, wait: Wait, *, ask: bool = True) -> Iterator[asyncio.Future[Any]]:
        """A future of a ResultRow, an event's (value, serialization), a message's or stream value's arrival.

        `ask=False`: the caller has just looked, so only news matters.
        """
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._came += 1
        self._waits.setdefault(wait, {})[future] = self._came
        if wait.kind == "stream":
            self._streams.setdefault(wait.id, set()).add(wait)
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
                self._resolve(Wait("message", workflow_id, topic), True, self._came)
            case (c, (workflow_id, _, key)) if c == EVENTS_CHANNEL:
                self._heat([Wait("event", workflow_id, key)])
            case (c, (workflow_id, _, key)) if c == STREAMS_CHANNEL:
                self._heat(wait for wait in self._streams.get(workflow_id, ()) if wait.key == key)
            case (c, ("r", _, "*")) if c == DURABLY_CHANNEL:
                self._heat([wait for wait in self._waits if wait.kind in ("result", "stream")])
            case (c, ("r", _, workflow_id)) if c == DURABLY_CHANNEL:
                self._heat([Wait("result", workflow_id), *self._streams.get(workflow_id, ())])
            case (c, (kind, _, subject)) if c == DURABLY_CHANNEL and self._heard is not None:
                self._heard(kind, subject)
            case _:
                pass

    def announce(self, result: ResultRow) -> None:
        """An outcome that this process itself committed."""
        self._resolve(Wait("result", result.workflow_id), result, self._came)
        self._heat(self._streams.get(result.workflow_id, ()))

    def ask_soon(self) -> None:
        """Let the next pulse come at once."""
        self._pulse_pace, self._pulse_at = FASTEST, 0.0
        self._woken.set()

    def expect(self, seconds: float) -> None:
        """Let a pulse come in so many seconds, when something is due."""
        at = self._world.monotonic() + seconds
        if at < self._pulse_at:
            self._pulse_at = at
            self._woken.set()

    def _hurry(self) -> None:
        """Someone new waits: look often again. The first finds a loop that rests until it is woken."""
        if self._hot or self._poll_pace > FASTEST or len(self._waits) == 1:
            self._poll_pace = FASTEST
            self._poll_at = min(self._poll_at, self._world.monotonic() + FASTEST)
            self._woken.set()

    def _heat(self, waits: Iterable[Wait]) -> None:
        known = [wait for wait in waits if wait in self._waits]
        if known:
            self._hot.update(known)
            self._woken.set()

    def _forget(self, wait: Wait, future: asyncio.Future[Any]) -> None:
        futures = self._waits.get(wait, {})
        futures.pop(future, None)
        if not futures:
            self._waits.pop(wait, None)
            self._hot.discard(wait)
            self._forget_stream(wait)

    def _forget_stream(self, wait: Wait) -> None:
        if (waits := self._streams.get(wait.id)) is not None:
            waits.discard(wait)
            if not waits:
                del self._streams[wait.id]

    def _resolve(self, wait: Wait, value: Any, came: int) -> None:
        """Tell those who came before the value was looked up: to others it may be old."""
        for future, number in self._waits.get(wait, {}).items():
            if number <= came and not future.done():
                future.set_result(value)

    async def _loop(self) -> None:
        while True:
            self._woken.clear()
            began = self._world.monotonic()
            if self._pulse is not None and began >= self._pulse_at:
                self._hot.clear()
                await self._ask(self._pulse, list(self._waits))
                self._pace_pulse(self._world.monotonic() - began)
            elif self._hot:
                hot = list(self._hot)
                self._hot.clear()
                await self._ask(self._poll, hot)
            elif self._waits and began >= self._poll_at:
                await self._ask(self._poll, list(self._waits))
                self._pace_poll(self._world.monotonic() - began)
            await self._rest()

    async def _ask(self, query: Callable[[Sequence[Wait]], Awaitable[Ready]], waits: list[Wait]) -> None:
        came = self._came
        try:
            ready = await query(waits)
        except DatabaseError as error:
            logger.warning("the fallback query waits for the database: %s", error)
            return
        except Exception:
            logger.exception("the fallback query is refused")
            return
        self._tell(ready, came)
        if query is self._pulse and self._saw is not None:
            self._next_due = ready.next_delay
            self._saw(ready)

    def _tell(self, ready: Ready, came: int) -> None:
        for result in ready.results:
            self._resolve(Wait("result", result.workflow_id), result, came)
        for workflow_id, key, value, serialization in ready.events:
            self._resolve(Wait("event", workflow_id, key), (value, serialization), came)
        for workflow_id, topic in ready.messages:
            self._resolve(Wait("message", workflow_id, topic), True, came)
        for workflow_id, key, offset in ready.streams:
            self._resolve(Wait("stream", workflow_id, key, offset), True, came)

    def _pace_poll(self, spent: float) -> None:
        self._poll_pace = min(SLOWEST, max(self._poll_pace * GROWTH, spent / SHARE))
        self._poll_at = self._world.monotonic() + self._poll_pace

    def _pace_pulse(self, spent: float) -> None:
        """Fast while it finds work that nobody announced (`ask_soon`), slowing down to the idle pace."""
        self._pulse_pace = min(IDLE, max(self._pulse_pace * GROWTH, spent / SHARE))
        wait = self._pulse_pace
        if self._next_due is not None:  # what is due every millisecond is not asked for every millisecond
            wait = min(wait, max(self._next_due, spent / SHARE))
        self._pulse_at = self._world.monotonic() + wait

    async def _rest(self) -> None:
        """Until the next query is due; a poll as slow as the pulse is left to the pulse."""
        if self._hot:
            return
        due = []
        if self._pulse is not None:
            due.append(self._pulse_at)
        if self._waits and (self._pulse is None or self._poll_pace < SLOWEST):
            due.append(self._poll_at)
        if not due:
            await self._woken.wait()
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, min(due) - self._world.monotonic())):
                await self._woken.wait()
