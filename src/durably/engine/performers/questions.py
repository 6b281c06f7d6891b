"""Questions to other workflows: a message, and the wait for the event that answers it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from durably.core import names, ops, questions
from durably.core.ids import child_id, new_id
from durably.core.ports import HistoryRow
from durably.engine.performers import events, messages
from durably.engine.performers.kinds import InsideStep, Performers
from durably.errors import NoReply

if TYPE_CHECKING:
    from durably.engine.run import Run

__all__ = ["INSIDE_STEP", "PERFORMERS"]


async def _ask(run: Run, number: int, row: HistoryRow | None, operation: ops.Ask) -> Any:
    """The message has the operation's number, the wait the next one, its timer the one behind."""
    id_ = child_id(run.workflow_id, number)
    waiting = run.ledger.recorded(number + 1, names.GET_EVENT)
    await messages.send(run, number, row, _message(operation, id_))
    return _reply(run, operation, await events.get(run, number + 1, waiting, _event(operation, id_)))


async def _ask_in_step(run: Run, step: int, operation: ops.Ask) -> Any:
    id_ = new_id(run.resources.world.random)
    await messages.send_in_step(run, step, _message(operation, id_))
    return _reply(run, operation, await events.get_in_step(run, step, _event(operation, id_)))


def _message(operation: ops.Ask, id_: str) -> ops.SendMessage:
    question = questions.asked(id_, operation.question)
    return ops.SendMessage(operation.workflow_id, question, operation.topic, id_)


def _event(operation: ops.Ask, id_: str) -> ops.GetEvent[Any]:
    return ops.GetEvent(operation.workflow_id, questions.reply_key(id_), operation.timeout)


def _reply(run: Run, operation: ops.Ask, event: Any) -> Any:
    if event is None:
        raise NoReply(operation.workflow_id, operation.timeout)
    reply = questions.replied(event)
    codec = run.resources.codecs.default
    return reply if operation.type_ is Any else codec.decode(codec.encode(reply), operation.type_)


PERFORMERS: Performers = {ops.Ask: _ask}
INSIDE_STEP: InsideStep = {ops.Ask: _ask_in_step}
