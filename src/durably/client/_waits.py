"""What a client waits for: one hub, one LISTEN connection and one shared query, however many wait.

A waiter is also told when its workflow does not exist, and when the database has been away for too long.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterator, Sequence
from typing import Any

from durably.concurrency.tasks import end
from durably.core.ports import Ready, Wait, World
from durably.core.retry import reconnect_delay
from durably.errors import DatabaseError, DatabaseUnavailable, NoSuchWorkflow, NotRunning
from durably.store import workflows
from durably.store.database import Database
from durably.store.failures import first_line, is_transient
from durably.store.hub import Hub
from durably.store.notify import Listener
from durably.store.postgres import poll_waits

__all__ = ["Waits"]

logger = logging.getLogger(__name__)

GRACE = 0.6  # seconds that a workflow may be missing: it may be enqueued this moment, by another process
RECHECK = 5.0  # seconds after which a workflow is looked for again: it may have been deleted

Future = asyncio.Future[Any]


class Waits:
    """Futures of results, events and streams; nothing runs, and nothing is asked, before the first."""

    def __init__(self, database: Database, world: World, *, listen: bool, patience: float) -> None:
        self._database = database
        self._world = world
        self._patience = patience
        self._hub = Hub(self._poll, world)
        self._listener = Listener(database, self._hub.notice, world) if listen else None
        self._futures: set[Future] = set()
        self._due: dict[Future, tuple[float, str]] = {}  # when to look for which workflow
        self._asked = asyncio.Event()
        self._inspector: asyncio.Task[None] | None = None
        self._away_since: float | None = None
        self._started = self._closed = False

    @contextlib.contextmanager
    def watch(self, wait: Wait, *, missing_ok: bool, ask: bool = True) -> Iterator[Future]:
        """A future as the hub's; `ask=False`: the caller looks itself, so only news matters."""
        self._start()
        with self._hub.watch(wait, ask=ask) as future:
            self._futures.add(future)
            if not missing_ok:
                self._inspect(future, wait.id)
            try:
                yield future
            finally:
                self._futures.discard(future)
                self._due.pop(future, None)

    async def look(self, wait: Wait) -> Any:
        """What `watch` would give at once, or None."""
        ready = await poll_waits(self._database, [wait])
        if wait.kind == "result":
            return next(iter(ready.results), None)
        return next(((value, name) for _, _, value, name in ready.events), None)

    async def stop(self) -> None:
        """End; those who still wait get NotRunning."""
        self._closed = True
        self._fail(self._futures, NotRunning("the client was closed while this call waited"))
        await end(self._inspector)
        if self._listener is not None:
            await self._listener.stop()
        await self._hub.stop()

    def _start(self) -> None:
        if self._closed:
            raise NotRunning("the client is closed")
        if not self._started:
            self._started = True
            self._hub.start()
            if self._listener is not None:
                self._listener.start()

    async def _poll(self, waits: Sequence[Wait]) -> Ready:
        try:
            ready = await poll_waits(self._database, waits)
        except Exception as error:
            if not is_transient(error):  # the statement is refused: a right was taken away, say
                refused = DatabaseError(f"the wait is over, the database refuses it: {first_line(error)}")
                self._fail(self._futures, refused)
                raise refused from error
            self._note_absence(error)
            raise
        self._away_since = None
        return ready

    def _note_absence(self, error: Exception) -> None:
        now = self._world.monotonic()
        self._away_since = self._away_since or now
        if now - self._away_since >= self._patience:
            seconds = f"for {self._patience:g} s (retry_for)"
            self._fail(self._futures, DatabaseUnavailable(f"{error}; it has been away {seconds}"))

    def _inspect(self, future: Future, workflow_id: str) -> None:
        self._due[future] = (self._world.monotonic() + GRACE, workflow_id)
        self._asked.set()
        if self._inspector is None:
            loop = asyncio.get_running_loop()
            self._inspector = loop.create_task(self._inspection(), name="durably-client-inspection")

    async def _inspection(self) -> None:
        """Look whether there are the workflows that are waited for, all that are due with one query."""
        attempt = 0
        while True:
            await self._until_due()
            try:
                await self._look_for_due()
                attempt = 0
            except Exception as error:  # the waiters live on: an outage is the hub's to report
                attempt += 1
                logger.debug("cannot look for awaited workflows: %s", error)
                await self._world.sleep(reconnect_delay(attempt, self._world.random))

    async def _until_due(self) -> None:
        self._asked.clear()
        first = min((due for due, _ in self._due.values()), default=None)
        seconds = None if first is None else max(0.0, first - self._world.monotonic())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._asked.wait()

    async def _look_for_due(self) -> None:
        now = self._world.monotonic()
        due = {future: id_ for future, (when, id_) in self._due.items() if when <= now}
        there = await workflows.existing(self._database, sorted(set(due.values()))) if due else set()
        for future, workflow_id in due.items():
            if workflow_id not in there:
                self._fail([future], NoSuchWorkflow(workflow_id))
                self._due.pop(future, None)
            elif future in self._due:
                self._due[future] = (now + RECHECK, workflow_id)

    def _fail(self, futures: Any, error: Exception) -> None:
        for future in futures:
            if not future.done():
                future.set_exception(error)
