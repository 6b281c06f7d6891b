"""One workflow in pieces that are never larger than they are asked for: rows out, each one statement."""

from __future__ import annotations

import json
from typing import Any, TypeAlias

from durably.store.database import Database
from durably.store.versions import Opened

__all__ = [
    "attempts", "events", "messages", "payloads", "steps", "stream", "stream_keys", "summary", "tree",
]  # fmt: skip

ATTEMPTS = 9  # the migration of the extension schema that has all that is known of attempts
EVERYTHING = 2**30  # characters: no text of a database is longer
SECONDS = 30.0  # that a look may take
COUNTED = 100_000  # operations that are counted at most

Row: TypeAlias = dict[str, Any]


async def payloads(database: Database, workflow_id: str, most: int | None) -> Row | None:
    """What a workflow was given and gave; None when there is none."""
    rows = await _rows(database, "workflows/payloads", workflow_id, most=_most(most))
    return rows[0] if rows else None


async def steps(
    database: Database, workflow_id: str, *, after: int, only_failed: bool, limit: int, most: int | None
) -> list[Row]:
    """Recorded operations behind one of them."""
    asked = {"after": after, "only_failed": only_failed, "limit": limit, "most": _most(most)}
    return await _rows(database, "steps/page", workflow_id, **asked)


async def summary(database: Database, workflow_id: str, bins: int) -> Row:
    """The recorded operations in numbers."""
    row = (await _rows(database, "steps/summary", workflow_id, bins=bins, most=COUNTED))[0]
    return row | {"bins": json.loads(row["bins"]), "is_counted": row["steps"] < COUNTED}


async def tree(database: Database, workflow_id: str, *, most: int, breadth: int) -> list[Row]:
    """A workflow, its ancestors and descendants; none where there is no such workflow."""
    return await _rows(database, "workflows/tree", workflow_id, most=most, breadth=breadth)


async def attempts(opened: Opened, workflow_id: str, most: int) -> Row | None:
    """What is known of attempts; None where the database has no tables for it, or no such workflow."""
    if opened.extension < ATTEMPTS:
        return None
    rows = await _rows(opened.database, "workflows/attempts", workflow_id, most=most)
    return rows[0] if rows else None


async def messages(
    database: Database, workflow_id: str, *, before: tuple[int, str] | None, limit: int, most: int | None
) -> list[Row]:
    """Messages before one of them, the newest first."""
    before_ms, before_id = before or (None, None)
    asked = {"before_ms": before_ms, "before_id": before_id, "limit": limit, "most": _most(most)}
    return await _rows(database, "messages/page", workflow_id, **asked)


async def events(
    database: Database, workflow_id: str, *, before: int | None, limit: int, most: int | None
) -> list[Row]:
    """Values of events before one operation, the latest first."""
    return await _rows(database, "events/page", workflow_id, before=before, limit=limit, most=_most(most))


async def stream_keys(database: Database, workflow_id: str, limit: int) -> list[Row]:
    """The streams of a workflow."""
    return await _rows(database, "streams/keys", workflow_id, limit=limit)


async def stream(
    database: Database, workflow_id: str, key: str, *, offset: int, limit: int, most: int | None
) -> list[Row]:
    """Values of a stream from an offset on."""
    asked = {"key": key, "offset": offset, "limit": limit, "most": _most(most)}
    return await _rows(database, "streams/page", workflow_id, **asked)


def _most(most: int | None) -> int:
    return EVERYTHING if most is None else most


async def _rows(database: Database, statement: str, workflow_id: str, **asked: Any) -> list[Row]:
    rows = await database.query(statement, {"workflow_id": workflow_id, **asked}, seconds=SECONDS)
    return [row._asdict() for row in rows]
