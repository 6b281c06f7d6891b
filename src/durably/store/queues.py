"""Queues as rows: registered, changed, listed."""

from __future__ import annotations

from typing import Any

import msgspec

from durably.core.ports import QueueRow
from durably.errors import QueueOwned
from durably.store.database import Database

__all__ = ["register"]


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
    parameters: dict[str, Any] = msgspec.structs.asdict(queue) | {
        "partitioned": queue.partitioned,
        "polling_interval_sec": polling_interval_sec,
        "application_name": application_name,
        "app_version": app_version,
        "on_conflict": on_conflict,
    }
    while True:
        rows = await database.rows("queues/register", parameters)
        if rows:
            break  # none: another has just created it, and this statement does not see it yet
    owner = rows[0].application_name
    if application_name is not None and owner not in (None, application_name):
        raise QueueOwned(queue.name, owner=owner, application_name=application_name)
