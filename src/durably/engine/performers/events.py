"""Events: published and read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from durably.core import names, ops
from durably.core.ports import HistoryRow, Wait
from durably.core.records import SetEvent
from durably.engine import steps
from durably.engine.performers.kinds import InsideStep, Performers
from durably.engine.performers.waiting import parked, timer, until

if TYPE_CHECKING:
    from durably.engine.run import Run

__all__ = ["INSIDE_STEP", "PERFORMERS", "get", "get_in_step"]


async def _set_event(run: Run, number: int, row: HistoryRow | None, operation: ops.SetEventValue) -> None:
    if row is None:
        await run.record(_event(run, number, operation, in_step=False))


async def _set_event_in_step(run: Run, step: int, operation: ops.SetEventValue) -> None:
    await run.record(_event(run, step, operation, in_step=True))


def _event(run: Run, number: int, operation: ops.SetEventValue, *, in_step: bool) -> SetEvent:
    codec = run.resources.codecs.get(run.claimed.serialization)
    now = run.now_ms()
    return SetEvent(
        workflow_id=run.workflow_id,
        owner=run.owner,
        function_id=number,
        key=operation.key,
        value=codec.encode(operation.value, subject=f"event {operation.key!r}"),
        serialization=codec.name,
        in_step=in_step,
        started_at=now,
        completed_at=now,
    )


async def get(run: Run, number: int, row: HistoryRow | None, operation: ops.GetEvent[Any]) -> Any:
    """Wait for an event, and record it."""
    if row is not None:
        return run.recall(row, operation.type_)
    started = run.now_ms()
    due = run.ledger.recorded(number + 1, names.SLEEP)
    wake, _ = await timer(run, number + 1, due, seconds=max(0.0, operation.timeout))
    found = await _await_event(run, number, operation, wake)
    codec = run.resources.codecs.default
    value, serialization = found or (codec.encode(None), codec.name)
    await run.record(
        steps.bare_record(run, number, operation.name, started, output=value, serialization=serialization)
    )
    if found is None:
        return None
    return run.resources.codecs.decode(value, serialization, operation.type_)


async def get_in_step(run: Run, step: int, operation: ops.GetEvent[Any]) -> Any:
    """Wait for an event, without a record."""
    wake = run.resources.database_now() + operation.timeout
    found = await _await_event(run, step, operation, wake)
    if found is None:
        return None
    value, serialization = found
    return run.resources.codecs.decode(value, serialization, operation.type_)


async def _await_event(run: Run, number: int, operation: ops.GetEvent[Any], wake: float) -> Any:
    wait = Wait("event", operation.workflow_id, operation.key)
    with run.resources.hub.watch(wait) as news, parked(run, number, wait, until=wake):
        return await until(run, news, wake)


PERFORMERS: Performers = {ops.SetEventValue: _set_event, ops.GetEvent: get}
INSIDE_STEP: InsideStep = {ops.SetEventValue: _set_event_in_step, ops.GetEvent: get_in_step}
