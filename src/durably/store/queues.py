"""Queues as rows: registered, changed, listed, paused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from durably.core.explain import Facts, Waits
from durably.core.limits import limited_queue
from durably.core.ports import QueueRow
from durably.errors import DatabaseError, NoSuchQueue, QueueOwned
from durably.store.database import Database
from durably.types import QueueInfo, QueuePause, QueueStats, RateLimit

__all__ = [
    "delete",
    "facts",
    "listed",
    "pause",
    "register",
    "running",
    "started",
    "stats",
    "unpause",
    "update",
]

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
CONTROLS = 4  # the migration of the extension schema that has tables for pauses and starts
ATTEMPTS = 8  # the one that counts attempts: without all of these only what DBOS has is told
WAITS = 11  # the one that has a table for what workflows wait for
PAUSED_BY = 14  # the one that keeps who paused a queue
SECONDS = 30.0  # that counting a queue may take
MOST = 2**31  # starts that are counted


_facts = msgspec.json.Decoder(Facts).decode


class Opened(Protocol):
    """A database, and what of the extension schema it has."""

    database: Database
    extension: int


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
        now = _info(rows[0], ())
        limits = {option: changes.get(option, getattr(now, option)) for option in LIMITS}
        polling = changes.get("polling_interval_sec", now.polling_interval_sec)
        changed = limited_queue(name, **limits)
        parameters = _registration(changed, now.application_name, "always_update", polling)
        await database.rows_on(connection, "queues/register", parameters | {"app_version": ""})


async def listed(opened: Opened, name: str | None, application_name: str | None) -> list[QueueInfo]:
    """The queue of this name, or an application's, with their pauses."""
    parameters = {"name": name, "application_name": application_name}
    rows = await opened.database.rows("queues/get", parameters)
    paused = await _pauses(opened, name)
    return [_info(row, tuple(paused.get(row.name, ()))) for row in rows]


async def delete(database: Database, name: str) -> bool:
    """Delete a queue's row; whether there was one."""
    return bool(await database.rows("queues/delete", {"name": name}))


async def pause(
    opened: Opened, name: str, *, executor_id: str, reason: str | None, paused_by: str | None
) -> tuple[bool, bool]:
    """Pause a queue, everywhere if `executor_id` is ''; whether queue and executor exist."""
    parameters = {"name": name, "executor_id": executor_id, "reason": reason, "paused_by": paused_by}
    calls = [("queues/pause", parameters)]
    if opened.extension >= PAUSED_BY:
        calls.append(("queues/pause_by", parameters))
    row = (await _with_table(opened).transaction(calls))[0][0]
    return row.is_queue, row.is_executor


async def unpause(opened: Opened, name: str, *, executor_id: str) -> tuple[bool, bool]:
    """Let a queue go on; whether there is such a queue, and whether it was paused."""
    parameters = {"name": name, "executor_id": executor_id}
    row = (await _with_table(opened).rows("queues/unpause", parameters))[0]
    return row.is_queue, row.is_changed


async def running(database: Database, name: str, *, executor_id: str) -> int:
    """How many workflows of a queue run, everywhere if `executor_id` is ''."""
    rows = await database.rows("queues/busy", {"name": name, "executor_id": executor_id})
    return int(rows[0].workflows)


async def stats(opened: Opened, name: str | None, application_name: str | None) -> list[QueueStats]:
    """What is on a queue, or on an application's queues."""
    parameters = {"name": name, "application_name": application_name}
    rows = await opened.database.query("queues/stats", parameters, seconds=SECONDS)
    paused = await _pauses(opened, name)
    starts = (
        await started(opened, name, MOST) if any(row.starts_in_period is not None for row in rows) else {}
    )
    everywhere = {queue for queue, pauses in paused.items() if any(p.executor_id is None for p in pauses)}
    return [
        _stats(row, starts.get(row.name, row.starts_in_period), is_paused=row.name in everywhere)
        for row in rows
    ]


async def started(opened: Opened, name: str | None, most: int) -> dict[str, int]:
    """The starts that count against rate limits, by queue; none where only DBOS has counted them."""
    if opened.extension < CONTROLS:
        return {}
    parameters = {"name": name, "most": most}
    rows = await opened.database.query("queues/started", parameters, seconds=SECONDS)
    return {row.name: row.starts_in_period for row in rows}


async def facts(opened: Opened, workflow_id: str) -> Facts | None:
    """Everything that says why a workflow does not run; None where there is none."""
    parameters = {"workflow_id": workflow_id}
    statement = "workflows/explain" if opened.extension >= ATTEMPTS else "workflows/explain_dbos"
    rows = await opened.database.query(statement, parameters, seconds=SECONDS)
    if not rows:
        return None
    known = _facts(rows[0].facts)
    if known.status != "PENDING" or opened.extension < WAITS:
        return known
    waits = await opened.database.rows("waits/list", parameters)
    return msgspec.structs.replace(known, waits=[Waits(**row._asdict()) for row in waits])


def _registration(
    queue: QueueRow, application_name: str | None, on_conflict: str, polling_interval_sec: float
) -> dict[str, Any]:
    return msgspec.structs.asdict(queue) | {
        "partitioned": queue.partitioned,
        "polling_interval_sec": polling_interval_sec,
        "application_name": application_name,
        "on_conflict": on_conflict,
    }


async def _pauses(opened: Opened, name: str | None) -> dict[str, list[QueuePause]]:
    """Where queues are paused, by queue."""
    if opened.extension < CONTROLS:
        return {}
    paused: dict[str, list[QueuePause]] = {}
    for row in await opened.database.rows("queues/controls", {"name": name}):
        fields = row._asdict()
        paused.setdefault(fields.pop("name"), []).append(QueuePause(**fields))
    return paused


def _with_table(opened: Opened) -> Database:
    if opened.extension >= CONTROLS:
        return opened.database
    raise DatabaseError(
        "pausing a queue needs a table of durably's own, which this database does not have yet: run "
        "`durably db migrate`, or start a durably application on it once"
    )


def _info(row: Any, pauses: tuple[QueuePause, ...]) -> QueueInfo:
    return QueueInfo(
        **{field: getattr(row, field) for field in AS_THEY_ARE},
        limiter=_limiter(row.rate_limit_max, row.rate_limit_period_sec),
        partition_limiter=_limiter(row.partition_rate_limit_max, row.partition_rate_limit_period_sec),
        pauses=pauses,
    )


def _limiter(limit: int | None, period: float | None) -> RateLimit | None:
    return None if limit is None else RateLimit(limit=limit, period=period or 0.0)


def _stats(row: Any, starts: int | None, *, is_paused: bool) -> QueueStats:
    running_on: dict[str, int] = json.loads(row.running_on)
    return QueueStats(
        name=row.name,
        enqueued=row.enqueued,
        delayed=row.delayed,
        pending=sum(running_on.values()),
        running_on=running_on,
        oldest_enqueued_at=row.oldest_enqueued_at,
        starts_in_period=starts,
        is_paused=is_paused,
    )
