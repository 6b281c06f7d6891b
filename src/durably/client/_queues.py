"""Queues: their limits, and letting them run or rest."""

from __future__ import annotations

from typing import Any

from durably.client._base import Part
from durably.core import checks
from durably.core.limits import CONFLICTS, CURRENT, Change, limited_queue
from durably.errors import InvalidOption, NoSuchQueue
from durably.store import queues
from durably.types import QueueConflict, QueueInfo, QueueStats, RateLimit, Seconds

__all__ = ["Queues"]

FIRST_LOOK, SLOWEST_LOOK = 0.05, 1.0  # seconds between looks at a queue that drains


class Queues(Part):
    """What shows and steers queues."""

    async def register_queue(
        self,
        name: str,
        *,
        concurrency: int | None = None,
        worker_concurrency: int | None = None,
        limiter: RateLimit | None = None,
        partition_concurrency: int | None = None,
        partition_worker_concurrency: int | None = None,
        partition_limiter: RateLimit | None = None,
        polling_interval_sec: float = 1.0,
        on_conflict: QueueConflict = "always_update",
        application_name: str | None = None,
    ) -> QueueInfo:
        """Create a queue or, unless `on_conflict` is "never_update", give it these limits; returns it.

        Workers follow within a second. `polling_interval_sec` is for DBOS's workers; ours are notified.
        Raises QueueOwned, and InvalidOption for limits that cannot work.

            await client.register_queue("emails", concurrency=20, limiter=RateLimit(limit=100, period=60))
        """
        checks.choice("on_conflict", on_conflict, [c for c in CONFLICTS if c != "update_if_latest_version"])
        row = limited_queue(
            name,
            concurrency=concurrency,
            worker_concurrency=worker_concurrency,
            limiter=limiter,
            partition_concurrency=partition_concurrency,
            partition_worker_concurrency=partition_worker_concurrency,
            partition_limiter=partition_limiter,
        )
        polling = checks.duration("polling_interval_sec", polling_interval_sec, zero=False)
        owner = checks.optional_name("application_name", application_name)
        await self._session.call(
            lambda open_: queues.register(
                open_.database,
                row,
                application_name=owner or self._session.settings.application_name,
                on_conflict=on_conflict,
                polling_interval_sec=polling or 1.0,
            )
        )
        return await self.get_queue(name)

    async def update_queue(
        self,
        name: str,
        *,
        concurrency: Change[int] = CURRENT,
        worker_concurrency: Change[int] = CURRENT,
        limiter: Change[RateLimit] = CURRENT,
        partition_concurrency: Change[int] = CURRENT,
        partition_worker_concurrency: Change[int] = CURRENT,
        partition_limiter: Change[RateLimit] = CURRENT,
        polling_interval_sec: float | None = None,
    ) -> QueueInfo:
        """Change the limits that are named, None for no limit, and leave the others; returns the queue.

        What runs goes on; workers follow within a second. `polling_interval_sec` is for DBOS's workers.
        Raises NoSuchQueue, and InvalidOption for limits that cannot work together.

            await client.update_queue("emails", concurrency=5, limiter=None)
        """
        changes: dict[str, Any] = {
            "concurrency": concurrency,
            "worker_concurrency": worker_concurrency,
            "limiter": limiter,
            "partition_concurrency": partition_concurrency,
            "partition_worker_concurrency": partition_worker_concurrency,
            "partition_limiter": partition_limiter,
        }
        named = {option: value for option, value in changes.items() if value is not CURRENT}
        if polling_interval_sec is not None:
            polling = checks.duration("polling_interval_sec", polling_interval_sec, zero=False)
            named["polling_interval_sec"] = polling
        await self._session.call(lambda open_: queues.update(open_.database, name, named))
        return await self.get_queue(name)

    async def get_queue(self, name: str) -> QueueInfo:
        """Return a queue with its limits and pauses. Raises NoSuchQueue.

        print((await client.get_queue("emails")).concurrency)
        """
        found = await self._listed(checks.address("name", name), None)
        if not found:
            raise NoSuchQueue(name)
        return found[0]

    async def list_queues(self, *, application_name: str | None = None) -> list[QueueInfo]:
        """Return the registered queues, by name: an application's and those of none, or all.

        for queue in await client.list_queues(): print(queue.name, queue.pauses)
        """
        return await self._listed(None, self._scope(application_name))

    async def delete_queue(self, name: str) -> bool:
        """Delete a queue's registration; returns whether there was one.

        Its workflows stay: those that wait do so until the queue is registered again.

            await client.delete_queue("emails")
        """
        checks.address("name", name)
        return await self._session.call(lambda open_: queues.delete(open_.database, name))

    async def pause_queue(
        self,
        name: str,
        *,
        executor_id: str | None = None,
        reason: str | None = None,
        paused_by: str | None = None,
    ) -> QueueInfo:
        """Let durably's workers, or one of them, take nothing more from a queue; returns it.

        What runs goes on, see `drain_queue`. DBOS's own workers do not know of pauses. `QueueInfo.pauses` and
        `explain` show `reason` and `paused_by` (the role of the database unless given). Raises NoSuchQueue,
        and InvalidOption for an executor that does not run.

            await client.pause_queue("emails", reason="the provider is down")
        """
        worker = checks.optional_address("executor_id", executor_id) or ""
        why, who = checks.optional_name("reason", reason), checks.optional_name("paused_by", paused_by)
        checks.address("name", name)
        is_queue, is_executor = await self._session.call(
            lambda open_: queues.pause(open_, name, executor_id=worker, reason=why, paused_by=who)
        )
        if not is_queue:
            raise NoSuchQueue(name)
        if not is_executor:
            raise InvalidOption("executor_id", executor_id, "no durably worker with this id runs now")
        return await self.get_queue(name)

    async def resume_queue(self, name: str, *, executor_id: str | None = None) -> bool:
        """Let workers take from a queue again: one of them, or all; returns whether it was paused.

        Without `executor_id` every pause of the queue ends, those on single workers too. Raises NoSuchQueue.

            await client.resume_queue("emails")
        """
        worker = checks.optional_address("executor_id", executor_id) or ""
        checks.address("name", name)
        is_queue, is_changed = await self._session.call(
            lambda open_: queues.unpause(open_, name, executor_id=worker)
        )
        if not is_queue:
            raise NoSuchQueue(name)
        return is_changed

    async def drain_queue(
        self,
        name: str,
        *,
        executor_id: str | None = None,
        reason: str | None = None,
        paused_by: str | None = None,
        timeout: Seconds | None = None,
    ) -> bool:
        """Pause a queue and wait until nothing of it runs, everywhere or on one executor.

        Returns False if something runs still after `timeout` seconds; the queue stays paused in any case.

            if await client.drain_queue("emails", timeout=60): migrate_the_provider()
        """
        patience = checks.wait_seconds("timeout", timeout)
        await self.pause_queue(name, executor_id=executor_id, reason=reason or "drained", paused_by=paused_by)
        world = self._session.world
        end = None if patience is None else world.monotonic() + patience
        pause, still = FIRST_LOOK, 0
        while still < 2:  # a claim that began before the pause may show up after the first look
            running = await self._session.call(
                lambda open_: queues.running(open_.database, name, executor_id=executor_id or "")
            )
            still = 0 if running else still + 1
            if running and end is not None and world.monotonic() >= end:
                return False
            if still < 2:
                await world.sleep(pause if end is None else min(pause, max(0.01, end - world.monotonic())))
                pause = min(SLOWEST_LOOK, pause * 1.5) if running else FIRST_LOOK
        return True

    async def queue_stats(
        self, name: str | None = None, *, application_name: str | None = None
    ) -> list[QueueStats]:
        """Return what is on the registered queues now, or on one of them (NoSuchQueue if there is none).

        for queue in await client.queue_stats(): print(queue.name, queue.enqueued, queue.pending)
        """
        wanted = checks.optional_address("name", name)
        scope = self._scope(application_name) if wanted is None else None
        found = await self._session.call(lambda open_: queues.stats(open_, wanted, scope))
        if wanted is not None and not found:
            raise NoSuchQueue(wanted)
        return found

    def _scope(self, application_name: str | None) -> str | None:
        given = checks.optional_name("application_name", application_name)
        return given or self._session.settings.application_name

    async def _listed(self, name: str | None, scope: str | None) -> list[QueueInfo]:
        return await self._session.call(lambda open_: queues.listed(open_, name, scope))
