"""Messages: sent and received."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from durably.core import names, ops
from durably.core.ports import HistoryRow, Wait
from durably.core.records import Receive, Send
from durably.engine.performers.kinds import InsideStep, Performers
from durably.engine.performers.waiting import parked, recorded_instant, until
from durably.errors import NoSuchWorkflow

if TYPE_CHECKING:
    from durably.engine.run import Run

__all__ = ["INSIDE_STEP", "PERFORMERS", "decode_message", "receive_record", "send", "send_in_step"]


async def send(run: Run, number: int, row: HistoryRow | None, operation: ops.SendMessage) -> None:
    """Send, and record it in the same transaction."""
    if row is not None:
        run.recall(row)
        return
    started = run.now_ms()
    try:
        await run.record(_message(run, number, operation, in_step=False))
    except NoSuchWorkflow as error:
        await run.record(run.step_record(number, operation.name, started=started, error=error))
        raise


async def send_in_step(run: Run, step: int, operation: ops.SendMessage) -> None:
    """Send, fenced and without a record."""
    await run.record(_message(run, step, operation, in_step=True))


def _message(run: Run, number: int, operation: ops.SendMessage, *, in_step: bool) -> Send:
    codec = run.resources.codecs.default
    key = operation.idempotency_key or run.resources.message_ids.new_id()
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
    due = run.ledger.recorded(number + 1, names.SLEEP)
    wake = recorded_instant(due) if due is not None else None
    wait = Wait("message", run.workflow_id, topic)
    while True:
        with run.resources.hub.watch(wait, ask=False) as news:
            give_up = _is_over(run, operation.timeout, wake)
            reply = await run.record(
                receive_record(
                    run, number, topic, give_up=give_up, wait=operation.timeout if wake is None else None
                )
            )
            if reply.found:
                return decode_message(run, reply, operation.type_)
            wake = wake if wake is not None else reply.wake
            with parked(run, number, wait, until=wake):
                await until(run, news, wake)


def _is_over(run: Run, timeout: float | None, wake: float | None) -> bool:
    """Whether this is the last look: no time was given, or it has passed."""
    if timeout is not None and timeout <= 0:
        return True
    return wake is not None and run.resources.database_now() >= wake


def receive_record(run: Run, number: int, topic: str, *, give_up: bool, wait: float | None) -> Receive:
    """The record that consumes a message, if there is one."""
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


def decode_message(run: Run, reply: Any, type_: Any) -> Any:
    """The message that a Receive consumed. One that cannot be decoded is consumed all the same."""
    if reply.message is None:
        return None
    codec = run.resources.codecs.reader(reply.serialization, reply.message)
    if reply.message == codec.encode(None):
        return None
    return codec.decode(reply.message, type_)


PERFORMERS: Performers = {ops.SendMessage: send, ops.Receive: _receive}
INSIDE_STEP: InsideStep = {ops.SendMessage: send_in_step}
