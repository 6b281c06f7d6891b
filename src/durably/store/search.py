"""Pages of workflows, found in bounded time however many there are: rows in, rows out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

from durably.store.database import Database

__all__ = ["Place", "edge", "narrow", "page", "prefixed", "statuses", "statuses_of"]

SECONDS = 30.0  # that a statement may take

Row: TypeAlias = dict[str, Any]


class Place(NamedTuple):
    """Where a row stands in an order: its instant, and its id."""

    at: int
    workflow_id: str


async def page(database: Database, way: str, parameters: Mapping[str, Any]) -> list[Place]:
    """A page by creation (`created`), by the end (`completed`), or of those that ended badly (`ended`)."""
    rows = await database.query(_PAGES[way], parameters, seconds=SECONDS)
    return [Place(row.at, row.workflow_id) for row in rows]


async def narrow(database: Database, parameters: Mapping[str, Any]) -> list[Place] | None:
    """A page of what an index finds; None where that is more than `most`."""
    rows = await database.query("search/narrow", parameters, seconds=SECONDS)
    if rows[0].found > parameters["most"]:
        return None
    return [Place(row.at, row.workflow_id) for row in rows if row.workflow_id is not None]


async def edge(database: Database, way: str, parameters: Mapping[str, Any]) -> Place | None:
    """The last row that a page looked at; None where it looked at all there are."""
    rows = await database.query(_EDGES[way], parameters, seconds=SECONDS)
    return Place(rows[0].at, rows[0].workflow_id) if rows else None


async def prefixed(database: Database, prefix: str, scope: str | None, *, limit: int) -> list[Place]:
    """The first workflows whose id begins with this text."""
    parameters = {"prefix": prefix, "scope": scope, "most": 4 * limit, "limit": limit}
    rows = await database.query("search/ids", parameters, seconds=SECONDS)
    return [Place(row.at, row.workflow_id) for row in rows]


async def statuses(database: Database, scope: str | None, *, most: int, window: int) -> dict[str, int]:
    """How many there are of each status, counted to `most`."""
    parameters = {"scope": scope, "most": most, "window": window}
    rows = await database.query("search/statuses", parameters, seconds=SECONDS)
    return {row.status: row.workflows for row in rows}


async def statuses_of(database: Database, parameters: Mapping[str, Any]) -> tuple[dict[str, int], int]:
    """The same of a filter among the newest `window`, and how many were looked at."""
    rows = await database.query("search/statuses_of", parameters, seconds=SECONDS)
    return {row.status: row.workflows for row in rows if row.status is not None}, rows[0].seen


_PAGES = {"created": "search/created", "completed": "search/completed", "ended": "search/ended"}
_EDGES = {"created": "search/created_edge", "completed": "search/completed_edge"}
