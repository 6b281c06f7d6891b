"""Fires the schedules of an application: one loop for all, no query while nothing is due.

The pulse tells when the table has changed, a notice tells at once. When ticks are due, one transaction
decides about them, by the database's clock; however many executors ask, each is decided about once.

pulse, notice -> stale -> load -> calendars -> due -> fire -> advance
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any

from durably.codec import Codecs, encode_scheduled_arguments
from durably.concurrency.tasks import end
from durably.core.calendar import Calendar, began, identity, readable
from durably.core.ports import ScheduleRow, Store, World
from durably.engine.registry import Registry
from durably.errors import DatabaseError, DecodeError, InvalidOption

__all__ = ["Scheduler"]

logger = logging.getLogger(__name__)

MOST = 200  # ticks in a transaction
AT_ONCE = 20  # expressions
LONGEST_REST = 60.0  # seconds: this machine's clock may be set
AGAIN = 1.0  # seconds after the database was away


class Scheduler:
    """Keeps the ACTIVE schedules of an application and of nobody."""

    def __init__(
        self,
        *,
        store: Store,
        registry: Registry,
        codecs: Codecs,
        application_name: str,
        world: World,
        database_now: Callable[[], float],
    ) -> None:
        self._store = store
        self._registry = registry
        self._codecs = codecs
        self._application_name = application_name
        self._world = world
        self._database_now = database_now
        self._calendars: dict[tuple[str, str, str | None], Calendar] = {}
        self._contexts: dict[str, Any] = {}
        self._seen: str | None = None
        self._stale = False
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, on the running loop."""
        self._task = asyncio.get_running_loop().create_task(self._loop(), name="durably-scheduler")

    async def stop(self) -> None:
        """Fire nothing more. Twice is fine."""
        await end(self._task)

    def saw(self, fingerprint: str | None) -> None:
        """The pulse saw these schedules."""
        if fingerprint != self._seen:
            self._seen = fingerprint
            self.look()

    def look(self) -> None:
        """A schedule has changed."""
        self._stale = True
        self._woken.set()

    async def _loop(self) -> None:
        while True:
            self._woken.clear()
            try:
                if self._stale:
                    await self._load()
                while not self._stale and (due := self._due()):
                    await self._fire(due)
            except DatabaseError as error:
                logger.warning("schedules wait for the database: %s", error)
                await self._world.sleep(AGAIN)
            except Exception:
                logger.exception("schedules rest for a moment, by a bug of durably")
                await self._world.sleep(AGAIN)
            else:
                await self._rest()

    async def _load(self) -> None:
        self._stale = False
        try:
            rows = await self._store.schedules(self._application_name)
        except BaseException:
            self._stale = True
            raise
        now, before = self._database_now(), self._calendars
        was_here = {row_id for row_id, _, _ in before}
        self._calendars, self._contexts, notes = {}, {}, {}
        for many, row in enumerate(rows):
            if many % AT_ONCE == 0:
                await asyncio.sleep(0)  # reading an expression takes a while: others go on
            known = before.get(identity(row))
            found = known or readable(row, now if row.schedule_id in was_here else began(row, now))
            note = self._take(row, found)
            if note != row.note:
                notes[row.schedule_id] = note
                logger.log(
                    logging.WARNING if note else logging.INFO, "%s: %s", row.schedule_name, note or "well"
                )
        if notes:
            await self._store.note_schedules(notes)

    def _take(self, row: ScheduleRow, found: Calendar | InvalidOption) -> str | None:
        """Keep a schedule from now on, if that is possible; what is wrong with it."""
        if isinstance(found, InvalidOption):
            return str(found)
        try:
            self._contexts[row.schedule_id] = self._codecs.decode_scheduled(row.context)
        except DecodeError as error:
            return f"its context cannot be read: {error}"
        found.row = row
        self._calendars[identity(row)] = found
        if self._registry.find(row.workflow_name, row.workflow_class_name, None) is None:
            return (
                f"application {self._application_name!r} has no workflow {row.workflow_name!r}"
                + (f" of class {row.workflow_class_name!r}" if row.workflow_class_name else "")
                + " in the process that noted this: its runs wait until a process has it"
            )
        return None

    def _due(self) -> list[Calendar]:
        now = self._database_now()
        due = [each for each in self._calendars.values() if (at := each.next_try) is not None and at <= now]
        return due[:MOST]

    async def _fire(self, due: list[Calendar]) -> None:
        """Decide about ticks together; where that is refused, one by one, so that only its cause rests."""
        try:
            await self._decide(due)
        except DatabaseError:
            raise
        except Exception:
            if len(due) > 1:
                for calendar in due:
                    await self._fire([calendar])
                return
            logger.exception("schedule %s rests: its run is refused", due[0].row.schedule_name)
            due[0].not_before = self._database_now() + LONGEST_REST

    async def _decide(self, due: list[Calendar]) -> None:
        by_id = {calendar.row.schedule_id: calendar for calendar in due}
        firings = [
            calendar.firing(encode_scheduled_arguments((calendar.tick, self._contexts[id_]), {}))
            for id_, calendar in by_id.items()
        ]
        for fired in await self._store.fire(self._application_name, firings):
            calendar = by_id[fired.schedule_id]
            if fired.outcome == "early":
                calendar.not_before = self._database_now() + fired.wait
                continue
            if fired.outcome == "skipped":
                logger.info(
                    "%s: a run goes on still; %s is skipped", calendar.row.schedule_name, calendar.tick
                )
            calendar.advance()

    async def _rest(self) -> None:
        tries = [at for each in self._calendars.values() if (at := each.next_try) is not None]
        patience = min(LONGEST_REST, max(0.0, min(tries) - self._database_now())) if tries else None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._woken.wait()
