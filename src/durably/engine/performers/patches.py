"""Patches: markers in the record, by which a run tells whether it began before the code changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from durably.core import ops
from durably.core.ports import HistoryRow
from durably.engine import steps
from durably.engine.performers.kinds import InsideStep, Performers

if TYPE_CHECKING:
    from durably.engine.run import Run

__all__ = ["INSIDE_STEP", "PERFORMERS"]


async def _patch(run: Run, number: int, row: HistoryRow | None, operation: ops.Patch) -> bool:
    if operation.deprecated or row is not None:
        return True
    if not number:
        return False  # another operation is recorded here
    await run.record(steps.bare_record(run, number, operation.name, run.now_ms()))
    return True


PERFORMERS: Performers = {ops.Patch: _patch}
INSIDE_STEP: InsideStep = {}
