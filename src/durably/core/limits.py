"""What a queue's limits may be: refused before anything is written, by name, with what to do instead."""

from __future__ import annotations

from enum import Enum
from typing import Literal, TypeAlias, TypeVar

from durably.core import checks
from durably.core.names import RESERVED_PREFIX
from durably.core.ports import QueueRow
from durably.errors import InvalidOption
from durably.types import RateLimit

__all__ = ["CONFLICTS", "CURRENT", "Change", "Current", "key_is_missing", "limited_queue"]

T = TypeVar("T")


class Current(Enum):
    """What stands for: as it is."""

    CURRENT = "as it is"


CURRENT = Current.CURRENT

Change: TypeAlias = T | Literal[Current.CURRENT] | None

CONFLICTS = ("update_if_latest_version", "always_update", "never_update")


def limited_queue(
    name: str,
    *,
    concurrency: int | None,
    worker_concurrency: int | None,
    limiter: RateLimit | None,
    partition_concurrency: int | None,
    partition_worker_concurrency: int | None,
    partition_limiter: RateLimit | None,
) -> QueueRow:
    """A queue of this name with these limits; InvalidOption if they cannot work together."""
    checks.name("name", name)
    if name.startswith(RESERVED_PREFIX):
        raise InvalidOption("name", name, f"names that begin with {RESERVED_PREFIX} are DBOS's own")
    limits = {
        "concurrency": concurrency,
        "worker_concurrency": worker_concurrency,
        "partition_concurrency": partition_concurrency,
        "partition_worker_concurrency": partition_worker_concurrency,
    }
    for option, limit in limits.items():
        if limit is not None:
            checks.whole(option, limit, least=1)
    _check_order(limits)
    rate, period = _window("limiter", limiter)
    partition_rate, partition_period = _window("partition_limiter", partition_limiter)
    return QueueRow(
        name=name,
        **limits,
        rate_limit_max=rate,
        rate_limit_period_sec=period,
        partition_rate_limit_max=partition_rate,
        partition_rate_limit_period_sec=partition_period,
    )


def key_is_missing(queue_name: str | None) -> InvalidOption:
    """The error of work without a key for a partitioned queue, where nobody would ever take it."""
    hint = f"queue {queue_name!r} is partitioned, so work for it needs a key: whose it is, a tenant's id, say"
    return InvalidOption("queue_partition_key", None, hint)


def _check_order(limits: dict[str, int | None]) -> None:
    """A limit of a part that exceeds the limit of the whole would never be met."""
    for part, whole in (
        ("worker_concurrency", "concurrency"),
        ("partition_concurrency", "concurrency"),
        ("partition_worker_concurrency", "partition_concurrency"),
        ("partition_worker_concurrency", "worker_concurrency"),
        ("partition_worker_concurrency", "concurrency"),
    ):
        inner, outer = limits[part], limits[whole]
        if inner is not None and outer is not None and inner > outer:
            raise InvalidOption(part, inner, f"it exceeds {whole}={outer}, so it would never be met")


def _window(option: str, limiter: RateLimit | None) -> tuple[int | None, float | None]:
    if limiter is None:
        return None, None
    if not isinstance(limiter, RateLimit):
        raise InvalidOption(
            option, limiter, "pass RateLimit(limit, period): so many starts in so many seconds"
        )
    starts = checks.whole(f"{option}.limit", limiter.limit, least=1)
    return starts, checks.duration(f"{option}.period", limiter.period, zero=False)
