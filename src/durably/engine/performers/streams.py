"""Streams: appended to, closed and read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from durably.core import names, ops
from durably.core.ports import HistoryRow, StreamPage, Wait
from durably.core.records import Append
from durably.engine import steps
from durably.engine.context import Written, current_frame
from durably.engine.performers.kinds import InsideStep, Performers
from durably.engine.performers.waiting import parked, until
from durably.errors import DatabaseUnavailable, NoSuchWorkflow, NotRunning, StreamEnded, StreamTimeout

if TYPE_CHECKING:
    from durably.engine.run import Run

__all__ = ["INSIDE_STEP", "PERFORMERS"]


# --- writing ----------------------------------------------------------------------------------------------


async def _append(run: Run, number: int, row: HistoryRow | None, operation: ops.AppendValue) -> None:
    if row is None:
        await run.record(_record(run, number, operation))


async def _append_in_step(run: Run, step: int, operation: ops.AppendValue) -> None:
    here = current_frame()
    assert here is not None and here.streams is not None
    written = here.streams.setdefault(operation.key, Written())
    record = _record(run, step, operation, written)
    written.pending += 1
    try:
        written.after = await run.record(record)
    finally:
        written.pending -= 1


def _record(run: Run, number: int, operation: ops.AppendValue, written: Written | None = None) -> Append:
    value, serialization = names.STREAM_END, "portable_json"
    if not operation.closes:
        codec = run.resources.codecs.get(run.claimed.serialization)
        value = codec.encode(operation.value, subject=f"value for stream {operation.key!r}")
        serialization = codec.name
    now = run.now_ms()
    return Append(
        workflow_id=run.workflow_id,
        owner=run.owner,
        function_id=number,
        key=operation.key,
        value=value,
        serialization=serialization,
        in_step=written is not None,
        after=-1 if written is None else written.after,
        place=0 if written is None else written.pending,
        function_name=operation.name,
        started_at=now,
        completed_at=now,
    )


# --- reading ----------------------------------------------------------------------------------------------


async def _read(run: Run, number: int, row: HistoryRow | None, operation: ops.ReadStream[Any]) -> Any:
    """One value, and one record: of it, of the end, or of the timeout."""
    if row is not None and row.error is not None:
        return run.recall(row)
    if row is not None:
        return _value(run, operation, row.output, row.serialization)
    started = run.now_ms()
    try:
        text, serialization = await _next(run, number, operation)
    except (NoSuchWorkflow, StreamTimeout) as error:
        failure = run.step_record(number, operation.name, started=started, error=error)
        await run.record(failure)
        raise run.error_as_recorded(failure) from error
    await run.record(
        steps.bare_record(run, number, operation.name, started, output=text, serialization=serialization)
    )
    return _value(run, operation, text, serialization)


async def _read_in_step(run: Run, step: int, operation: ops.ReadStream[Any]) -> Any:
    return _value(run, operation, *await _next(run, step, operation))


def _value(run: Run, operation: ops.ReadStream[Any], text: str | None, serialization: str | None) -> Any:
    if text != names.STREAM_END:
        return run.resources.codecs.decode(text or "null", serialization, operation.type_)
    if operation.once:
        raise StreamEnded(operation.workflow_id, operation.key, operation.offset)
    return ops.ReadStream.END


async def _next(run: Run, number: int, operation: ops.ReadStream[Any]) -> tuple[str, str | None]:
    """The text of the value, or the stream's end, once there is one of them."""
    resources = run.resources
    wake = None if operation.timeout is None else resources.database_now() + operation.timeout
    wait = Wait("stream", operation.workflow_id, operation.key, operation.offset)
    while True:
        with resources.hub.watch(wait, ask=False) as news, parked(run, number, wait, until=wake):
            page = await _look(run, operation)
            if page.values:
                return page.values[0]
            if page.ended:
                return names.STREAM_END, "portable_json"
            if await until(run, news, wake) is None:
                raise StreamTimeout(operation.workflow_id, operation.key, operation.timeout or 0.0)


async def _look(run: Run, operation: ops.ReadStream[Any]) -> StreamPage:
    try:
        page = await run.resources.store.stream(operation.workflow_id, operation.key, operation.offset, 1)
    except (DatabaseUnavailable, NotRunning) as error:
        raise run.given_up(error) from error
    if page is None:
        raise NoSuchWorkflow(operation.workflow_id)
    return page


PERFORMERS: Performers = {ops.AppendValue: _append, ops.ReadStream: _read}
INSIDE_STEP: InsideStep = {ops.AppendValue: _append_in_step, ops.ReadStream: _read_in_step}
