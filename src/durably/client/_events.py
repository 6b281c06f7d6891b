"""Events that workflows publish."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from durably.client import _decode as decode
from durably.client._base import Part
from durably.client._results import LAST_LOOK
from durably.client._session import Open
from durably.client._waits import GRACE
from durably.core import checks
from durably.core.ports import Wait
from durably.errors import DatabaseError
from durably.types import Seconds

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


async def _last_look(open_: Open, wait: Wait, seconds: float) -> Any:
    """After a wait so short that nobody has asked."""
    if seconds < GRACE:
        with contextlib.suppress(DatabaseError, TimeoutError):
            async with asyncio.timeout(LAST_LOOK):
                return await open_.waits.look(wait)
    return None
