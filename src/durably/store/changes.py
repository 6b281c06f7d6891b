"""Workflows that are deleted, or get another delay, priority or attributes; a function is one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from durably.core.names import PAUSED_UNTIL_MS, STRANDED_UNTIL_MS
from durably.store.database import Database
from durably.store.versions import Opened
from durably.types import Status

__all__ = ["delete", "set_attributes", "set_delay", "set_priority"]

Row: TypeAlias = dict[str, Any]

NOTED = {
    2: "limits/forget",
    3: "stranded/forget",
    5: "steps/forget_progress",
    6: "workflows/forget_attempts",
    7: "pauses/forget",
}
"""What goes with a workflow, by the migration of the extension schema that has the table."""


async def delete(
    opened: Opened, workflow_ids: Sequence[str], *, children: bool, statuses: Sequence[Status] | None
) -> list[str]:
    """Delete workflows, with their descendants where asked; the ids of those that are gone."""
    database = opened.database
    asked = {"statuses": None if statuses is None else list(statuses), "children": children}
    async with database.begun() as connection:
        locked = await database.rows_on(
            connection, "workflows/lock", {"workflow_ids": list(workflow_ids), **asked}
        )
        ids = {"workflow_ids": [row.workflow_id for row in locked]}
        gone = await database.rows_on(connection, "workflows/delete", ids) if locked else []
        for migration, statement in NOTED.items():
            if gone and opened.extension >= migration:
                await database.rows_on(connection, statement, ids)
    return [row.workflow_id for row in gone]


async def set_delay(
    database: Database, workflow_id: str, *, delay_ms: int | None, delay_until: int | None
) -> Row | None:
    """Delay a delayed workflow otherwise: its status, its delay before, and whether it was changed."""
    parameters = {
        "workflow_id": workflow_id,
        "delay_ms": delay_ms,
        "delay_until": delay_until,
        "kept": [PAUSED_UNTIL_MS, STRANDED_UNTIL_MS],
    }
    return _one(await database.rows("workflows/set_delay", parameters))


async def set_priority(database: Database, workflow_id: str, priority: int) -> Row | None:
    """Give a workflow that waits another priority: its status, and whether it was changed."""
    parameters = {"workflow_id": workflow_id, "priority": priority}
    return _one(await database.rows("workflows/set_priority", parameters))


async def set_attributes(database: Database, workflow_id: str, attributes: str, *, merge: bool) -> bool:
    """Give a workflow other attributes (JSON), or merge these into them; whether there is one."""
    parameters = {"workflow_id": workflow_id, "attributes": attributes, "merge": merge}
    return bool(await database.rows("workflows/set_attributes", parameters))


def _one(rows: Sequence[Any]) -> Row | None:
    return rows[0]._asdict() if rows else None
