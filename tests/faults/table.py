"""The table that the fault suite prints: row, fault, goal, and what was counted in this run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

__all__ = ["Table"]

PROPERTY = "fault"


class Table:
    """Where a test writes its figures; they travel with its report, so parallel runs print one table.

    table.add(1, "kill -9 at a statement", goal="0 lost, 0 bad", figures="30 kills: 0 lost, 0 bad")
    """

    def __init__(self, record: Callable[[str, object], None]) -> None:
        self._record = record

    def add(self, row: int, fault: str, *, goal: str, figures: str) -> None:
        """Add a line."""
        self._record(PROPERTY, [row, fault, goal, figures])

    @staticmethod
    def lines(reports: Iterable[Any]) -> list[str]:
        """The table of these reports, in Markdown."""
        rows = sorted(
            [*value, report.outcome]
            for report in reports
            for name, value in report.user_properties
            if name == PROPERTY
        )
        if not rows:
            return []
        head = ["| # | fault | goal | this run | |", "|---|---|---|---|---|"]
        return head + [
            f"| {row} | {fault} | {goal} | {figures} | {outcome} |"
            for row, fault, goal, figures, outcome in rows
        ]
