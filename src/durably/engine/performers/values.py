"""Steps, and values that are taken from the world once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from durably.core import ops
from durably.core.ports import HistoryRow
from durably.engine import steps
from durably.engine.performers.kinds import InsideStep, Performers

if TYPE_CHECKING:
    from durably.engine.run import Run

__all__ = ["INSIDE_STEP", "PERFORMERS"]


async def _run_step(run: Run, number: int, row: HistoryRow | None, operation: ops.RunStep[Any]) -> Any:
    return await steps.run_step(run, number, row, operation)


async def _run_step_in_step(run: Run, step: int, operation: ops.RunStep[Any]) -> Any:
    return await steps.plain_call(run, operation)


async def _compute(run: Run, number: int, row: HistoryRow | None, operation: ops.Compute[Any]) -> Any:
    if row is not None:
        return run.recall(row, operation.type_)
    started = run.now_ms()
    value = operation.function()
    record = run.step_record(number, operation.name, started=started, value=value, type_=operation.type_)
    await run.record(record)
    return run.as_recorded(record, value, operation.type_)


async def _compute_in_step(run: Run, step: int, operation: ops.Compute[Any]) -> Any:
    return operation.function()


PERFORMERS: Performers = {ops.RunStep: _run_step, ops.Compute: _compute}
INSIDE_STEP: InsideStep = {ops.RunStep: _run_step_in_step, ops.Compute: _compute_in_step}
