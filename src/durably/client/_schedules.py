"""Schedules: what fires when, and firing out of turn."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias

from durably.client._base import Part
from durably.client._session import Open
from durably.client.handles import AsyncWorkflowHandle
from durably.codec import Codecs, SuperJSON, encode_scheduled, encode_scheduled_arguments
from durably.core import checks, names
from durably.core import schedules as core
from durably.core.cron import Cron, typescript_instant
from durably.core.schedules import NewSchedule
from durably.errors import CodecError, InvalidOption, NoSuchSchedule
from durably.store import schedules
from durably.types import Schedule, ScheduleOverlap, ScheduleSpec, Seconds

__all__ = ["Schedules"]

STATUSES = ("ACTIVE", "PAUSED")
MOST_TICKS = 100_000  # of a backfill
MOST_PREVIEWED = 1000

PYTHON = core.Form(encode_scheduled_arguments, None, datetime.isoformat)
TYPESCRIPT = core.Form(SuperJSON().encode_arguments, "js_superjson", typescript_instant)
TYPESCRIPTS = '"__dbos_serializer":"superjson"'  # in the context of a schedule that DBOS TypeScript keeps

NewId: TypeAlias = Callable[[], str]
Found: TypeAlias = dict[str, Any]  # rows, and the epoch second of now, from which the next times are told


class Schedules(Part):
    """What shows and steers schedules: each verb but the preview is one operation in a workflow."""

    def create_schedule(
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
    ) -> Coroutine[Any, Any, Schedule]:
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

        async def create(new_id: NewId) -> Found:
            new = self._checked(spec, new_id)
            await self._session.call(lambda open_: schedules.put(open_, new, replace=False))
            return await self._found([new.schedule_name])

        return self._perform(names.CREATE_SCHEDULE, create, self._shown_one, together=True)

    def apply_schedules(self, specs: Sequence[ScheduleSpec]) -> Coroutine[Any, Any, list[Schedule]]:
        """Create these schedules, or give those that exist what is said here; returns them.

        A schedule keeps its status and when it fired last; one without an owner gets this application.
        All are checked before one is written. Raises as `create_schedule`.

            await client.apply_schedules([ScheduleSpec(schedule_name="nightly", workflow_name="report",
                                                       schedule="0 3 * * *")])
        """
        wanted = list(specs)

        async def apply(new_id: NewId) -> Found:
            new = [self._checked(spec, new_id) for spec in wanted]

            async def put(open_: Open) -> None:
                for each in new:
                    await schedules.put(open_, each, replace=True)

            await self._session.call(put)
            return await self._found([each.schedule_name for each in new])

        return self._perform(names.APPLY_SCHEDULES, apply, self._shown_all, together=True)

    def get_schedule(self, schedule_name: str) -> Coroutine[Any, Any, Schedule]:
        """Return a schedule, with its next time and what is wrong with it. Raises NoSuchSchedule.

        print((await client.get_schedule("nightly")).next_fire_at)
        """
        name = checks.address("schedule_name", schedule_name)
        return self._perform(names.GET_SCHEDULE, lambda new_id: self._found([name]), self._shown_one)

    def list_schedules(
        self,
        *,
        status: str | None = None,
        workflow_name: str | None = None,
        schedule_name_prefix: str | None = None,
        application_name: str | None = None,
    ) -> Coroutine[Any, Any, list[Schedule]]:
        """Return schedules by name: an application's and those of none, or all.

        for schedule in await client.list_schedules(status="ACTIVE"): print(schedule.next_fire_at)
        """
        if status is not None:
            checks.choice("status", status, STATUSES)
        workflow = checks.optional_address("workflow_name", workflow_name)
        prefix = checks.optional_address("schedule_name_prefix", schedule_name_prefix)
        given = checks.optional_name("application_name", application_name)
        scope = given or self._session.settings.application_name

        async def look(new_id: NewId) -> Found:
            rows = await self._session.call(
                lambda open_: schedules.listed(
                    open_, status=status, workflow_name=workflow, prefix=prefix, application_name=scope
                )
            )
            return {"rows": rows, "now": self._session.world.now()}

        return self._perform(names.LIST_SCHEDULES, look, self._shown_all)

    def pause_schedule(self, schedule_name: str) -> Coroutine[Any, Any, None]:
        """Let a schedule rest until it is resumed; what runs goes on. Raises NoSuchSchedule.

        DBOS's processes notice within 30 seconds.

            await client.pause_schedule("nightly")
        """
        return self._set_status(names.PAUSE_SCHEDULE, schedule_name, "PAUSED")

    def resume_schedule(self, schedule_name: str) -> Coroutine[Any, Any, None]:
        """Let a schedule go on from now: what it missed is not caught up. Raises NoSuchSchedule.

        await client.resume_schedule("nightly")
        """
        return self._set_status(names.RESUME_SCHEDULE, schedule_name, "ACTIVE")

    def delete_schedule(self, schedule_name: str) -> Coroutine[Any, Any, bool]:
        """Delete a schedule; its runs stay. Returns whether there was one.

        await client.delete_schedule("nightly")
        """
        name = checks.address("schedule_name", schedule_name)

        async def delete(new_id: NewId) -> bool:
            return await self._session.call(lambda open_: schedules.delete(open_, name))

        return self._perform(names.DELETE_SCHEDULE, delete, bool, together=True)

    def trigger_schedule(self, schedule_name: str) -> Coroutine[Any, Any, AsyncWorkflowHandle[Any]]:
        """Start a schedule's workflow now, whatever its status; returns the run's handle.

        The run of a schedule that DBOS TypeScript keeps is written as it writes it. Raises NoSuchSchedule,
        and DecodeError if its context cannot be read here.

            handle = await client.trigger_schedule("nightly")
        """
        name = checks.address("schedule_name", schedule_name)

        async def trigger(new_id: NewId) -> str:
            (row,) = (await self._found([name]))["rows"]
            now = datetime.fromtimestamp(self._session.world.now(), UTC)
            form = _form(row)
            if form is TYPESCRIPT:  # whose clock has milliseconds
                now = now.replace(microsecond=now.microsecond // 1000 * 1000)
            run = core.triggered(name, now, self._context(row), form)
            await self._enqueue_runs(name, [run])
            return run.workflow_id

        return self._perform(names.TRIGGER_SCHEDULE, trigger, self._handle, together=True)

    def backfill_schedule(
        self, schedule_name: str, start: datetime, end: datetime, *, dry_run: bool = False
    ) -> Coroutine[Any, Any, list[AsyncWorkflowHandle[Any]]]:
        """Start what a schedule had to fire between two instants, both outside; returns the runs' handles.

        Instants without a zone are UTC. What has run already is not run again: its handle is returned. All
        runs are enqueued, or none; with `dry_run` nothing is. Raises NoSuchSchedule, DecodeError, and
        InvalidOption for a range without end or with more than 100,000 times.

            await client.backfill_schedule("nightly", datetime(2026, 11, 1), datetime(2026, 11, 8))
        """
        name = checks.address("schedule_name", schedule_name)

        async def backfill(new_id: NewId) -> list[str]:
            (row,) = (await self._found([name]))["rows"]
            form, ticks = _form(row), _ticks(row, start, end)
            if not dry_run:
                context = self._context(row)
                runs = [core.scheduled(name, tick, context, form) for tick in ticks]
                await self._enqueue_runs(name, runs)
            return [core.scheduled_id(name, tick, form) for tick in ticks]

        return self._perform(
            names.BACKFILL_SCHEDULE, backfill, lambda ids: [self._handle(id_) for id_ in ids], together=True
        )

    async def preview_schedule(
        self, schedule_name: str, count: int = 5, *, after: datetime | None = None
    ) -> list[datetime]:
        """Return the next `count` times of a schedule, in its zone: what a change of the clock does shows.

        Raises NoSuchSchedule, and InvalidOption if its expression cannot be read.

            for time in await client.preview_schedule("nightly"): print(time)
        """
        many = checks.whole("count", count, least=1, most=MOST_PREVIEWED)
        name = checks.address("schedule_name", schedule_name)
        (row,) = (await self._found([name]))["rows"]
        start = after or datetime.fromtimestamp(self._session.world.now(), UTC)
        start = start if start.tzinfo is not None else start.replace(tzinfo=UTC)
        return Cron.read(row["schedule"], row["cron_timezone"]).preview(start, many)

    # -- how ----------------------------------------------------------------------------------------------

    def _checked(self, spec: ScheduleSpec, new_id: NewId) -> NewSchedule:
        if not isinstance(spec, ScheduleSpec):
            raise InvalidOption("specs", spec, "each is a ScheduleSpec")
        return core.checked(
            spec,
            schedule_id=new_id(),
            application_name=self._session.settings.application_name,
            now=datetime.fromtimestamp(self._session.world.now(), UTC),
            context=encode_scheduled(spec.context, subject=f"context of schedule {spec.schedule_name!r}"),
        )

    async def _found(self, schedule_names: Sequence[str]) -> Found:
        """The rows of schedules of these names; NoSuchSchedule."""
        rows: list[schedules.Row] = []
        for name in schedule_names:
            rows += await self._row(name)
        return {"rows": rows, "now": self._session.world.now()}

    async def _row(self, name: str) -> list[schedules.Row]:
        found = await self._session.call(lambda open_: schedules.listed(open_, schedule_name=name))
        if not found:
            raise NoSuchSchedule(name)
        return found

    def _set_status(self, operation: str, schedule_name: str, status: str) -> Coroutine[Any, Any, None]:
        name = checks.address("schedule_name", schedule_name)

        async def change(new_id: NewId) -> None:
            if not await self._session.call(lambda open_: schedules.set_status(open_, name, status)):
                raise NoSuchSchedule(name)

        return self._perform(operation, change, lambda nothing: nothing, together=True)

    def _context(self, row: schedules.Row) -> Any:
        codecs = self._session.settings.codecs
        if _form(row) is TYPESCRIPT:
            return codecs.decode(row["context"], TYPESCRIPT.serialization)
        return codecs.decode_scheduled(row["context"])

    async def _enqueue_runs(self, schedule_name: str, runs: Sequence[core.ScheduledRun]) -> None:
        scope = self._session.settings.application_name
        if not await self._session.call(
            lambda open_: schedules.enqueue(open_.database, schedule_name, runs, application_name=scope)
        ):
            raise NoSuchSchedule(schedule_name)

    def _shown_one(self, found: Found) -> Schedule:
        return self._shown_all(found)[0]

    def _shown_all(self, found: Found) -> list[Schedule]:
        now = datetime.fromtimestamp(found["now"], UTC)
        return [self._shown_schedule(row, now) for row in found["rows"]]

    def _shown_schedule(self, row: schedules.Row, now: datetime) -> Schedule:
        context, unreadable = _context_shown(self._session.settings.codecs, row["context"])
        upcoming, problem = None, row["problem"] or unreadable
        try:
            cron = Cron.read(row["schedule"], row["cron_timezone"])
            upcoming = cron.after(now) if row["status"] == "ACTIVE" else None
        except InvalidOption as error:
            problem = str(error)
        shown = {"context": context, "problem": problem, "changed": tuple(row["changed"])}
        return Schedule(**row | shown, next_fire_at=upcoming)


def _form(row: schedules.Row) -> core.Form:
    """The form of the SDK whose processes fire a schedule."""
    return TYPESCRIPT if TYPESCRIPTS in row["context"] else PYTHON


def _ticks(row: schedules.Row, start: datetime, end: datetime) -> list[datetime]:
    """What a backfill fires; InvalidOption for what is no range, too long a one, or read in two ways."""
    _check_range(start, end)
    if _form(row) is TYPESCRIPT:
        _refuse_other_reading(row)
    cron = Cron.read(row["schedule"], row["cron_timezone"])
    ticks: list[datetime] = []
    for tick in cron.between(start, end):
        ticks.append(tick)
        if len(ticks) > MOST_TICKS:
            raise InvalidOption("end", end, f"more than {MOST_TICKS:,} times: take a shorter range")
    return ticks


def _refuse_other_reading(row: schedules.Row) -> None:
    """Refuse to fill what DBOS TypeScript, which keeps the schedule, would fire at other times than we."""
    if row["cron_timezone"] is None:
        hint = "its processes fire it in their own local time zone: give the schedule one, or fill it there"
        raise InvalidOption("cron_timezone", None, f"DBOS TypeScript keeps this schedule, and {hint}")
    of_month, _, of_week = [*row["schedule"].split(), "*", "*", "*"][-6:-3]
    if not {of_month, of_week} & {"*", "?"}:
        hint = "where a day of the month and one of the week are given, it means both: fill it there"
        raise InvalidOption("schedule", row["schedule"], f"DBOS TypeScript keeps this schedule; {hint}")


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
