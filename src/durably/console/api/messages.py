"""Messages to workflows, and questions."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from durably.client import Message
from durably.console.api import reading
from durably.console.api.reading import options
from durably.console.api.route import Call, Example, get, post
from durably.console.api.wire import Given, Id, Instant, Name, Shown, shown
from durably.console.api.workflows import One, require
from durably.errors import NoReply

__all__ = ["ROUTES"]

IDEMPOTENCY_KEY = "Idempotency-Key"
KEYED = {IDEMPOTENCY_KEY: (Name, "A message with this key, to this workflow, is sent once.")}

Text = Annotated[Any, Meta(description="Any JSON value.")]


class Posted(Given, frozen=True, kw_only=True):
    """A message, and the topic that it is received under."""

    message: Text
    topic: Name | None = None
    idempotency_key: Name | None = None
    serialization: Name | None = None


class Addressed(Posted, frozen=True, kw_only=True):
    """A message, and the workflow that it is for."""

    destination_id: Id


class Question(Given, frozen=True, kw_only=True):
    """A question, and how many seconds to wait for the reply."""

    question: Text
    topic: Name | None = None
    wait: Annotated[float, Meta(gt=0, le=300)] = 60.0
    idempotency_key: Name | None = None


class Sent(Shown, frozen=True, kw_only=True):
    """How many messages are durable now."""

    sent: int


class Reply(Shown, frozen=True, kw_only=True):
    """A workflow's reply; `answered` is false where none came in time, or its workflow `ended` without."""

    workflow_id: str
    answered: bool
    ended: bool
    reply: Any
    payloads_hidden: bool


class Received(Shown, frozen=True, kw_only=True):
    """A message; `consumed_by_function_id` is the operation that received it."""

    message_uuid: str
    topic: str | None
    message: Any
    serialization: str | None
    created_at_epoch_ms: Instant
    consumed: bool
    consumed_by_function_id: int | None


class Inbox(Shown, frozen=True, kw_only=True):
    """The messages to a workflow, the oldest first, received or not."""

    messages: list[Received]
    payloads_hidden: bool


Letters = Annotated[list[Addressed], Meta(max_length=10_000)]


@post(
    "/workflow/message",
    status=201,
    verbs=("send",),
    problems=(404,),
    headers=KEYED,
    example=Example({"id": "order-17"}, {"message": {"ok": True}, "topic": "approval"}),
)
async def send_message(call: Call, query: One, body: Posted) -> Sent:
    """Send a message to a workflow, which receives it with `recv(topic)`."""
    key = body.idempotency_key or reading.header_of(call.request, IDEMPOTENCY_KEY, Name)
    sending = call.client.send(query.id, body.message, body.topic, key, serialization=body.serialization)
    await call.act("send", "workflow", query.id, sending, detail={"topic": body.topic})
    return Sent(sent=1)


@post(
    "/messages",
    status=201,
    verbs=("send_many",),
    problems=(404,),
    is_listed=True,
    example=Example(body=[{"destination_id": "order-17", "message": "stop"}]),
)
async def send_messages(call: Call, body: Letters) -> Sent:
    """Send messages in one transaction, all of them or none; they are received in this order.

    The body is an array, or has one object on each line (application/x-ndjson).
    """
    sending = call.client.send_many([Message(**options(each)) for each in body])
    await call.act("send", "workflow", [each.destination_id for each in body], sending)
    return Sent(sent=len(body))


@get(
    "/workflow/messages",
    verbs=("list_workflow_messages",),
    problems=(404,),
    example=Example({"id": "order-17"}),
)
async def list_messages(call: Call, query: One) -> Inbox:
    """Show the messages that were sent to a workflow, the oldest first."""
    await require(call, query.id)
    found = await call.client.list_workflow_messages(query.id)
    messages = [shown(Received, each, message=call.hidden(each.message)) for each in found]
    return Inbox(messages=messages, payloads_hidden=call.hides)


@post(
    "/workflow/ask",
    verbs=("ask",),
    problems=(404,),
    also={202: "No reply has come: ask again with the same idempotency_key."},
    example=Example({"id": "order-17"}, {"question": {"may": "ship"}, "topic": "questions", "wait": 10}),
)
async def ask_workflow(call: Call, query: One, body: Question) -> Reply:
    """Ask a workflow that runs, and show its reply; 202 where none came in time."""
    asking = call.client.ask(
        query.id,
        body.question,
        body.topic,
        timeout=call.within(body.wait),
        idempotency_key=body.idempotency_key,
    )
    reply, answered, ended = None, True, False
    try:
        reply = await call.act("ask", "workflow", query.id, asking, detail={"topic": body.topic})
    except NoReply as error:
        answered, ended, call.status = False, error.ended, 202
    return Reply(
        workflow_id=query.id,
        answered=answered,
        ended=ended,
        reply=call.hidden(reply),
        payloads_hidden=call.hides,
    )


ROUTES = (send_message, send_messages, list_messages, ask_workflow)
