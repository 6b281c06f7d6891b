"""Claims work of all queues for this executor, in batches, most urgent first.

Woken by a notice, by a place that came free, by the fallback query; idle it does nothing at all.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection, Sequence

from durably.concurrency.tasks import end
from durably.core.admission import places
from durably.core.names import INTERNAL_QUEUE
from durably.core.ports import ExecutorIdentity, QueueRow, Ready, Store, World
from durably.engine.claims import Claims
from durably.engine.executor import Executor
from durably.engine.registry import Registry
from durably.engine.tenure import Tenure
from durably.errors import DatabaseError
from durably.observing import NOBODY, Observer

__all__ = ["Dispatcher"]

logger = logging.getLogger(__name__)

BATCH = 250  # workflows in a claim: beyond it claims get no cheaper per workflow
BARREN = 3  # empty claims in a row, of a queue that the pulse says has work, before a look at what is there
BEATEN = 60  # more of them before another look, where others were merely quicker
STRANGER = 60.0  # seconds for which a queue that no pulse has listed as ours is not asked about again
STRANGERS = 1000  # such queues to remember
EVERY_QUEUE = "*"  # in a notice: any queue may have work
TICK = 0.001  # seconds: the database counts in milliseconds
PATIENCE = 0.004  # seconds for places to gather under load, so that claims stay large


class Dispatcher:
    """Turns queued work into runs, as long as there is room for them."""

    def __init__(
        self,
        *,
        store: Store,
        executor: Executor,
        registry: Registry,
        identity: Callable[[], ExecutorIdentity],
        formats: Sequence[str],
        capacity: int,
        world: World,
        ask: Callable[[], None],
        tenure: Tenure,
        listen_queues: Collection[str] | None = None,
        observer: Observer = NOBODY,
    ) -> None:
        self._executor = executor
        self.capacity = capacity
        self._world = world
        self._ask = ask
        self._tenure = tenure
        self._listen_queues = None if listen_queues is None else {*listen_queues, INTERNAL_QUEUE}
        self.claims = Claims(
            store=store,
            executor=executor,
            registry=registry,
            identity=identity,
            formats=formats,
            world=world,
            observer=observer,
        )
        self._queues: dict[str, QueueRow] = {}
        self._ready: dict[str, bool] = {}  # queues that may have work, in order, and whether a notice said so
        self._strangers: dict[str, float] = {}  # queues that are not ours, so far, and when to ask again
        self._barren: dict[str, int] = {}  # queues with work that gave us none, and how often in a row
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._claiming: asyncio.Task[tuple[int, bool]] | None = None
        self._alarms: dict[
            str, asyncio.TimerHandle
        ] = {}  # queues whose rate limit allows a start again, later

    def start(self) -> None:
        """Begin to claim, on the running loop."""
        self._task = asyncio.get_running_loop().create_task(self._loop(), name="durably-dispatcher")

    async def stop(self) -> None:
        """Claim nothing more. An unanswered claim is waited for, so that its work is not stranded."""
        await end(self._task)
        for alarm in self._alarms.values():
            alarm.cancel()
        if self._claiming is not None:
            with contextlib.suppress(Exception):  # the loop has told of it, or it is too late to matter
                await self._claiming

    def offer(self, queue_name: str) -> None:
        """A notice says that this queue has work."""
        if not self._is_served(queue_name):
            return
        if queue_name not in self._queues:
            self._ask_about(queue_name)
        else:
            self._ready[queue_name] = True
            self._woken.set()

    def forget(self, queue_name: str) -> None:
        """A notice says that this queue has other limits, or is paused no more: ask what it is like now."""
        self._queues.pop(queue_name, None)
        self._ready.pop(queue_name, None)
        self._strangers.pop(queue_name, None)
        if self._is_served(queue_name):
            self._ask()

    def saw(self, ready: Ready) -> None:
        """The fallback query lists our queues with work, and their limits as they are now."""
        for queue in ready.queues:
            if self._is_served(queue.name):
                self._queues[queue.name] = queue
                self._ready.setdefault(queue.name, False)
        if self._ready:
            self._woken.set()

    def freed(self, queue_name: str) -> None:
        """A place came free, here and (where the queue has a limit) on that queue."""
        queue = self._queues.get(queue_name)
        if queue is not None and (queue.limited or queue.worker_concurrency):
            self._ready[queue_name] = True
        if self._ready:
            self._woken.set()

    def _ask_about(self, queue_name: str) -> None:
        """The next fallback query tells whether it is ours; another application's may be busy for ever."""
        now = self._world.monotonic()
        if queue_name != EVERY_QUEUE:
            if now < self._strangers.get(queue_name, now):
                return
            if len(self._strangers) >= STRANGERS:
                self._strangers.clear()
            self._strangers[queue_name] = now + STRANGER
        self._ask()

    def _is_served(self, queue_name: str) -> bool:
        return self._listen_queues is None or queue_name in self._listen_queues or queue_name == EVERY_QUEUE

    async def _loop(self) -> None:
        while True:
            await self._room()
            name = next(iter(self._ready))
            announced = self._ready.pop(name)  # before its claim: what is announced during it comes after it
            queue = self._queues[name]
            try:
                if await self._serve(queue, announced) and name in self._queues:
                    self._ready.setdefault(name, announced)  # behind the other queues
            except DatabaseError as error:
                logger.warning("claiming waits for the database: %s", error)
                self._ready.clear()
            except Exception:
                logger.exception("queue %s is left alone until the next pulse", name)

    async def _room(self) -> None:
        """Wait for work, for a sure lease, and for places: a quarter of all, or what is free soon."""
        while not self._ready or self._executor.active >= self.capacity or not self._tenure.is_sure:
            await self._tenure.sure()  # without it, what is claimed would be put back
            self._woken.clear()
            if not self._ready or self._executor.active >= self.capacity:
                await self._woken.wait()
        if self.capacity - self._executor.active < min(BATCH, self.capacity // 4):
            await self._world.sleep(PATIENCE)

    async def _serve(self, queue: QueueRow, announced: bool) -> bool:
        """Claim what there is room for; whether the queue may have more for us."""
        free = min(BATCH, self.capacity - self._executor.active)
        if free <= 0:
            return True
        most = places(queue, free=free, running=self._executor.by_queue.get(queue.name, 0))
        if most <= 0:
            return False  # until one of its own runs ends: see `freed`
        self._claiming = asyncio.get_running_loop().create_task(self.claims.take(queue, most))
        claimed, more = await asyncio.shield(self._claiming)
        await self._note_barren(queue, barren=not claimed)
        if 0 < claimed < most and not announced:
            self._ask()  # its enqueuer sends no notices: look again soon
        return more or await self._wait_for_rate(queue, claimed)

    async def _wait_for_rate(self, queue: QueueRow, claimed: int) -> bool:
        """Look again when a rate limit allows a start; at once where the window has emptied just now."""
        seconds = await self.claims.next_start(queue)
        former = self._alarms.pop(queue.name, None)
        if former is not None:
            former.cancel()
        if seconds is not None:
            self._alarm(queue.name, seconds)
        return seconds is None and former is not None and not claimed

    def _alarm(self, name: str, seconds: float) -> None:
        """Look at a queue again when its rate limit allows a start."""
        loop = asyncio.get_running_loop()
        self._alarms[name] = loop.call_later(max(0.0, seconds) + TICK, self.offer, name)

    async def _note_barren(self, queue: QueueRow, *, barren: bool) -> None:
        """Say once when a queue has work that this executor cannot take; it is left for one that can."""
        times = self._barren[queue.name] = self._barren.get(queue.name, 0) + 1 if barren else 0
        if times != BARREN:
            return
        left = await self.claims.untakable(queue)
        if left is None:
            self._barren[queue.name] = -BEATEN
            return
        logger.warning(
            "queue %s has work that this process cannot run: %s; it is left for a process that knows its "
            "name, its version and its serialization",
            queue.name,
            left,
        )
