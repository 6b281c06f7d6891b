"""The database beneath: its tables, and what ails it."""

from __future__ import annotations

from dataclasses import dataclass

from durably.types.aliases import Level

__all__ = [
    "Finding",
    "StorageInfo",
    "TableInfo",
]


@dataclass(frozen=True, kw_only=True)
class TableInfo:
    """A table of the system database: estimated rows, sizes in bytes, and how well it is kept.

    Autovacuum comes when `vacuum_at` rows are dead; `advice` says what to do where that does not happen.
    """

    schema: str
    name: str
    rows: int
    heap_bytes: int
    index_bytes: int
    toast_bytes: int
    total_bytes: int
    dead_rows: int
    vacuum_at: int
    autovacuums: bool
    vacuumed_at: int | None = None
    analyzed_at: int | None = None
    advice: str | None = None


@dataclass(frozen=True, kw_only=True)
class StorageInfo:
    """A database, its size, and the tables of DBOS and durably in it, the largest first.

    Instants are epoch milliseconds. `oldest_finished_at` is since when finished workflows are kept;
    `oldest_transaction_at` the begin of the oldest transaction that this role may see.
    """

    database: str
    bytes: int
    is_read_only: bool
    measured_at: int
    oldest_finished_at: int | None = None
    oldest_transaction_at: int | None = None
    tables: tuple[TableInfo, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that `diagnose` looked at: what it saw there, and what to do if that is not `ok`.

    `check` is one of: connection, server, clock, notices, durability, connections, transactions, vacuum,
    schema, extension, privileges, indexes, executors, queues, versions, stranded, dead_letters, schedules,
    unread. There may be several of a check. `examples` are ids or names, not all of them.
    """

    check: str
    level: Level
    seen: str
    advice: str | None = None
    examples: tuple[str, ...] = ()
