"""Streams that workflows write."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from typing import Any

from durably.client import _decode as decode
from durably.client._base import Part
from durably.core import checks
from durably.core.names import STREAM_END
from durably.core.ports import StreamPage, Wait
from durably.errors import NoSuchWorkflow, StreamEnded, StreamTimeout
from durably.store import streams
from durably.types import Seconds

__all__ = ["Streams"]


class Streams(Part):
    """What reads streams."""

    def read_stream(
        self,
        workflow_id: str,
        key: str,
        *,
        offset: int = 0,
        timeout: Seconds | None = None,
        type_: Any = Any,
    ) -> AsyncIterator[Any]:
        """Return the values of a stream from an offset on, as they come, until it ends.

        It ends when it is closed, or with its workflow. Offsets are dense: who has seen n values goes on with
        `offset=n`, in whatever process. Values are decoded to `type_`. Raises StreamTimeout when no value
        comes for `timeout` seconds (None: wait for ever), and NoSuchWorkflow.

            async for token in client.read_stream("chat-17", "tokens", timeout=60): print(token)
        """
        checks.address("workflow_id", workflow_id)
        first = checks.whole("offset", offset, least=0)
        limit = checks.duration("timeout", timeout, zero=True)
        return self._values(workflow_id, checks.address("key", key), first, limit, type_)

    async def _values(
        self, workflow_id: str, key: str, offset: int, timeout: float | None, type_: Any
    ) -> AsyncIterator[Any]:
        codecs = self._session.settings.codecs
        while True:
            page = await self._page(workflow_id, key, offset, streams.PAGE, timeout)
            for text, serialization in page.values:
                if text == STREAM_END:
                    return
                yield decode.value(codecs, text, serialization, type_)
            if not page.values:
                return
            offset += len(page.values)

    async def read_stream_offset(
        self,
        workflow_id: str,
        key: str,
        offset: int,
        *,
        timeout: Seconds | None = None,
        type_: Any = Any,
    ) -> Any:
        """Return the value at one offset of a stream, waiting for it.

        Raises StreamTimeout when it does not come within `timeout` seconds (None: wait for ever), StreamEnded
        when the stream has ended before it, NoSuchWorkflow.

            first = await client.read_stream_offset("chat-17", "tokens", 0, timeout=60)
        """
        checks.address("workflow_id", workflow_id)
        place = checks.whole("offset", offset, least=0)
        limit = checks.duration("timeout", timeout, zero=True)
        page = await self._page(workflow_id, checks.address("key", key), place, 1, limit)
        if not page.values or page.values[0][0] == STREAM_END:
            raise StreamEnded(workflow_id, key, place)
        return decode.value(self._session.settings.codecs, *page.values[0], type_)

    def list_workflow_streams(self, workflow_id: str) -> Coroutine[Any, Any, dict[str, Sequence[Any]]]:
        """Return what is in the streams of a workflow now, by key.

        A value that cannot be decoded here is its text.

        progress = (await client.list_workflow_streams("chat-17"))["tokens"]
        """
        checks.address("workflow_id", workflow_id)
        codecs = self._session.settings.codecs

        def show(rows: list[decode.Row]) -> dict[str, Sequence[Any]]:
            found: dict[str, Any] = {}
            for row in rows:
                values = found.setdefault(row["key"], [])
                if row["value"] != STREAM_END:
                    values.append(decode.shown(codecs, row["value"], row["serialization"]))
            return found

        return self._look(lambda open_: streams.list_streams(open_.database, workflow_id), show)

    async def _page(
        self, workflow_id: str, key: str, offset: int, most: int, timeout: float | None
    ) -> StreamPage:
        """Values at an offset, once there are some; a page without any is the end."""
        open_ = await self._session.here()
        wait = Wait("stream", workflow_id, key, offset)
        due = None if timeout is None else asyncio.get_running_loop().time() + timeout
        while True:
            with open_.waits.watch(wait, missing_ok=True, ask=False) as news:
                page = await self._session.call(
                    lambda open_: streams.read(open_.database, workflow_id, key, offset, most)
                )
                if page is None:
                    raise NoSuchWorkflow(workflow_id)
                if page.values or page.ended:
                    return page
                try:
                    async with asyncio.timeout_at(due):  # the wait only: a value that is there is in time
                        await news
                except TimeoutError:
                    raise StreamTimeout(workflow_id, key, timeout or 0.0) from None
