"""What the statistics of a table say to whoever runs the database."""

from __future__ import annotations

__all__ = ["advice"]

FEW = 10_000  # dead rows that nobody needs to hear of
LATE = 2.0  # times as many dead rows as autovacuum waits for


def advice(*, rows: int, dead_rows: int, vacuum_at: int, autovacuums: bool) -> str | None:
    """What is wrong with a table, and what to do; None for a table that is as it should be."""
    if dead_rows < FEW or dead_rows < LATE * vacuum_at:
        return None
    share = f"{dead_rows:,} of its rows are dead ({dead_rows / max(1, rows + dead_rows):.0%})"
    if not autovacuums:
        return f"{share}, and autovacuum is off: turn it on, or run VACUUM"
    return (
        f"{share}, more than autovacuum leaves (about {vacuum_at:,}): look for a transaction or a "
        "replication slot that has been open for long, or let autovacuum run more often"
    )
