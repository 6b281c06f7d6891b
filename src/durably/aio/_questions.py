"""Questions of others, answered; and questions to other workflows."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, Generic

from typing_extensions import TypeVar

from durably.aio._events import set_event
from durably.core import checks, ops, questions
from durably.engine.context import current_run
from durably.errors import DecodeError
from durably.types import Seconds

__all__ = ["Request", "ask", "recv_request"]

T = TypeVar("T", default=Any)


class Request(Generic[T]):
    """A question that somebody asked; `reply` answers it.

    request = await aio.recv_request("questions", timeout=3600)
    await request.reply(request.question == "ship?")
    """

    def __init__(self, id: str, question: T) -> None:
        self.id = id
        self.question = question

    def reply(self, value: Any) -> Coroutine[Any, Any, None]:
        """Answer; who asked wakes at once. Of several answers, who asks again gets the last.

        await request.reply({"cents": 300})
        """
        return set_event(questions.reply_key(self.id), questions.reply(value))

    def __repr__(self) -> str:
        return f"Request({self.id!r}, {self.question!r})"


def recv_request(
    topic: str | None = None, *, timeout: Seconds | None = 60.0, type: Any = Any
) -> Coroutine[Any, Any, Request[Any] | None]:
    """The oldest question of a topic (`client.ask`, `aio.ask`), decoded to `type`; None: none came in time.

    Times and topics as in `recv`. DecodeError for a message that is no question, or whose question does not
    fit; it is consumed all the same.

        request = await aio.recv_request("questions", timeout=None, type=Question)
    """
    limit = None if timeout is None else checks.span("timeout", timeout)
    topic = checks.optional_address("topic", topic)
    return _request(topic, current_run().perform(ops.Receive[Any](topic, limit)), type)


async def _request(topic: str | None, receiving: Coroutine[Any, Any, Any], type_: Any) -> Request[Any] | None:
    message = await receiving
    if message is None:
        return None
    unpacked = questions.unpacked(message)
    if unpacked is None:
        raise DecodeError(
            f"a message on topic {topic!r} is not a question: ask with client.ask, or receive it with recv"
        )
    id_, question = unpacked
    codec = current_run().resources.codecs.default
    return Request(id_, question if type_ is Any else codec.decode(codec.encode(question), type_))


def ask(
    workflow_id: str,
    question: Any,
    topic: str | None = None,
    *,
    timeout: Seconds = 60.0,
    type: Any = Any,
) -> Coroutine[Any, Any, Any]:
    """Ask another workflow, and return its reply, decoded to `type`: sent once, waited for durably.

    Raises NoReply when none has come within `timeout` seconds, also over restarts; NoSuchWorkflow.

        answer = await aio.ask("order-17", {"may": "ship"}, "questions", timeout=600)
    """
    checks.address("workflow_id", workflow_id)
    checks.optional_address("topic", topic)
    limit = checks.duration("timeout", timeout, zero=False) or 0.0
    return current_run().perform(ops.Ask(workflow_id, question, topic, limit, type))
