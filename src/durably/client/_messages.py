"""Messages to workflows."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from durably.client import _decode as decode
from durably.client import _records as records
from durably.client._base import Part
from durably.core import checks, names
from durably.core.records import Send
from durably.observing import CallFacts
from durably.store import batch, callers, messages
from durably.types import ReceivedMessage

__all__ = ["Message", "Messages"]


@dataclass(frozen=True, kw_only=True)
class Message:
    """A message for `send_many`; the fields are the parameters of `send`.

    Message(destination_id="order-17", message={"ok": True}, topic="approval")
    """

    destination_id: str
    message: Any
    topic: str | None = None
    idempotency_key: str | None = None
    serialization: str | None = None


class Messages(Part):
    """What sends messages."""

    async def send(
        self,
        destination_id: str,
        message: Any,
        topic: str | None = None,
        idempotency_key: str | None = None,
        *,
        serialization: str | None = None,
        connection: object = None,
    ) -> None:
        """Send a message to a workflow, which receives it with `recv(topic)`; durable when this returns.

        With `idempotency_key` the same message sent again (to this workflow) is not a second one. With
        `connection` it is written in that connection's transaction, as in `enqueue`. Raises NoSuchWorkflow;
        EncodeError and InvalidOption before anything is written.

            await client.send("order-17", {"ok": True}, topic="approval", idempotency_key=payment_id)
        """
        record = self._message(
            Message(
                destination_id=destination_id,
                message=message,
                topic=topic,
                idempotency_key=idempotency_key,
                serialization=serialization,
            )
        )
        with self._session.settings.observer.call(CallFacts(kind="send", workflow_id=destination_id)):
            if connection is None:
                batch.raise_refused(await self._session.call(lambda open_: open_.commits.write(record)))
            else:
                open_ = await self._session.here()
                sending = [batch.sending([record])]
                answers = await callers.perform(connection, open_.database.schemas, sending)
                batch.raise_refused(batch.sent([record], answers[0])[0])

    def send_many(self, items: Sequence[Message]) -> Coroutine[Any, Any, None]:
        """Send messages in one transaction: all of them, or none; they are received in this order.

        In a workflow they are one operation, sent exactly once. Raises as `send`.

            await client.send_many([Message(destination_id=id, message="stop") for id in ids])
        """

        async def send(new_id: Callable[[], str]) -> None:
            made = [self._message(item, new_id) for item in items]
            if made:
                await self._session.call(
                    lambda open_: messages.send_together(open_.database, _in_order(made))
                )

        return self._perform(names.SEND_MANY, send, lambda nothing: nothing)

    def list_workflow_messages(self, workflow_id: str) -> Coroutine[Any, Any, list[ReceivedMessage]]:
        """Return the messages that were sent to a workflow, the oldest first, received or not.

        A message that cannot be decoded here is its text.

            unread = [m for m in await client.list_workflow_messages("order-17") if not m.consumed]
        """
        checks.address("workflow_id", workflow_id)
        codecs = self._session.settings.codecs
        return self._look(
            lambda open_: messages.list_messages(open_.database, workflow_id),
            lambda rows: [
                ReceivedMessage(
                    **row | {"message": decode.shown(codecs, row["message"], row["serialization"])}
                )
                for row in rows
            ],
        )

    def _message(self, item: Message, new_id: Callable[[], str] | None = None) -> Send:
        return records.message(
            item.destination_id,
            item.message,
            item.topic,
            item.idempotency_key,
            codec=records.writable(self._session.settings.codecs, item.serialization),
            new_id=new_id or self._session.new_message_id,
        )


def _in_order(made: Sequence[Send]) -> list[Send]:
    """The same, with ids by which messages of one moment are received in this order."""
    given = {record.message_uuid for record in made if "::" in record.message_uuid}
    return [
        record
        if record.message_uuid in given
        else replace(record, message_uuid=f"{made[0].message_uuid}-{place:06}")
        for place, record in enumerate(made)
    ]
