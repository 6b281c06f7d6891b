"""Replay: numbers the operations of a run, and answers those that are recorded.

draw -> 1, 2, 3, ...        in the order in which the code asks
recorded(n, name)           the record of operation n, None beyond the end of the history,
                            NonDeterminism where another operation is recorded there
"""

from __future__ import annotations

from collections.abc import Iterable

from durably.core import names
from durably.core.ports import HistoryRow
from durably.errors import NonDeterminism

__all__ = ["CLEANUP", "Ledger"]

CLEANUP = 1_000_000_000  # the last number of an ordinary operation


class Ledger:
    """The operations of one workflow: what is recorded, and which number comes next.

    Numbers start at 1, as DBOS for Python counts. Cleanup code of a cancelled run has its own, from
    1,000,000,001 on, behind those of earlier cleanup: the run that is resumed knows nothing of it. A run
    that went on anew begins behind its last marker; what is below that is another generation's.
    """

    __slots__ = ("_cleanup", "_last", "_recorded", "_rows", "generation", "workflow_id")

    def __init__(self, workflow_id: str, history: Iterable[HistoryRow] = ()) -> None:
        self.workflow_id = workflow_id
        self._rows = {row.function_id: row for row in history}
        self._last = 0
        self._cleanup = CLEANUP
        self._recorded = 0
        self.generation = 1
        if self._rows and (latest := max(self._rows)) > CLEANUP:
            self._cleanup = latest
            self._rows = {number: row for number, row in self._rows.items() if number <= CLEANUP}
        self._recorded = max(self._rows, default=0)
        for row in self._rows.values():
            if row.function_name == names.CONTINUE_AS_NEW and row.function_id > self._last:
                self.begin_behind(row.function_id, int(row.output or 1))

    def begin_behind(self, marker: int, generation: int) -> None:
        """A generation begins behind the marker that the one before it left."""
        self._last, self.generation = marker, generation

    @property
    def last(self) -> int:
        """The number that was drawn last."""
        return self._last

    @property
    def replaying(self) -> bool:
        """Whether the code is before an operation that is recorded: a former attempt has been here."""
        return self._last < self._recorded

    def draw(self, width: int = 1) -> int:
        """The number of the next operation, which uses `width` numbers."""
        number = self._last + 1
        self._last += width
        return number

    def draw_cleanup(self, width: int = 1) -> int:
        """The number of the next operation of cleanup code: none of those is ever replayed."""
        number = self._cleanup + 1
        self._cleanup += width
        return number

    def next_name(self) -> str | None:
        """What is recorded under the next number, None beyond the end of the history."""
        row = self._rows.get(self._last + 1)
        return None if row is None else row.function_name

    def recorded(self, number: int, name: str) -> HistoryRow | None:
        """The record of operation `number`, if there is one."""
        if not self._rows:
            return None
        row = self._rows.get(number)
        if row is not None and row.function_name != name:
            raise NonDeterminism(self.workflow_id, number, asked=name, recorded=row.function_name)
        return row
