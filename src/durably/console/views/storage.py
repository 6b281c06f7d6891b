"""Sizes of tables as bars."""

from __future__ import annotations

from typing import NamedTuple

from durably.types import StorageInfo, TableInfo

__all__ = ["Part", "parts"]


class Part(NamedTuple):
    """A part of a bar from 0 to 100: where it begins, how wide it is, what it is."""

    x: float
    width: float
    kind: str


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
