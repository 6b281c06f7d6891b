"""One caller pays for one round trip; many callers at once share their commits."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from durably.core.records import Create, Send
from durably.errors import NotRunning
from durably.store import batch, messages, workflows
from durably.store.database import Database

__all__ = ["Commits"]

MOST = 500  # records in a batch


class Commits:
    """Writes records. While one write is under way the next ones gather, and go together.

    A record that is refused fails alone. A record may be given again when its answer was lost.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._gathered: deque[tuple[Create | Send, asyncio.Future[Any]]] = deque()
        self._busy = self._closed = False
        self._task: asyncio.Task[None] | None = None

    async def write(self, record: Create | Send) -> Any:
        """Write a record: what the database says of it, an exception where that is one."""
        if self._busy:
            future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            self._gathered.append((record, future))
            return await future
        self._busy = True
        try:
            return await self._write_one(record)
        finally:
            self._go_on()

    async def stop(self) -> None:
        """End; what is being written is written, what is gathered gets NotRunning."""
        self._closed = True
        for _, future in self._gathered:
            if not future.done():
                future.set_exception(NotRunning("the client was closed during this call"))
        self._gathered.clear()
        if self._task is not None:
            await self._task

    async def _write_one(self, record: Create | Send) -> Any:
        if isinstance(record, Create):
            return await workflows.create(self._database, record)
        return await messages.send(self._database, record)

    def _go_on(self) -> None:
        if self._gathered and not self._closed:
            self._task = asyncio.get_running_loop().create_task(self._write_gathered())
        else:
            self._busy = False

    async def _write_gathered(self) -> None:
        while self._gathered:
            group = [self._gathered.popleft() for _ in range(min(MOST, len(self._gathered)))]
            await self._write_group([(r, f) for r, f in group if not f.done()])
        self._busy = False

    async def _write_group(self, group: list[tuple[Create | Send, asyncio.Future[Any]]]) -> None:
        try:
            replies = await batch.commit(self._database, None, [record for record, _ in group])
        except Exception as error:
            for _, future in group:
                if not future.done():
                    future.set_exception(error)
        else:
            for (_, future), reply in zip(group, replies, strict=True):
                if not future.done():
                    future.set_result(reply)
