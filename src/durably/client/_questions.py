"""Questions to workflows that run: a message there, an event back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from durably.client import _records as records
from durably.client._base import Part
from durably.client._session import Open
from durably.core import checks, names, questions
from durably.core.ports import Wait
from durably.errors import NoReply
from durably.store import batch
from durably.types import Seconds

__all__ = ["Questions"]


class Questions(Part):
    """What asks workflows."""

    async def ask(
        self,
        workflow_id: str,
        question: Any,
        topic: str | None = None,
        *,
        timeout: Seconds = 60.0,
        type_: Any = Any,
        idempotency_key: str | None = None,
    ) -> Any:
        """Ask a workflow that runs, and return its reply, decoded to `type_`.

        The workflow takes the question with `recv_request(topic)` and answers with `request.reply(value)`.
        Both are ordinary rows: a message `{"ask": id, "question": ...}`, and an event `reply:<id>`. With
        `idempotency_key` the same question asked again has the same reply. Raises NoReply when none has come
        within `timeout` seconds, or at once when the workflow has ended without one; NoSuchWorkflow.

            answer = await client.ask("order-17", {"may": "ship"}, "questions", timeout=10)
        """
        checks.address("workflow_id", workflow_id)
        limit = checks.duration("timeout", timeout, zero=False) or 0.0
        key = checks.optional_name("idempotency_key", idempotency_key)

        async def put(new_id: Callable[[], str]) -> list[str | None]:
            id_ = key or new_id()
            await self._put(workflow_id, id_, question, topic)
            return list(await self._reply(workflow_id, id_, limit))

        codecs = self._session.settings.codecs
        text, serialization = await self._perform(names.ASK, put, lambda found: found)
        reply = questions.replied(codecs.decode(text or "null", serialization))
        return reply if type_ is Any else codecs.default.decode(codecs.default.encode(reply), type_)

    async def _put(self, workflow_id: str, id_: str, question: Any, topic: str | None) -> None:
        record = records.message(
            workflow_id,
            questions.asked(id_, question),
            topic,
            id_,
            codec=self._session.settings.codecs.default,
            new_id=self._session.new_message_id,
        )
        batch.raise_refused(await self._session.call(lambda open_: open_.commits.write(record)))

    async def _reply(self, workflow_id: str, id_: str, seconds: float) -> tuple[str, str | None]:
        """Text and format of the reply, once it is there."""
        open_ = await self._session.here()
        wait = Wait("event", workflow_id, questions.reply_key(id_))
        with (
            open_.waits.watch(wait, missing_ok=False) as reply,
            open_.waits.watch(Wait("result", workflow_id), missing_ok=True) as end,
        ):
            done, _ = await asyncio.wait({reply, end}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if reply in done:
            found: tuple[str, str | None] = reply.result()
            return found
        return await self._reply_after_all(open_, wait, seconds, ended=end in done)

    async def _reply_after_all(
        self, open_: Open, wait: Wait, seconds: float, *, ended: bool
    ) -> tuple[str, str | None]:
        """The reply may have come with the end."""
        found: tuple[str, str | None] | None = await open_.waits.look(wait)
        if found is None:
            raise NoReply(wait.id, seconds, ended=ended)
        return found
