"""Events that workflows publish."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any

from durably.client import _decode as decode
from durably.client._base import Part
from durably.client._results import LAST_LOOK
from durably.client._session import Open
from durably.client._waits import GRACE
from durably.core import checks, names
from durably.core.ports import Wait
from durably.errors import DatabaseError
from durably.store import streams
from durably.types import Seconds, WorkflowEvent

__all__ = ["Events"]


class Events(Part):
    """What reads events."""

    async def get_event(
        self,
        workflow_id: str,
        key: str,
        timeout_seconds: Seconds = 60,
        type_: Any = Any,
        *,
        missing_ok: bool = False,
    ) -> Any:
        """Return the value of an event of a workflow, waiting for it; None when it has not come in time.

        The value is decoded to `type_`. A workflow that ends without setting it is waited for like any
        other. An id that does not exist 0.6 s after this was called raises NoSuchWorkflow, unless
        `missing_ok`: then one that is yet to be enqueued is waited for.

            status = await client.get_event("order-17", "status", timeout_seconds=10)
        """
        wait = Wait("event", checks.address("workflow_id", workflow_id), checks.address("key", key))
        seconds = checks.wait_seconds("timeout_seconds", timeout_seconds)
        open_ = await self._session.here()
        with open_.waits.watch(wait, missing_ok=missing_ok) as future:
            try:
                async with asyncio.timeout(seconds):
                    found = await future
            except TimeoutError:
                found = await _last_look(open_, wait, seconds or 0.0)
        if found is None:
            return None
        text, serialization = found
        return decode.value(self._session.settings.codecs, text, serialization, type_)

    def get_all_events(self, workflow_id: str) -> Coroutine[Any, Any, dict[str, Any]]:
        """Return the latest value of each event of a workflow, by key; none for an id that does not exist.

        In a workflow it is recorded. A value that cannot be decoded here is its text.

            stage = (await client.get_all_events("order-17"))["status"]
        """
        checks.address("workflow_id", workflow_id)
        codecs = self._session.settings.codecs
        return self._perform(
            names.GET_EVENTS,
            lambda new_id: self._session.call(lambda open_: streams.events(open_.database, workflow_id)),
            lambda rows: {
                row["key"]: decode.shown(codecs, row["value"], row["serialization"]) for row in rows
            },
        )

    def list_workflow_events(self, workflow_id: str) -> Coroutine[Any, Any, list[WorkflowEvent]]:
        """Return every value that the events of a workflow have had, in the order in which they were set.

        for event in await client.list_workflow_events("order-17"): print(event.key, event.value)
        """
        checks.address("workflow_id", workflow_id)
        codecs = self._session.settings.codecs
        return self._look(
            lambda open_: streams.history(open_.database, workflow_id),
            lambda rows: [
                WorkflowEvent(
                    key=row["key"],
                    value=decode.shown(codecs, row["value"], row["serialization"]),
                    function_id=row["function_id"],
                )
                for row in rows
            ],
        )


async def _last_look(open_: Open, wait: Wait, seconds: float) -> Any:
    """After a wait so short that nobody has asked."""
    if seconds < GRACE:
        with contextlib.suppress(DatabaseError, TimeoutError):
            async with asyncio.timeout(LAST_LOOK):
                return await open_.waits.look(wait)
    return None
