"""Queues: their limits, pauses and figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from durably.types.aliases import Seconds

__all__ = [
    "Backlog",
    "QueueActivity",
    "QueueInfo",
    "QueuePause",
    "QueueStats",
    "RateLimit",
]


@dataclass(frozen=True)
class RateLimit:
    """At most `limit` starts in any `period` (seconds), of a queue or of each of its partitions.

    queue = app.queue("emails", limiter=RateLimit(limit=100, period=60))
    """

    limit: int
    period: Seconds


@dataclass(frozen=True, kw_only=True)
class QueuePause:
    """Where a queue is paused (`executor_id` None: everywhere), why, since when (epoch ms), and by whom."""

    executor_id: str | None
    reason: str | None
    paused_at: int
    paused_by: str | None = None


@dataclass(frozen=True, kw_only=True)
class QueueInfo:
    """A queue as it is registered: limits, owner, where it is paused. Instants are epoch milliseconds."""

    name: str
    concurrency: int | None = None
    worker_concurrency: int | None = None
    limiter: RateLimit | None = None
    partition_concurrency: int | None = None
    partition_worker_concurrency: int | None = None
    partition_limiter: RateLimit | None = None
    polling_interval_sec: float = 1.0
    application_name: str | None = None
    created_at: int = 0
    updated_at: int = 0
    pauses: tuple[QueuePause, ...] = ()


@dataclass(frozen=True, kw_only=True)
class QueueStats:
    """What is on a queue now.

    `running_on` counts what runs by executor, `starts_in_period` what counts against the queue's rate limit.
    """

    name: str
    enqueued: int
    delayed: int
    pending: int
    running_on: Mapping[str, int]
    oldest_enqueued_at: int | None
    starts_in_period: int | None
    is_paused: bool


@dataclass(frozen=True, kw_only=True)
class QueueActivity:
    """What a queue holds now, each count up to `counted_to`, and did in the last hour.

    `is_registered` is False for a queue that holds work and has no row: nobody takes that work. `starts` and
    `finishes` count by minute, 60 of them, the present one last; where `is_estimate`, busy minutes were
    estimated from their first starts. Instants are epoch milliseconds, `measured_at` the database's now.
    """

    name: str
    is_registered: bool
    enqueued: int
    delayed: int
    running_on: Mapping[str, int]
    oldest_enqueued_at: int | None
    starts_in_period: int | None
    starts: tuple[int, ...]
    finishes: tuple[int, ...]
    is_estimate: bool
    counted_to: int
    measured_at: int

    @property
    def running(self) -> int:
        """How many of its workflows run."""
        return sum(self.running_on.values())


@dataclass(frozen=True, kw_only=True)
class Backlog:
    """A partition of a queue with work that waits: counts up to `counted_to`, the age of what is next."""

    key: str
    enqueued: int
    running: int
    next_enqueued_at: int | None
    counted_to: int
