"""Other workflows: started as children, awaited."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from durably.core import ops
from durably.core.ports import HistoryRow, ResultRow, Wait
from durably.core.records import Step
from durably.engine import steps
from durably.engine.performers.kinds import InsideStep, Performers
from durably.engine.performers.waiting import parked, until
from durably.engine.performers.waiting import timer as start_timer
from durably.errors import RecoveryAttemptsExceeded, WorkflowCancelled, WorkflowTimeout

if TYPE_CHECKING:
    from durably.codec import Codecs
    from durably.engine.run import Run

__all__ = ["INSIDE_STEP", "PERFORMERS", "await_result", "outcome", "result_of", "result_record"]


async def _start_child(run: Run, number: int, row: HistoryRow | None, operation: ops.StartChild) -> str:
    if row is not None:
        if row.error is not None:
            run.recall(row)
        return row.child_workflow_id or ""
    workflow_id: str = await run.resources.start_child(run, number, operation)
    return workflow_id


def _get_result(
    run: Run, number: int, row: HistoryRow | None, operation: ops.GetResult[Any]
) -> Coroutine[Any, Any, Any]:
    return await_result(run, number, row, operation, None)


async def await_result(
    run: Run,
    number: int,
    row: HistoryRow | None,
    operation: ops.GetResult[Any],
    timer: tuple[int, HistoryRow | None] | None,
) -> Any:
    """Wait for a workflow's end and record it; with a timer, only until then."""
    if row is not None:
        return run.recall(row, operation.type_)
    started = run.now_ms()
    wake = None
    if timer is not None:
        wake, _ = await start_timer(run, *timer, seconds=operation.timeout)
    wait = Wait("result", operation.workflow_id)
    with run.resources.hub.watch(wait) as news, parked(run, number, wait, until=wake):
        ended: ResultRow | None = await until(run, news, wake)
    record, failed = result_record(run, number, operation, started, ended)
    await run.record(record)
    if failed or ended is None:
        raise run.error_as_recorded(record)
    return result_of(run.resources.codecs, ended, operation.type_)


def result_record(
    run: Run, number: int, operation: ops.GetResult[Any], started: int, ended: ResultRow | None
) -> tuple[Step, bool]:
    """The record of how a workflow ended, and whether that is an error that stands for an outcome."""
    error = _no_outcome(operation, ended)
    codec = run.resources.codecs.default
    record = steps.bare_record(
        run,
        number,
        operation.name,
        started,
        output=ended.output if ended and error is None else None,
        error=codec.encode_error(error) if error else ended.error if ended else None,
        serialization=codec.name if error or not ended else ended.serialization,
        child_workflow_id=operation.workflow_id,
    )
    return record, error is not None


def _no_outcome(operation: ops.GetResult[Any], ended: ResultRow | None) -> Exception | None:
    """Why there is neither a result nor an error of the workflow's own."""
    if ended is None:
        return WorkflowTimeout(operation.workflow_id, operation.timeout or 0.0)
    return None if ended.status in ("SUCCESS", "ERROR") else outcome(ended)


async def _get_result_in_step(run: Run, step: int, operation: ops.GetResult[Any]) -> Any:
    wake = None if operation.timeout is None else run.resources.database_now() + operation.timeout
    wait = Wait("result", operation.workflow_id)
    with run.resources.hub.watch(wait) as news, parked(run, step, wait, until=wake):
        ended = await until(run, news, wake)
    if ended is None:
        raise WorkflowTimeout(operation.workflow_id, operation.timeout or 0.0)
    return result_of(run.resources.codecs, ended, operation.type_)


def result_of(codecs: Codecs, ended: ResultRow, type_: Any) -> Any:
    """The result of a workflow that ended; raises its error, or what stands for an end without an outcome."""
    if ended.status not in ("SUCCESS", "ERROR"):
        raise outcome(ended)
    if ended.status == "ERROR":
        raise codecs.decode_error(ended.workflow_id, ended.error or "{}", ended.serialization)
    return codecs.decode(ended.output or "null", ended.serialization, type_)


def outcome(ended: ResultRow) -> Exception:
    """The error that stands for an end without an outcome."""
    if ended.status == "CANCELLED":
        return WorkflowCancelled(ended.workflow_id)
    return RecoveryAttemptsExceeded(ended.workflow_id)


PERFORMERS: Performers = {ops.StartChild: _start_child, ops.GetResult: _get_result}
INSIDE_STEP: InsideStep = {ops.GetResult: _get_result_in_step}
