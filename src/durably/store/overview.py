"""The state of everything in figures: rows in, rows out, each in bounded time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from durably.core.names import PAUSED_UNTIL_MS, STRANDED_UNTIL_MS
from durably.store.database import Database

__all__ = ["activity", "failures", "figures"]

SECONDS = 30.0  # that a statement may take


async def figures(database: Database, scope: str | None, *, most: int) -> Any:
    """One row: how much runs, waits, is stranded, paused and set aside."""
    until = {"paused_until": PAUSED_UNTIL_MS, "stranded_until": STRANDED_UNTIL_MS}
    rows = await database.query("overview/figures", {"scope": scope, "most": most, **until}, seconds=SECONDS)
    return rows[0]


async def failures(database: Database, scope: str | None, *, since: int, most: int) -> Sequence[Any]:
    """Names of those that failed, and when, the newest first."""
    parameters = {"scope": scope, "since": since, "most": most}
    return await database.query("overview/failures", parameters, seconds=SECONDS)


async def activity(
    database: Database, scope: str | None, *, begins_at: int, ends_at: int, span_ms: int, most: int
) -> Sequence[Any]:
    """What was created and what ended by span."""
    parameters = {
        "scope": scope,
        "begins_at": begins_at,
        "ends_at": ends_at,
        "span_ms": span_ms,
        "most": most,
    }
    return await database.query("overview/activity", parameters, seconds=SECONDS)
