"""Durable time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from durably.core import ops
from durably.core.ports import HistoryRow, Wait
from durably.engine.performers.kinds import InsideStep, Performers
from durably.engine.performers.waiting import parked, timer

if TYPE_CHECKING:
    from durably.engine.run import Run

__all__ = ["INSIDE_STEP", "PERFORMERS"]


async def _sleep(run: Run, number: int, row: HistoryRow | None, operation: ops.Sleep) -> None:
    wake, now = await timer(run, number, row, seconds=operation.seconds, until=operation.until)
    with parked(run, number, Wait("timer", run.workflow_id), until=wake):
        await run.resources.world.sleep(max(0.0, wake - now))


PERFORMERS: Performers = {ops.Sleep: _sleep}
INSIDE_STEP: InsideStep = {}
