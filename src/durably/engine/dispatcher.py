"""Claims work of all queues for this executor, in batches, most urgent first.

Woken by a notice, by a place that came free, by the fallback query; idle it does nothing at all.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence

from durably.concurrency.tasks import end
from durably.core.admission import places
from durably.core.ids import new_id
from durably.core.ports import Claim, Claimed, ExecutorIdentity, HistoryRow, QueueRow, Ready, Store, World
from durably.engine.executor import Executor
from durably.engine.registry import Registry
from durably.errors import DatabaseError

__all__ = ["Dispatcher"]

logger = logging.getLogger(__name__)

BATCH = 250  # workflows in a claim: beyond it claims get no cheaper per workflow
BARREN = 3  # empty claims in a row, of a queue that the pulse says has work, before it is worth a word
STRANGER = 60.0  # seconds for which a queue that no pulse has listed as ours is not asked about again
STRANGERS = 1000  # such queues to remember
EVERY_QUEUE = "*"  # in a notice: any queue may have work
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
    ) -> None:
        self._store = store
        self._executor = executor
        self._identity = identity
        self._formats = formats
        self._capacity = capacity
        self._world = world
        self._ask = ask
        self._registry = registry
        self._queues: dict[str, QueueRow] = {}
        self._ready: dict[str, bool] = {}  # queues that may have work, in order, and whether a notice said so
        self._strangers: dict[str, float] = {}  # queues that are not ours, so far, and when to ask again
        self._barren: dict[str, int] = {}  # queues with work that gave us none, and how often in a row
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._claiming: asyncio.Task[list[Claimed]] | None = None
        self.in_flight: set[str] = set()  # tokens of claims whose answer is still out
        self.unanswered: set[str] = set()  # tokens of claims whose answer was lost: they may have happened

    def start(self) -> None:
        """Begin to claim, on the running loop."""
        self._task = asyncio.get_running_loop().create_task(self._loop(), name="durably-dispatcher")

    async def stop(self) -> None:
        """Claim nothing more. An unanswered claim is waited for, so that its work is not stranded."""
        await end(self._task)
        if self._claiming is not None:
            with contextlib.suppress(Exception):  # the loop has told of it, or it is too late to matter
                await self._claiming

    def offer(self, queue_name: str) -> None:
        """A notice says that this queue has work."""
        queue = self._queues.get(queue_name)
        if queue is None:
            self._ask_about(queue_name)
        elif not queue.partitioned:
            self._ready[queue_name] = True
            self._woken.set()

    def saw(self, ready: Ready) -> None:
        """The fallback query lists our queues with work, and their limits as they are now."""
        for queue in ready.queues:
            self._remember(queue)
            if not queue.partitioned:
                self._ready.setdefault(queue.name, False)
        if self._ready:
            self._woken.set()

    def freed(self, queue_name: str) -> None:
        """A place came free, here and (where the queue has a limit) on that queue."""
        queue = self._queues.get(queue_name)
        if queue is not None and not queue.partitioned and (queue.limited or queue.worker_concurrency):
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

    def _remember(self, queue: QueueRow) -> None:
        if queue.partitioned and queue.name not in self._queues:
            logger.warning("queue %s is partitioned: this release does not serve it", queue.name)
        self._queues[queue.name] = queue

    async def _loop(self) -> None:
        while True:
            await self._room()
            name = next(iter(self._ready))
            announced = self._ready.pop(name)  # before its claim: what is announced during it comes after it
            try:
                if await self._serve(self._queues[name], announced):
                    self._ready.setdefault(name, announced)  # behind the other queues
            except DatabaseError as error:
                logger.warning("claiming waits for the database: %s", error)
                self._ready.clear()
            except Exception:
                logger.exception("queue %s is left alone until the next pulse", name)

    async def _room(self) -> None:
        """Wait for work, and for places: a quarter of all, or what is free after a moment."""
        while not self._ready or self._executor.active >= self._capacity:
            self._woken.clear()
            await self._woken.wait()
        if self._capacity - self._executor.active < min(BATCH, self._capacity // 4):
            await self._world.sleep(PATIENCE)

    async def _serve(self, queue: QueueRow, announced: bool) -> bool:
        """Claim what there is room for; whether the queue may have more for us."""
        free = min(BATCH, self._capacity - self._executor.active)
        if free <= 0:
            return True
        most = places(queue, free=free, running=self._executor.by_queue.get(queue.name, 0))
        if most <= 0:
            return False  # until one of its own runs ends: see `freed`
        self._claiming = asyncio.get_running_loop().create_task(self._claim(queue, most))
        claimed = await asyncio.shield(self._claiming)
        if not queue.limited:
            self._note_barren(queue.name, barren=not claimed)
        if 0 < len(claimed) < most and not announced:
            self._ask()  # its enqueuer sends no notices: look again soon
        return len(claimed) == most

    def _note_barren(self, name: str, *, barren: bool) -> None:
        """Say once when a queue has work that this executor cannot take; it is left for one that can."""
        times = self._barren[name] = self._barren.get(name, 0) + 1 if barren else 0
        if times == BARREN:
            logger.warning(
                "queue %s has work that this process cannot run: its workflows, their version or their "
                "serialization are not known here; it is left for a process that can",
                name,
            )

    async def _claim(self, queue: QueueRow, most: int) -> list[Claimed]:
        identity, owner = self._identity(), new_id(self._world.random)
        self.in_flight.add(owner)
        try:
            claimed = await self._store.claim(
                Claim(
                    queue_name=queue.name,
                    executor_id=identity.executor_id,
                    application_name=identity.application_name,
                    app_version=identity.app_version,
                    owner=owner,
                    most=most,
                    runnable=self._registry.runnable(),
                    formats=self._formats,
                    limited=queue.limited,
                    code=identity.code,
                )
            )
            history = await self._history(claimed)
            for workflow in claimed:
                self._executor.begin(workflow, owner, history.get(workflow.workflow_id, ()))
        except DatabaseError:
            self.unanswered.add(owner)
            raise
        finally:
            self.in_flight.discard(owner)
        return claimed

    async def _history(self, claimed: Sequence[Claimed]) -> dict[str, list[HistoryRow]]:
        resumed = [workflow.workflow_id for workflow in claimed if workflow.has_history]
        history: dict[str, list[HistoryRow]] = {}
        for row in await self._store.history(resumed) if resumed else ():
            history.setdefault(row.workflow_id, []).append(row)
        return history
