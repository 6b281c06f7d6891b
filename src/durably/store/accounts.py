"""Accounts, sessions, tokens and the audit as rows. Each function is one statement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from durably.errors import DatabaseError
from durably.store.database import Database
from durably.store.versions import Opened

__all__ = ["KEPT", "ask", "is_kept", "search"]

KEPT = 10  # the migration of the extension schema that has tables for them
SECONDS = 30.0  # that a search of the audit may take

Row: TypeAlias = dict[str, Any]


def is_kept(opened: Opened) -> bool:
    """Whether the database has the tables."""
    return opened.extension >= KEPT


async def ask(opened: Opened, name: str, parameters: Mapping[str, Any]) -> list[Row]:
    """Execute one statement about them; DatabaseError where the tables are missing."""
    return [row._asdict() for row in await _with_tables(opened).rows(name, parameters)]


async def search(opened: Opened, parameters: Mapping[str, Any]) -> list[Row]:
    """The page of the audit that these conditions have."""
    rows = await _with_tables(opened).query("audit/list", parameters, seconds=SECONDS)
    return [row._asdict() for row in rows]


def _with_tables(opened: Opened) -> Database:
    if is_kept(opened):
        return opened.database
    raise DatabaseError(
        "accounts, tokens and the audit need tables of durably's own, which this database does not have yet: "
        "run `durably db migrate`, and start the console again"
    )
