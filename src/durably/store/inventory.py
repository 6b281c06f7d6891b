"""What is in a system database besides workflows: executors, and the tables themselves. Only reads."""

from __future__ import annotations

import json
from typing import Any, Protocol, TypeAlias

from durably.store.database import Database

__all__ = ["MOST_RUNNING", "executors", "storage", "versions", "workflows"]

LEASES = 1  # the migration of the extension schema that has a table for them
PUBLISHED = 12  # the migration that has a table for workflows and their parameters
RECENT = 5_000  # workflows whose names are looked at
MOST_RUNNING = 100_000  # workflows under way that are looked at
SECONDS = 30.0  # that the sizes may take

Row: TypeAlias = dict[str, Any]


class Opened(Protocol):
    """A database, and what of the extension schema it has."""

    database: Database
    extension: int


async def executors(opened: Opened, application_name: str | None) -> tuple[list[Row], list[Row]]:
    """The executors with leases, none in a database that only DBOS has used; and what runs, by executor."""
    scope = {"application_name": application_name}
    leased = await opened.database.rows("executors/list", scope) if opened.extension >= LEASES else []
    busy = await opened.database.query("executors/busy", scope | {"most": MOST_RUNNING}, seconds=SECONDS)
    return [row._asdict() for row in leased], [row._asdict() for row in busy]


async def storage(database: Database) -> tuple[Row, list[Row]]:
    """The database, and its tables, the largest first."""
    schemas = {"system": database.schemas.system, "extension": database.schemas.extension}
    whole = await database.query("storage/database", {}, seconds=SECONDS)
    tables = await database.query("storage/tables", schemas, seconds=SECONDS)
    return whole[0]._asdict(), [row._asdict() for row in tables]


async def versions(database: Database, most: int) -> list[Row]:
    """What has not ended, by version, up to `most` of each status."""
    rows = await database.query("versions/load", {"most": most}, seconds=SECONDS)
    return [row._asdict() for row in rows]


async def workflows(opened: Opened) -> list[Row]:
    """The workflows that have run of late, and those that applications have told of, by name."""
    rows = await opened.database.query("workflows/names", {"most": RECENT}, seconds=SECONDS)
    known = {(row.name, row.class_name): row._asdict() for row in rows}
    for told in (
        await opened.database.rows("workflows/published", {}) if opened.extension >= PUBLISHED else ()
    ):
        row = known.setdefault((told.name, told.class_name), told._asdict() | {"parameters": None})
        row["application_name"] = row["application_name"] or told.application_name
        row["parameters"] = row.get("parameters") or json.loads(told.parameters)
    return [known[key] for key in sorted(known, key=lambda key: (key[0], key[1] or ""))]
