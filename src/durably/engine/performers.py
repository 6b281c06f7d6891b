"""How each operation is performed: a coroutine per kind, which takes the run, the number and the record."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any

from durably.core import names, ops
from durably.core.ids import new_id
from durably.core.ports import HistoryRow, ResultRow, Wait
from durably.core.records import Receive, Send, SetEvent, Timer
from durably.engine import steps
from durably.errors import (
    NoSuchWorkflow,
    RecoveryAttemptsExceeded,
    WorkflowCancelled,
    WorkflowTimeout,
    WrongContext,
)

if TYPE_CHECKING:
    from durably.codec import Codecs
    from durably.engine.run import Run

__all__ = ["await_result", "inside_step", "outcome", "perform", "result_of"]


def perform(
    run: Run, number: int, row: HistoryRow | None, operation: ops.Operation[Any]
) -> Coroutine[Any, Any, Any]:
    """The coroutine that answers the operation from its record, or performs it."""
    return PERFORMERS[type(operation)](run, number, row, operation)


def inside_step(run: Run, step: int, operation: ops.Operation[Any]) -> Coroutine[Any, Any, Any]:
    """The same from a step's body: nothing is numbered, and what a step cannot do is refused."""
    try:
        return INSIDE_STEP[type(operation)](run, step, operation)
    except KeyError:
        raise WrongContext(
            f"{operation.name} does not work inside a step: a step is one outcome. "
            "Call it from the workflow, before or after the step"
        ) from None


# -- time --------------------------------------------------------------------------------------------------


async def _sleep(run: Run, number: int, row: HistoryRow | None, operation: ops.Sleep) -> None:
    wake, now = await _timer(run, number, row, seconds=operation.seconds, until=operation.until)
    with _parked(run):
        await run.resources.world.sleep(max(0.0, wake - now))


async def _timer(
    run: Run, number: int, row: HistoryRow | None, *, seconds: float | None = None, until: float | None = None
) -> tuple[float, float]:
    """The instant a timer is due and the database's now. Recorded before the wait, so it outlives us."""
    if row is not None:
        return _recorded_instant(row), run.resources.database_now()
    record = Timer(
        workflow_id=run.workflow_id,
        owner=run.owner,
        function_id=number,
        seconds=seconds,
        until=until,
        started_at=run.now_ms(),
    )
    wake, now = await run.record(record)
    return wake, now


def _recorded_instant(row: HistoryRow) -> float:
    """Epoch seconds; DBOS for TypeScript writes milliseconds, which are told by their size."""
    instant = float(row.output or 0)
    return instant / 1000 if instant > 1e11 else instant


# -- messages and events -----------------------------------------------------------------------------------


async def _send(run: Run, number: int, row: HistoryRow | None, operation: ops.SendMessage) -> None:
    if row is not None:
        run.recall(row)
        return
    started = run.now_ms()
    try:
        await run.record(_message(run, number, operation, in_step=False))
    except NoSuchWorkflow as error:
        await run.record(run.step_record(number, operation.name, started=started, error=error))
        raise


async def _send_in_step(run: Run, step: int, operation: ops.SendMessage) -> None:
    await run.record(_message(run, step, operation, in_step=True))


def _message(run: Run, number: int, operation: ops.SendMessage, *, in_step: bool) -> Send:
    codec = run.resources.codecs.default
    key = operation.idempotency_key or new_id(run.resources.world.random)
    now = run.now_ms()
    return Send(
        message_uuid=f"{key}::{operation.destination}" if operation.idempotency_key else key,
        destination=operation.destination,
        topic=operation.topic if operation.topic is not None else names.NULL_TOPIC,
        message=codec.encode(operation.message, subject="message"),
        serialization=codec.name,
        workflow_id=run.workflow_id,
        owner=run.owner,
        function_id=number,
        in_step=in_step,
        started_at=now,
        completed_at=now,
    )


async def _receive(run: Run, number: int, row: HistoryRow | None, operation: ops.Receive[Any]) -> Any:
    if row is not None:
        return run.recall(row, operation.type_)
    topic = operation.topic if operation.topic is not None else names.NULL_TOPIC
    timer = run.ledger.recorded(number + 1, names.SLEEP)
    wake = _recorded_instant(timer) if timer is not None else None
    while True:
        with run.resources.hub.watch(Wait("message", run.workflow_id, topic), ask=False) as news:
            give_up = _is_over(run, operation.timeout, wake)
            reply = await run.record(
                _receive_record(run, number, topic, give_up, operation.timeout if wake is None else None)
            )
            if reply.found:
                return _decode_message(run, reply, operation.type_)
            wake = wake if wake is not None else reply.wake
            with _parked(run):
                await _until(run, news, wake)


def _is_over(run: Run, timeout: float | None, wake: float | None) -> bool:
    """Whether this is the last look: no time was given, or it has passed."""
    if timeout is not None and timeout <= 0:
        return True
    return wake is not None and run.resources.database_now() >= wake


def _receive_record(run: Run, number: int, topic: str, give_up: bool, wait: float | None) -> Receive:
    codec, now = run.resources.codecs.default, run.now_ms()
    return Receive(
        workflow_id=run.workflow_id,
        owner=run.owner,
        function_id=number,
        topic=topic,
        wait_seconds=wait,
        give_up=give_up,
        none_text=codec.encode(None),
        none_serialization=codec.name,
        started_at=now,
        completed_at=now,
    )


def _decode_message(run: Run, reply: Any, type_: Any) -> Any:
    if reply.message is None:
        return None
    codec = run.resources.codecs.reader(reply.serialization, reply.message)
    if reply.message == codec.encode(None):
        return None
    return codec.decode(reply.message, type_)


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


async def _get_event(run: Run, number: int, row: HistoryRow | None, operation: ops.GetEvent[Any]) -> Any:
    if row is not None:
        return run.recall(row, operation.type_)
    started = run.now_ms()
    timer = run.ledger.recorded(number + 1, names.SLEEP)
    wake, _ = await _timer(run, number + 1, timer, seconds=max(0.0, operation.timeout))
    found = await _await_event(run, operation, wake)
    codec = run.resources.codecs.default
    value, serialization = found or (codec.encode(None), codec.name)
    await run.record(
        steps.bare_record(run, number, operation.name, started, output=value, serialization=serialization)
    )
    if found is None:
        return None
    return run.resources.codecs.decode(value, serialization, operation.type_)


async def _get_event_in_step(run: Run, step: int, operation: ops.GetEvent[Any]) -> Any:
    wake = run.resources.database_now() + operation.timeout
    found = await _await_event(run, operation, wake)
    if found is None:
        return None
    value, serialization = found
    return run.resources.codecs.decode(value, serialization, operation.type_)


async def _await_event(run: Run, operation: ops.GetEvent[Any], wake: float) -> Any:
    with run.resources.hub.watch(Wait("event", operation.workflow_id, operation.key)) as news, _parked(run):
        return await _until(run, news, wake)


async def _until(run: Run, news: asyncio.Future[Any], wake: float | None) -> Any:
    """What the hub has to tell, or None at the instant `wake` of the database's clock."""
    seconds = None if wake is None else max(0.0, wake - run.resources.database_now())
    try:
        async with asyncio.timeout(seconds):
            return await news
    except TimeoutError:
        return None


# -- other workflows ---------------------------------------------------------------------------------------


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
        wake, _ = await _timer(run, *timer, seconds=operation.timeout)
    with run.resources.hub.watch(Wait("result", operation.workflow_id)) as news, _parked(run):
        ended: ResultRow | None = await _until(run, news, wake)
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
    await run.record(record)
    if error is not None or ended is None:
        raise run.error_as_recorded(record)
    return result_of(run.resources.codecs, ended, operation.type_)


def _no_outcome(operation: ops.GetResult[Any], ended: ResultRow | None) -> Exception | None:
    """Why there is neither a result nor an error of the workflow's own."""
    if ended is None:
        return WorkflowTimeout(operation.workflow_id, operation.timeout or 0.0)
    return None if ended.status in ("SUCCESS", "ERROR") else outcome(ended)


async def _get_result_in_step(run: Run, step: int, operation: ops.GetResult[Any]) -> Any:
    wake = None if operation.timeout is None else run.resources.database_now() + operation.timeout
    with run.resources.hub.watch(Wait("result", operation.workflow_id)) as news, _parked(run):
        ended = await _until(run, news, wake)
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


# -- steps and values --------------------------------------------------------------------------------------


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


@contextlib.contextmanager
def _parked(run: Run) -> Iterator[None]:
    """While it waits a run does not count against what its executor may run."""
    run.parked += 1
    run.resources.parking(run, 1)
    try:
        yield
    finally:
        run.parked -= 1
        run.resources.parking(run, -1)


PERFORMERS: dict[type, Callable[[Run, int, HistoryRow | None, Any], Coroutine[Any, Any, Any]]] = {
    ops.Sleep: _sleep,
    ops.SendMessage: _send,
    ops.Receive: _receive,
    ops.SetEventValue: _set_event,
    ops.GetEvent: _get_event,
    ops.StartChild: _start_child,
    ops.GetResult: _get_result,
    ops.RunStep: _run_step,
    ops.Compute: _compute,
}
INSIDE_STEP: dict[type, Callable[[Run, int, Any], Coroutine[Any, Any, Any]]] = {
    ops.SendMessage: _send_in_step,
    ops.SetEventValue: _set_event_in_step,
    ops.GetEvent: _get_event_in_step,
    ops.GetResult: _get_result_in_step,
    ops.RunStep: _run_step_in_step,
    ops.Compute: _compute_in_step,
}
