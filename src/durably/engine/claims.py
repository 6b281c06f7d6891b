"""One claim: which workflows of a queue become ours, and what is known of the claims that are under way."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from durably.core.ids import new_id
from durably.core.ports import Claim, Claimed, ExecutorIdentity, HistoryRow, QueueRow, Store, World
from durably.core.rota import Rota
from durably.engine.executor import Executor
from durably.engine.registry import Registry
from durably.errors import DatabaseError
from durably.observing import NOBODY, Observer

__all__ = ["Claims"]

logger = logging.getLogger(__name__)

STEPS = 1000  # partition keys to look at before a claim


class Claims:
    """Claims for one executor, and begins what it claimed."""

    def __init__(
        self,
        *,
        store: Store,
        executor: Executor,
        registry: Registry,
        identity: Callable[[], ExecutorIdentity],
        formats: Sequence[str],
        world: World,
        observer: Observer = NOBODY,
    ) -> None:
        self._store = store
        self._executor = executor
        self._registry = registry
        self._identity = identity
        self._formats = formats
        self._world = world
        self._observer = observer
        self._rotas: dict[str, Rota] = {}
        self.in_flight: set[str] = set()  # tokens of claims whose answer is still out
        self.unanswered: set[str] = set()  # tokens of claims whose answer was lost: they may have happened

    async def take(self, queue: QueueRow, most: int) -> tuple[int, bool]:
        """How many workflows began, `most` at most, and whether there may be more at once."""
        if not queue.partitioned:
            claimed = await self._claim(queue, most)
            return len(claimed), len(claimed) == most
        rota = self._rotas.setdefault(queue.name, Rota())
        keys = await self._turns(queue, rota, most)
        claimed = await self._claim(queue, most, keys) if keys else []
        return len(claimed), rota.served(workflow.queue_partition_key for workflow in claimed)

    async def next_start(self, queue: QueueRow) -> float | None:
        """Seconds until a rate limit allows a start again, where the queue has one."""
        return await self._store.next_start(queue.name) if queue.rate_limited else None

    async def untakable(self, queue: QueueRow) -> str | None:
        """One of the first workflows of a queue that this executor cannot run, if there is one."""
        return await self._store.untakable(self._asked(queue, 0, "", ()))

    async def _turns(self, queue: QueueRow, rota: Rota, most: int) -> list[str]:
        walked = await self._store.partitions(
            queue.name, self._identity().application_name, after=rota.at, wanted=most + 1, most=STEPS
        )
        return rota.choose(walked, most=most, is_circle=len(walked) < STEPS)

    async def _claim(self, queue: QueueRow, most: int, keys: Sequence[str] = ()) -> list[Claimed]:
        owner = new_id(self._world.random)
        self.in_flight.add(owner)
        began = self._world.monotonic()
        asked = self._asked(queue, most, owner, keys)
        try:
            claimed = await self._store.claim(asked)
            self._observer.claimed(queue.name, len(claimed), self._world.monotonic() - began)
            history = await self._history(claimed)
            if asked.executor_id != self._identity().executor_id:
                return []  # declared dead since: who finds that out puts them back
            for workflow in claimed:
                self._begin(workflow, owner, history.get(workflow.workflow_id, ()))
        except DatabaseError:
            self.unanswered.add(owner)
            raise
        finally:
            self.in_flight.discard(owner)
        return claimed

    def _asked(self, queue: QueueRow, most: int, owner: str, keys: Sequence[str]) -> Claim:
        identity = self._identity()
        return Claim(
            queue_name=queue.name,
            executor_id=identity.executor_id,
            application_name=identity.application_name,
            app_version=identity.app_version,
            owner=owner,
            most=most,
            running=self._executor.by_queue.get(queue.name, 0),
            runnable=self._registry.runnable(),
            formats=self._formats,
            limited=queue.limited,
            keys=keys,
            code=identity.code,
        )

    def _begin(self, claimed: Claimed, owner: str, history: Sequence[HistoryRow]) -> None:
        """A row that trips us stops itself and not those that were claimed with it."""
        try:
            self._executor.begin(claimed, owner, history)
        except Exception:
            logger.exception("workflow %s does not begin by a bug of durably", claimed.workflow_id)

    async def _history(self, claimed: Sequence[Claimed]) -> dict[str, list[HistoryRow]]:
        resumed = [workflow.workflow_id for workflow in claimed if workflow.has_history]
        history: dict[str, list[HistoryRow]] = {}
        for row in await self._store.history(resumed) if resumed else ():
            history.setdefault(row.workflow_id, []).append(row)
        return history
