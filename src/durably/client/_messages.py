"""Messages to workflows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from durably.client import _records as records
from durably.client._base import Part
from durably.core.records import Send
from durably.store import batch, callers, messages

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
        if connection is None:
            batch.raise_refused(await self._session.call(lambda open_: open_.commits.write(record)))
        else:
            open_ = await self._session.here()
            answers = await callers.perform(connection, open_.database.schemas, [batch.sending([record])])
            batch.raise_refused(batch.sent([record], answers[0])[0])

    async def send_many(self, items: Sequence[Message]) -> None:
        """Send messages in one transaction: all of them, or none. Raises as `send`.

        await client.send_many([Message(destination_id=id, message="stop") for id in ids])
        """
        made = [self._message(item) for item in items]
        if made:
            await self._session.call(lambda open_: messages.send_together(open_.database, made))

    def _message(self, item: Message) -> Send:
        return records.message(
            item.destination_id,
            item.message,
            item.topic,
            item.idempotency_key,
            codec=records.writable(self._session.settings.codecs, item.serialization),
            ids=self._session,
        )
