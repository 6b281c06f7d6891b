"""Pauses of workflows: rows in, rows out. Each function is one statement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from durably.core.names import PAUSED_UNTIL_MS
from durably.errors import DatabaseError
from durably.store.database import Database
from durably.store.versions import Opened
from durably.types import Status

__all__ = ["NOTES", "is_paused", "notes", "pause", "unpause", "with_notes"]

NOTES = 7  # the migration of the extension schema that has a table for them

Row: TypeAlias = dict[str, Any]


async def pause(
    opened: Opened,
    workflow_ids: Sequence[str],
    *,
    statuses: Sequence[Status],
    reason: str | None,
    paused_by: str | None,
    token: str,
) -> dict[str, Row]:
    """Pause workflows: every one that was met, by id, its status before, and why it was refused.

    Repeating it with the same token changes nothing more.
    """
    parameters = {
        "workflow_ids": list(workflow_ids),
        "statuses": list(statuses),
        "reason": reason,
        "paused_by": paused_by,
        "token": token,
        "until": PAUSED_UNTIL_MS,
    }
    rows = await _with_table(opened).rows("pauses/pause", parameters)
    return {row.workflow_id: row._asdict() for row in rows}


async def unpause(opened: Opened, workflow_ids: Sequence[str]) -> list[str]:
    """Let paused workflows go on; the ids of those that were paused."""
    parameters = {"workflow_ids": list(workflow_ids), "until": PAUSED_UNTIL_MS}
    return [row.workflow_id for row in await _with_table(opened).rows("pauses/unpause", parameters)]


async def notes(opened: Opened, workflow_ids: Sequence[str]) -> dict[str, Row]:
    """Who paused these workflows, when and why, by id."""
    if opened.extension < NOTES or not workflow_ids:
        return {}
    rows = await opened.database.rows("pauses/list", {"workflow_ids": list(workflow_ids)})
    return {row.workflow_id: row._asdict() for row in rows}


async def with_notes(opened: Opened, rows: Sequence[Row]) -> list[Row]:
    """Rows of workflows/list, with who paused those that are paused as `pause`; asks only where some are."""
    noted = await notes(opened, [row["workflow_id"] for row in rows if is_paused(row)])
    return [row | ({"pause": noted.get(row["workflow_id"], {})} if is_paused(row) else {}) for row in rows]


def is_paused(row: Row) -> bool:
    """Whether a row of workflows/get or workflows/list is that of a paused workflow."""
    return bool(row["status"] == "DELAYED" and row["delay_until_epoch_ms"] == PAUSED_UNTIL_MS)


def _with_table(opened: Opened) -> Database:
    if opened.extension >= NOTES:
        return opened.database
    raise DatabaseError(
        "pausing a workflow needs a table of durably's own, which this database does not have yet: run "
        "`durably db migrate`, or start a durably application on it once"
    )
