"""Group commit: records go in from any task or thread, one transaction takes all that are pending.

While one batch commits the next gathers, so a lone workflow pays exactly one commit and a thousand share a
few. There is no timer and no artificial delay.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from durably.concurrency.ticket import ThreadTicket, Ticket
from durably.core.ports import World
from durably.core.records import Record, payload_size, resent
from durably.core.retry import reconnect_delay
from durably.errors import DatabaseError, NotRunning
from durably.observing import NOBODY, Observer

__all__ = ["Writer"]

logger = logging.getLogger(__name__)

MOST = 500  # records in a batch: beyond it a transaction grows without getting cheaper per record
LARGEST = (
    4_000_000  # characters of payload after which a batch is full: it has to end well within its deadline
)


class Writer:
    """Hands records to `commit`, in batches, one batch at a time.

    writer = Writer(store.commit, world)
    writer.start()
    await writer.submit(record)
    """

    def __init__(
        self,
        commit: Callable[[Sequence[Record]], Awaitable[list[Any]]],
        world: World,
        observer: Observer = NOBODY,
    ) -> None:
        self._commit = commit
        self._world = world
        self._observer = observer
        self.trouble: str | None = None  # why the last attempt did not reach the database
        self._pending: deque[tuple[Record, Ticket]] = deque()
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self._lock = threading.Lock()
        self._signalled = False  # a wake from a thread is on its way to the loop

    @property
    def pending(self) -> int:
        """Records that wait for a batch."""
        return len(self._pending)

    def start(self) -> None:
        """Begin to write, on the running loop."""
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._write(), name="durably-writer")

    async def stop(self) -> None:
        """Write what is pending, then end. Stopping twice, or before the start, is fine."""
        with self._lock:
            self._closed = True
        self._woken.set()
        if self._task is not None:
            await self._task

    def submit(self, record: Record) -> Ticket:
        """Queue a record, on the loop; the ticket is resolved once it is committed or refused."""
        self._refuse_when_closed()
        ticket = Ticket()
        self._pending.append((record, ticket))
        self._woken.set()
        return ticket

    def submit_from_thread(self, record: Record) -> ThreadTicket:
        """Queue a record from a thread, which then waits with `ticket.result()`."""
        ticket = ThreadTicket()
        with self._lock:  # behind `stop` there is nobody to resolve it
            self._refuse_when_closed()
            self._pending.append((record, ticket))
            first, self._signalled = not self._signalled, True
        if first and self._loop is not None:
            self._loop.call_soon_threadsafe(self._hear)
        return ticket

    def _hear(self) -> None:
        with self._lock:
            self._signalled = False
        self._woken.set()

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise NotRunning("the application is shutting down; this run goes on elsewhere")

    async def _write(self) -> None:
        while self._pending or not self._closed:
            if not self._pending:
                self._woken.clear()
                if not self._pending and not self._closed:
                    await self._woken.wait()
                continue
            batch = self._next_batch()
            replies = await self._commit_until_answered([record for record, _ in batch])
            for (_, ticket), reply in zip(batch, replies, strict=True):
                ticket.resolve(reply)

    def _next_batch(self) -> list[tuple[Record, Ticket]]:
        batch: list[tuple[Record, Ticket]] = []
        size = 0
        while self._pending and len(batch) < MOST and size < LARGEST:
            batch.append(self._pending.popleft())
            size += payload_size(batch[-1][0])
        return batch

    async def _commit_until_answered(self, records: list[Record]) -> list[Any]:
        """An outage is waited out; every statement recognises what an unanswered commit already wrote."""
        attempt = 0
        while True:
            try:
                began = self._world.monotonic()
                replies = await self._commit(records)
                self._observer.committed(len(records), self._world.monotonic() - began)
                self.trouble = None
                return replies
            except DatabaseError as error:
                self.trouble = str(error)
                if self._closed:
                    return [error] * len(records)
                attempt += 1
                records = [resent(record) for record in records]
                logger.warning("checkpoint waits for the database (attempt %d): %s", attempt, error)
                await self._world.sleep(reconnect_delay(attempt, self._world.random))
            except Exception as error:
                logger.exception("a batch of %d records cannot be written", len(records))
                return [error] * len(records)
