"""What is read of streams and events: rows out."""

from __future__ import annotations

from typing import Any

from durably.core.ports import StreamPage
from durably.store.database import Database

__all__ = ["PAGE", "events", "history", "list_streams", "read"]

PAGE = 100  # values in a page


async def read(database: Database, workflow_id: str, key: str, offset: int, most: int) -> StreamPage | None:
    """Values from an offset on, up to the first gap; None when there is no such workflow."""
    asked = {"workflow_id": workflow_id, "key": key, "offset": offset, "most": most}
    rows = await database.rows("streams/read", asked)
    if not rows:
        return None
    values = [
        (row.value, row.serialization) for place, row in enumerate(rows) if row.offset == offset + place
    ]
    return StreamPage(rows[0].status, values)


async def list_streams(database: Database, workflow_id: str) -> list[dict[str, Any]]:
    """Every value of every stream of a workflow."""
    return [row._asdict() for row in await database.rows("streams/list", {"workflow_id": workflow_id})]


async def events(database: Database, workflow_id: str) -> list[dict[str, Any]]:
    """The latest value of every event of a workflow."""
    return [row._asdict() for row in await database.rows("events/latest", {"workflow_id": workflow_id})]


async def history(database: Database, workflow_id: str) -> list[dict[str, Any]]:
    """Every value that the events of a workflow have had."""
    return [row._asdict() for row in await database.rows("events/history", {"workflow_id": workflow_id})]
