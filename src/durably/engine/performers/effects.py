"""What a workflow does to other workflows, or sees of them: the effect, then its record."""

from __future__ import annotations

from collections.abc import Awaitable
from functools import partial
from typing import TYPE_CHECKING, Any

from durably.core import ops
from durably.core.ids import child_ids, new_id
from durably.core.ports import HistoryRow
from durably.core.records import Step
from durably.engine.performers.kinds import InsideStep, Performers
from durably.errors import DatabaseUnavailable, NotRunning

if TYPE_CHECKING:
    from durably.engine.run import Run

__all__ = ["INSIDE_STEP", "PERFORMERS"]


async def _affect(run: Run, number: int, row: HistoryRow | None, operation: ops.Affect[Any]) -> Any:
    if row is not None:
        return run.recall(row)
    started = run.now_ms()
    ids = partial(next, child_ids(run.workflow_id, number))
    try:
        if isinstance(operation, ops.Together):
            return await _together(run, number, operation, started)
        value = await operation.effect(ids)
    except (DatabaseUnavailable, NotRunning) as error:
        raise run.given_up(error) from error
    except Exception as error:
        failure = run.step_record(number, operation.name, started=started, error=error)
        await run.record(failure)
        raise run.error_as_recorded(failure) from error
    record = run.step_record(number, operation.name, started=started, value=value)
    await run.record(record)
    return run.as_recorded(record, value, Any)


async def _together(run: Run, number: int, operation: ops.Together[Any], started: int) -> Any:
    """The effect and its record, committed together."""
    written: list[Step] = []

    def effect() -> Awaitable[Any]:
        return operation.effect(partial(next, child_ids(run.workflow_id, number)))

    def record(value: Any) -> Step:
        written.append(run.step_record(number, operation.name, started=started, value=value))
        return written[-1]

    value = await run.committing(partial(operation.commit, effect, record))
    return run.as_recorded(written[-1], value, Any)


async def _affect_in_step(run: Run, step: int, operation: ops.Affect[Any]) -> Any:
    return await operation.effect(partial(new_id, run.resources.world.random))


KINDS = (ops.Affect, ops.Fork, ops.Together)
PERFORMERS: Performers = dict.fromkeys(KINDS, _affect)
INSIDE_STEP: InsideStep = dict.fromkeys(KINDS, _affect_in_step)
