"""Queues as rows: registered, changed, listed, paused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from durably.core.explain import Facts
from durably.core.limits import limited_queue
from durably.core.ports import QueueRow
from durably.errors import NoSuchQueue, QueueOwned
from durably.store.database import Database
from durably.types import QueueInfo, QueuePause, QueueStats, RateLimit

__all__ = ["delete", "facts", "listed", "pause", "register", "running", "stats", "unpause", "update"]

LIMITS = (
    "concurrency",
    "worker_concurrency",
    "limiter",
    "partition_concurrency",
    "partition_worker_concurrency",
    "partition_limiter",
)
AS_THEY_ARE = (
    "name",
    "concurrency",
    "worker_concurrency",
    "partition_concurrency",
    "partition_worker_concurrency",
    "polling_interval_sec",
    "application_name",
    "created_at",
    "updated_at",
)
SECONDS = 30.0  # that counting a queue may take

_facts = msgspec.json.Decoder(Facts).decode


async def register(
    database: Database,
    queue: QueueRow,
    *,
    application_name: str | None,
    on_conflict: str,
    app_version: str = "",
    polling_interval_sec: float = 1.0,
) -> None:
    """Create a queue, or set its limits as `on_conflict` says; QueueOwned if it is another application's."""
    parameters = _registration(queue, application_name, on_conflict, polling_interval_sec)
    while True:
        rows = await database.rows("queues/register", parameters | {"app_version": app_version})
        if rows:
            break  # none: another has just created it, and this statement does not see it yet
    owner = rows[0].application_name
    if application_name is not None and owner not in (None, application_name):
        raise QueueOwned(queue.name, owner=owner, application_name=application_name)


async def update(database: Database, name: str, changes: Mapping[str, Any]) -> None:
    """Change some limits of a queue under its lock; NoSuchQueue, InvalidOption."""
    async with database.begun() as connection:
        await database.rows_on(connection, "queues/lock", {"queue_name": name})
        rows = await database.rows_on(connection, "queues/get", {"name": name, "application_name": None})
        if not rows:
            raise NoSuchQueue(name)
        now = _info(rows[0])
        changed = limited_queue(name, **{option: getattr(now, option) for option in LIMITS} | dict(changes))
        parameters = _registration(changed, now.application_name, "always_update", now.polling_interval_sec)
        await database.rows_on(connection, "queues/register", parameters | {"app_version": ""})


async def listed(database: Database, name: str | None, application_name: str | None) -> list[QueueInfo]:
    """The queue of this name, or an application's."""
    rows = await database.rows("queues/get", {"name": name, "application_name": application_name})
    return [_info(row) for row in rows]


async def delete(database: Database, name: str) -> bool:
    """Delete a queue's row; whether there was one."""
    return bool(await database.rows("queues/delete", {"name": name}))


async def pause(database: Database, name: str, *, executor_id: str, reason: str | None) -> tuple[bool, bool]:
    """Pause a queue, everywhere if `executor_id` is ''; whether queue and executor exist."""
    parameters = {"name": name, "executor_id": executor_id, "reason": reason}
    row = (await database.rows("queues/pause", parameters))[0]
    return row.is_queue, row.is_executor


async def unpause(database: Database, name: str, *, executor_id: str) -> tuple[bool, bool]:
    """Let a queue go on; whether there is such a queue, and whether it was paused."""
    row = (await database.rows("queues/unpause", {"name": name, "executor_id": executor_id}))[0]
    return row.is_queue, row.is_changed


async def running(database: Database, name: str, *, executor_id: str) -> int:
    """How many workflows of a queue run, everywhere if `executor_id` is ''."""
    rows = await database.rows("queues/busy", {"name": name, "executor_id": executor_id})
    return int(rows[0].workflows)


async def stats(database: Database, name: str | None, application_name: str | None) -> list[QueueStats]:
    """What is on a queue, or on an application's queues."""
    parameters = {"name": name, "application_name": application_name}
    return [_stats(row) for row in await database.query("queues/stats", parameters, seconds=SECONDS)]


async def facts(database: Database, workflow_id: str) -> Facts | None:
    """Everything that says why a workflow does not run; None where there is none."""
    parameters = {"workflow_id": workflow_id}
    rows = await database.query("workflows/explain", parameters, seconds=SECONDS)
    return _facts(rows[0].facts) if rows else None


def _registration(
    queue: QueueRow, application_name: str | None, on_conflict: str, polling_interval_sec: float
) -> dict[str, Any]:
    return msgspec.structs.asdict(queue) | {
        "partitioned": queue.partitioned,
        "polling_interval_sec": polling_interval_sec,
        "application_name": application_name,
        "on_conflict": on_conflict,
    }


def _info(row: Any) -> QueueInfo:
    return QueueInfo(
        **{field: getattr(row, field) for field in AS_THEY_ARE},
        limiter=_limiter(row.rate_limit_max, row.rate_limit_period_sec),
        partition_limiter=_limiter(row.partition_rate_limit_max, row.partition_rate_limit_period_sec),
        pauses=tuple(QueuePause(**each) for each in json.loads(row.pauses)),
    )


def _limiter(limit: int | None, period: float | None) -> RateLimit | None:
    return None if limit is None else RateLimit(limit=limit, period=period or 0.0)


def _stats(row: Any) -> QueueStats:
    running_on: dict[str, int] = json.loads(row.running_on)
    return QueueStats(
        name=row.name,
        enqueued=row.enqueued,
        delayed=row.delayed,
        pending=sum(running_on.values()),
        running_on=running_on,
        oldest_enqueued_at=row.oldest_enqueued_at,
        starts_in_period=row.starts_in_period,
        is_paused=row.is_paused,
    )
