"""Sizes of tables as bars, and how fast they grow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from durably.types import StorageInfo, TableInfo, WorkflowActivity

__all__ = ["Growth", "Part", "growth", "parts"]

DAY = 86_400_000  # ms
FEW = 1000  # runs


class Part(NamedTuple):
    """A part of a bar from 0 to 100: where it begins, how wide it is, what it is."""

    x: float
    width: float
    kind: str


@dataclass(frozen=True, kw_only=True)
class Growth:
    """What the runs of the last days take, by what a run takes now with all that belongs to it."""

    runs: int
    days: int  # since the first of them
    bytes_per_run: float
    by_day: tuple[int, ...]  # bytes, the last day last
    is_complete: bool  # whether every run was counted

    @property
    def bytes_per_day(self) -> float:
        """On average."""
        return self.runs * self.bytes_per_run / self.days

    @property
    def most(self) -> int:
        """Bytes of the day with most."""
        return max(self.by_day)


def growth(activity: WorkflowActivity, storage: StorageInfo) -> Growth | None:
    """None where nothing was started lately, or so little is there that empty tables are most of it."""
    rows = sum(table.rows for table in storage.tables if table.name == "workflow_status")
    spans = DAY // activity.span_ms
    created = activity.created
    by_day = [sum(created[at : at + spans]) for at in range(0, len(created), spans)]
    if not any(by_day) or rows < FEW:
        return None
    each = sum(table.total_bytes for table in storage.tables) / rows
    return Growth(
        runs=sum(by_day),
        days=len(by_day) - next(day for day, runs in enumerate(by_day) if runs),
        bytes_per_run=each,
        by_day=tuple(round(runs * each) for runs in by_day),
        is_complete=activity.is_complete,
    )


def parts(table: TableInfo, storage: StorageInfo) -> list[Part]:
    """Rows, large values and indexes of a table, against the largest table."""
    whole = max((each.total_bytes for each in storage.tables), default=0) or 1
    made, x = [], 0.0
    for kind, size in (
        ("rows", table.heap_bytes),
        ("large", table.toast_bytes),
        ("indexes", table.index_bytes),
    ):
        width = round(size / whole * 100, 2)
        made.append(Part(round(x, 2), width, kind))
        x += width
    return made
