"""What a client does with versions and with workflows that are stranded between them.

Each function is one transaction, which may be repeated: it says where things are to go.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

from durably.core.names import STRANDED_UNTIL_MS
from durably.store.database import Database

__all__ = ["NOTES", "circumstances", "listed", "move", "set_latest", "stranded"]

NOTES = 3  # the migration of the extension schema that has a table for them

Row: TypeAlias = dict[str, Any]


class Opened(Protocol):
    """A database, and what of the extension schema it has."""

    database: Database
    extension: int


async def listed(database: Database, application_name: str | None) -> list[Row]:
    """The registered versions, the latest first; of an application also those of none."""
    rows = await database.rows("versions/list", {"application_name": application_name})
    return [row._asdict() for row in rows]


async def set_latest(database: Database, version_name: str) -> Row | None:
    """Make a version the latest of its application; None when there is no such version."""
    rows = await database.rows("versions/set_latest", {"version_name": version_name})
    return rows[0]._asdict() if rows else None


async def move(database: Database, workflow_ids: Sequence[str], app_version: str | None) -> list[str]:
    """Give workflows that do not run another version; those that have it now."""
    parameters = {
        "workflow_ids": list(workflow_ids),
        "app_version": app_version,
        "until": STRANDED_UNTIL_MS,
    }
    return [row.workflow_id for row in await database.rows("workflows/move", parameters)]


async def circumstances(opened: Opened, row: Row) -> Row:
    """What keeps a workflow waiting, beside its row: `note`, that it is stranded; `served`, who runs."""
    if opened.extension < NOTES:
        return {}
    if row["status"] in ("DELAYED", "ENQUEUED"):
        notes = await stranded(opened, [row["workflow_id"]], None)
        if notes:
            return {"note": notes[row["workflow_id"]]}
    if row["status"] != "ENQUEUED":
        return {}
    parameters = {"app_version": row["app_version"], "application_name": row["application_name"]}
    found = await opened.database.rows("versions/served", parameters)
    return {"served": found[0]._asdict()} if found else {}


async def stranded(
    opened: Opened, workflow_ids: Sequence[str] | None, application_name: str | None
) -> dict[str, Row]:
    """What is noted of stranded workflows, by id; nothing in a database that only DBOS has used."""
    if opened.extension < NOTES:
        return {}
    ids = None if workflow_ids is None else list(workflow_ids)
    parameters = {"workflow_ids": ids, "application_name": application_name}
    rows = await opened.database.rows("stranded/list", parameters)
    return {row.workflow_id: row._asdict() for row in rows}
