"""How much an executor may take from a queue."""

from __future__ import annotations

from durably.core.ports import QueueRow

__all__ = ["places"]


def places(queue: QueueRow, *, free: int, running: int) -> int:
    """Workflows to ask for: what is free here, within the queue's limit for one worker.

    Limits that executors share are counted in the database, under the queue's lock.
    """
    if queue.worker_concurrency is not None:
        free = min(free, queue.worker_concurrency - running)
    return max(0, free)
