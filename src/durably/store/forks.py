"""Forks and rewinds: rows in, rows out. Each function is one transaction, and may be repeated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from durably.core.records import Fork, Rewind
from durably.store.database import Call, Database

__all__ = ["fork", "rewind"]

_encode = msgspec.json.Encoder().encode


async def fork(
    database: Database, records: Sequence[Fork], *, strict: bool, keep_limits: bool
) -> list[dict[str, Any]]:
    """Fork workflows; `strict`: all or none. What was met for each, in order, and why it was refused."""
    parameters = {"records": _encode(records).decode(), "strict": strict}
    calls: list[Call] = [("forks/fork", parameters)]
    if keep_limits:
        calls.append(("limits/copy", {"records": parameters["records"]}))
    answers = await database.transaction(calls)
    met = {row.new_id: row._asdict() for row in answers[0]}
    return [met[record.new_id] for record in records]


async def rewind(database: Database, records: Sequence[Rewind], *, strict: bool) -> list[dict[str, Any]]:
    """Rewind workflows; `strict`: all or none. What was met for each, in order, and why it was refused."""
    parameters = {"records": _encode(records).decode(), "strict": strict}
    met = {row.workflow_id: row._asdict() for row in await database.rows("forks/rewind", parameters)}
    return [met[record.workflow_id] for record in records]
