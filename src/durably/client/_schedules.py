"""Schedules: what fires when, and firing out of turn."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from durably.client._base import Part
from durably.client._session import Open
from durably.client.handles import AsyncWorkflowHandle
from durably.codec import Codecs, encode_scheduled, encode_scheduled_arguments
from durably.core import checks
from durably.core import schedules as core
from durably.core.cron import Cron, run_id
from durably.core.schedules import NewSchedule, ScheduledRun
from durably.errors import CodecError, InvalidOption, NoSuchSchedule
from durably.store import schedules
from durably.types import Schedule, ScheduleOverlap, ScheduleSpec, Seconds

__all__ = ["Schedules"]

STATUSES = ("ACTIVE", "PAUSED")
MOST_TICKS = 100_000  # of a backfill
MOST_PREVIEWED = 1000


class Schedules(Part):
    """What shows and steers schedules."""

    async def create_schedule(
        self,
        *,
        schedule_name: str,
        workflow_name: str,
        schedule: str,
        context: Any = None,
        workflow_class_name: str | None = None,
        automatic_backfill: bool = False,
        cron_timezone: str | None = None,
        queue_name: str | None = None,
        application_name: str | None = None,
        catch_up: Seconds = 60.0,
        jitter: Seconds = 0.0,
        overlap: ScheduleOverlap = "allow",
    ) -> Schedule:
        """Create a schedule, which its application's processes follow within a second; returns it.

        `ScheduleSpec` says what the options mean. The workflow may be unknown here: `Schedule.problem` tells
        when no process runs it. `context` is pickled, as DBOS Python wants it.

        Raises ScheduleExists, EncodeError, and InvalidOption for an expression that cannot be read or never
        fires, and for an unknown time zone.

            await client.create_schedule(schedule_name="nightly", workflow_name="report",
                                         schedule="0 3 * * *")
        """
        spec = ScheduleSpec(
            schedule_name=schedule_name,
            workflow_name=workflow_name,
            schedule=schedule,
            context=context,
            workflow_class_name=workflow_class_name,
            automatic_backfill=automatic_backfill,
            cron_timezone=cron_timezone,
            queue_name=queue_name,
            application_name=application_name,
            catch_up=catch_up,
            jitter=jitter,
            overlap=overlap,
        )
        new = self._checked(spec)
        await self._session.call(lambda open_: schedules.put(open_, new, replace=False))
        return await self.get_schedule(schedule_name)

    async def apply_schedules(self, specs: Sequence[ScheduleSpec]) -> list[Schedule]:
        """Create these schedules, or give those that exist what is said here; returns them.

        A schedule keeps its status and when it fired last; one without an owner gets this application.
        All are checked before one is written. Raises as `create_schedule`.

            await client.apply_schedules([ScheduleSpec(schedule_name="nightly", workflow_name="report",
                                                       schedule="0 3 * * *")])
        """
        new = [self._checked(spec) for spec in specs]

        async def put(open_: Open) -> None:
            for each in new:
                await schedules.put(open_, each, replace=True)

        await self._session.call(put)
        return [await self.get_schedule(each.schedule_name) for each in new]

    async def get_schedule(self, schedule_name: str) -> Schedule:
        """Return a schedule, with its next time and what is wrong with it. Raises NoSuchSchedule.

        print((await client.get_schedule("nightly")).next_fire_at)
        """
        name = checks.address("schedule_name", schedule_name)
        found = await self._session.call(lambda open_: schedules.listed(open_, schedule_name=name))
        if not found:
            raise NoSuchSchedule(name)
        return self._shown_schedule(found[0])

    async def list_schedules(
        self,
        *,
        status: str | None = None,
        workflow_name: str | None = None,
        schedule_name_prefix: str | None = None,
        application_name: str | None = None,
    ) -> list[Schedule]:
        """Return schedules by name: an application's and those of none, or all.

        for schedule in await client.list_schedules(status="ACTIVE"): print(schedule.next_fire_at)
        """
        if status is not None:
            checks.choice("status", status, STATUSES)
        workflow = checks.optional_address("workflow_name", workflow_name)
        prefix = checks.optional_address("schedule_name_prefix", schedule_name_prefix)
        given = checks.optional_name("application_name", application_name)
        scope = given or self._session.settings.application_name
        found = await self._session.call(
            lambda open_: schedules.listed(
                open_, status=status, workflow_name=workflow, prefix=prefix, application_name=scope
            )
        )
        return [self._shown_schedule(row) for row in found]

    async def pause_schedule(self, schedule_name: str) -> None:
        """Let a schedule rest until it is resumed; what runs goes on. Raises NoSuchSchedule.

        DBOS's processes notice within 30 seconds.

            await client.pause_schedule("nightly")
        """
        await self._set_status(schedule_name, "PAUSED")

    async def resume_schedule(self, schedule_name: str) -> None:
        """Let a schedule go on from now: what it missed is not caught up. Raises NoSuchSchedule.

        await client.resume_schedule("nightly")
        """
        await self._set_status(schedule_name, "ACTIVE")

    async def delete_schedule(self, schedule_name: str) -> bool:
        """Delete a schedule; its runs stay. Returns whether there was one.

        await client.delete_schedule("nightly")
        """
        name = checks.address("schedule_name", schedule_name)
        return await self._session.call(lambda open_: schedules.delete(open_, name))

    async def trigger_schedule(self, schedule_name: str) -> AsyncWorkflowHandle[Any]:
        """Start a schedule's workflow now, whatever its status; returns the run's handle.

        Raises NoSuchSchedule, and DecodeError if its context cannot be read here.

            handle = await client.trigger_schedule("nightly")
        """
        schedule = await self.get_schedule(schedule_name)
        now = datetime.fromtimestamp(self._session.world.now(), UTC)
        context = await self._context(schedule_name)
        run = core.triggered(schedule.schedule_name, now, context, encode_scheduled_arguments)
        return (await self._enqueue_runs(schedule_name, [run]))[0]

    async def backfill_schedule(
        self, schedule_name: str, start: datetime, end: datetime, *, dry_run: bool = False
    ) -> list[AsyncWorkflowHandle[Any]]:
        """Start what a schedule had to fire between two instants, both outside; returns the runs' handles.

        Instants without a zone are UTC. What has run already is not run again: its handle is returned. All
        runs are enqueued, or none; with `dry_run` nothing is. Raises NoSuchSchedule, DecodeError, and
        InvalidOption for a range without end or with more than 100,000 times.

            await client.backfill_schedule("nightly", datetime(2026, 11, 1), datetime(2026, 11, 8))
        """
        schedule = await self.get_schedule(schedule_name)
        _check_range(start, end)
        cron = Cron.read(schedule.schedule, schedule.cron_timezone)
        ticks: list[datetime] = []
        for tick in cron.between(start, end):
            ticks.append(tick)
            if len(ticks) > MOST_TICKS:
                raise InvalidOption("end", end, f"more than {MOST_TICKS:,} times: take a shorter range")
        if dry_run:
            return [self._handle(run_id(schedule_name, tick)) for tick in ticks]
        context = await self._context(schedule_name)
        runs = [core.scheduled(schedule_name, tick, context, encode_scheduled_arguments) for tick in ticks]
        return await self._enqueue_runs(schedule_name, runs)

    async def preview_schedule(
        self, schedule_name: str, count: int = 5, *, after: datetime | None = None
    ) -> list[datetime]:
        """Return the next `count` times of a schedule, in its zone: what a change of the clock does shows.

        Raises NoSuchSchedule, and InvalidOption if its expression cannot be read.

            for time in await client.preview_schedule("nightly"): print(time)
        """
        many = checks.whole("count", count, least=1, most=MOST_PREVIEWED)
        schedule = await self.get_schedule(schedule_name)
        start = after or datetime.fromtimestamp(self._session.world.now(), UTC)
        start = start if start.tzinfo is not None else start.replace(tzinfo=UTC)
        return Cron.read(schedule.schedule, schedule.cron_timezone).preview(start, many)

    # -- how ----------------------------------------------------------------------------------------------

    def _checked(self, spec: ScheduleSpec) -> NewSchedule:
        if not isinstance(spec, ScheduleSpec):
            raise InvalidOption("specs", spec, "each is a ScheduleSpec")
        return core.checked(
            spec,
            schedule_id=self._session.new_id(),
            application_name=self._session.settings.application_name,
            now=datetime.fromtimestamp(self._session.world.now(), UTC),
            context=encode_scheduled(spec.context, subject=f"context of schedule {spec.schedule_name!r}"),
        )

    async def _set_status(self, schedule_name: str, status: str) -> None:
        name = checks.address("schedule_name", schedule_name)
        if not await self._session.call(lambda open_: schedules.set_status(open_, name, status)):
            raise NoSuchSchedule(name)

    async def _context(self, schedule_name: str) -> Any:
        found = await self._session.call(lambda open_: schedules.listed(open_, schedule_name=schedule_name))
        if not found:
            raise NoSuchSchedule(schedule_name)
        return self._session.settings.codecs.decode_scheduled(found[0]["context"])

    async def _enqueue_runs(
        self, schedule_name: str, runs: Sequence[ScheduledRun]
    ) -> list[AsyncWorkflowHandle[Any]]:
        scope = self._session.settings.application_name
        if not await self._session.call(
            lambda open_: schedules.enqueue(open_.database, schedule_name, runs, application_name=scope)
        ):
            raise NoSuchSchedule(schedule_name)
        return [self._handle(run.workflow_id) for run in runs]

    def _shown_schedule(self, row: schedules.Row) -> Schedule:
        now = datetime.fromtimestamp(self._session.world.now(), UTC)
        context, unreadable = _context_shown(self._session.settings.codecs, row["context"])
        upcoming, problem = None, row["problem"] or unreadable
        try:
            cron = Cron.read(row["schedule"], row["cron_timezone"])
            upcoming = cron.after(now) if row["status"] == "ACTIVE" else None
        except InvalidOption as error:
            problem = str(error)
        return Schedule(**row | {"context": context, "problem": problem}, next_fire_at=upcoming)


def _check_range(start: datetime, end: datetime) -> None:
    """Refuse a backfill that does not begin before its end."""
    for option, value in (("start", start), ("end", end)):
        if not isinstance(value, datetime):
            raise InvalidOption(option, value, "expected a datetime; without a zone it is UTC")
    first, last = (each if each.tzinfo else each.replace(tzinfo=UTC) for each in (start, end))
    if not first < last:
        raise InvalidOption("end", end, f"it must be later than start, {start.isoformat()}")


def _context_shown(codecs: Codecs, text: str) -> tuple[Any, str | None]:
    try:
        return codecs.decode_scheduled(text), None
    except CodecError as error:
        return text, f"its context cannot be read here: {error}"
