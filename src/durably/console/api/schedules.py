"""Schedules: what starts workflows by the clock."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias

from msgspec import Meta

from durably.console.api import shapes
from durably.console.api.problems import Refused
from durably.console.api.queues import ONLY_NEW, OnlyNew
from durably.console.api.reading import header_of, options
from durably.console.api.route import Call, Example, delete, get, post, put
from durably.console.api.shapes import Ids, Started
from durably.console.api.wire import Given, Key, Moment, Name, Nothing, Seconds, Shown, as_datetime, shown
from durably.errors import NoSuchSchedule, ScheduleExists
from durably.types import Schedule as Listed
from durably.types import ScheduleSpec

__all__ = ["ROUTES"]

NIGHTLY = {"name": "nightly"}
MOST_FILLED = 500

Overlap: TypeAlias = Literal["allow", "skip", "buffer_one"]


class OneSchedule(Given, frozen=True, kw_only=True):
    """The schedule that is meant."""

    name: Key


class NewSchedule(Given, frozen=True, kw_only=True):
    """The name that the schedule has, or gets."""

    name: Name


class Which(Given, frozen=True, kw_only=True):
    """Which schedules."""

    status: Literal["ACTIVE", "PAUSED"] | None = None
    workflow_name: Key | None = None
    schedule_name_prefix: Key | None = None
    application_name: Name | None = None


class Preview(OneSchedule, frozen=True, kw_only=True):
    """How many times of which schedule, after which instant."""

    count: Annotated[int, Meta(ge=1, le=500)] = 5
    after: Moment | None = None


class Backfill(Given, frozen=True, kw_only=True):
    """Between which instants, both outside."""

    start: Moment
    end: Moment


class Timetable(Given, frozen=True, kw_only=True):
    """When to start which workflow: a cron expression (5 fields, or 6 with the seconds first) in a time zone.

    `catch_up`: what nobody could fire in time is fired later if it is not older than so many seconds.
    """

    workflow_name: Name
    schedule: Annotated[str, Meta(min_length=9, max_length=255)]
    context: Any = None
    workflow_class_name: Name | None = None
    automatic_backfill: bool = False
    cron_timezone: Name | None = None
    queue_name: Name | None = None
    application_name: Name | None = None
    catch_up: Seconds = 60.0
    jitter: Seconds = 0.0
    overlap: Overlap = "allow"


class NamedTimetable(Timetable, frozen=True, kw_only=True):
    """A schedule to create, or to change."""

    schedule_name: Name


class Schedule(Shown, frozen=True, kw_only=True):
    """A schedule as it stands; `problem` says why it is not kept, or why its runs would wait.

    `declared`: by an application's code; `changed` are the fields that were changed at run time since.
    """

    schedule_id: str
    schedule_name: str
    workflow_name: str
    schedule: str
    workflow_class_name: str | None
    status: str
    context: Any
    payloads_hidden: bool
    last_fired_at: str | None
    automatic_backfill: bool
    cron_timezone: str | None
    queue_name: str | None
    application_name: str | None
    catch_up: float
    jitter: float
    overlap: Overlap
    next_fire_at: datetime | None
    problem: str | None
    declared: bool
    changed: tuple[str, ...]


class Schedules(Shown, frozen=True, kw_only=True):
    """Schedules, by name."""

    schedules: list[Schedule]


class Times(Shown, frozen=True, kw_only=True):
    """The next times of a schedule, in its zone."""

    times: list[datetime]


class ScheduleChanged(Shown, frozen=True, kw_only=True):
    """The schedule that was changed."""

    name: str
    changed: bool


Timetables = Annotated[list[NamedTimetable], Meta(max_length=1000)]


@get("/schedules", verbs=("list_schedules",), example=Example({"status": "ACTIVE"}))
async def list_schedules(call: Call, query: Which) -> Schedules:
    """Show schedules, with their next times."""
    found = await call.client.list_schedules(**options(query))
    return Schedules(schedules=[_schedule(call, each) for each in found])


@get("/schedule", verbs=("get_schedule",), problems=(404,), example=Example(NIGHTLY))
async def get_schedule(call: Call, query: OneSchedule) -> Schedule:
    """Show a schedule, with its next time and what is wrong with it."""
    return _schedule(call, await call.client.get_schedule(query.name))


@get(
    "/schedule/preview",
    verbs=("preview_schedule",),
    problems=(404,),
    example=Example({**NIGHTLY, "count": 3}),
)
async def preview_schedule(call: Call, query: Preview) -> Times:
    """Show the next times of a schedule."""
    after = as_datetime(query.after)
    return Times(times=await call.client.preview_schedule(query.name, query.count, after=after))


@put(
    "/schedule",
    verbs=("create_schedule",),
    problems=(404, 409, 412),
    headers=ONLY_NEW,
    example=Example(
        NIGHTLY, {"workflow_name": "report", "schedule": "0 3 * * *", "cron_timezone": "Europe/Berlin"}
    ),
)
async def put_schedule(call: Call, query: NewSchedule, body: Timetable) -> Schedule:
    """Create a schedule, or give it this; it keeps its status and when it fired last."""
    spec = ScheduleSpec(schedule_name=query.name, **options(body))
    detail = options(body, "context")
    if header_of(call.request, "If-None-Match", OnlyNew) is None:
        applying = call.client.apply_schedules([spec])
        return _schedule(call, (await call.act("put", "schedule", query.name, applying, detail=detail))[0])
    try:
        creating = call.client.create_schedule(schedule_name=query.name, **options(body))
        return _schedule(call, await call.act("create", "schedule", query.name, creating, detail=detail))
    except ScheduleExists as error:
        raise Refused("exists", str(error), option="If-None-Match") from None


@put(
    "/schedules",
    verbs=("apply_schedules",),
    problems=(404, 409),
    example=Example(body=[{"schedule_name": "nightly", "workflow_name": "report", "schedule": "0 3 * * *"}]),
)
async def apply_schedules(call: Call, body: Timetables) -> Schedules:
    """Create these schedules, or give those that exist what is said here; others stay as they are."""
    specs = [ScheduleSpec(**options(each)) for each in body]
    named = [each.schedule_name for each in body]
    found = await call.act("put", "schedule", named, call.client.apply_schedules(specs))
    return Schedules(schedules=[_schedule(call, each) for each in found])


@post("/schedule/pause", verbs=("pause_schedule",), problems=(404,), example=Example(NIGHTLY, {}))
async def pause_schedule(call: Call, query: OneSchedule, body: Nothing) -> ScheduleChanged:
    """Let a schedule rest until it is resumed; what runs goes on."""
    await call.act("pause", "schedule", query.name, call.client.pause_schedule(query.name))
    return ScheduleChanged(name=query.name, changed=True)


@post("/schedule/resume", verbs=("resume_schedule",), problems=(404,), example=Example(NIGHTLY, {}))
async def resume_schedule(call: Call, query: OneSchedule, body: Nothing) -> ScheduleChanged:
    """Let a schedule go on from now: what it missed is not caught up."""
    await call.act("resume", "schedule", query.name, call.client.resume_schedule(query.name))
    return ScheduleChanged(name=query.name, changed=True)


@post(
    "/schedule/trigger",
    status=201,
    verbs=("trigger_schedule",),
    problems=(404, 409),
    example=Example(NIGHTLY, {}),
)
async def trigger_schedule(call: Call, query: OneSchedule, body: Nothing) -> Started:
    """Start a schedule's workflow now, whatever its status."""
    triggering = call.client.trigger_schedule(query.name)
    handle = await call.act("trigger", "schedule", query.name, triggering)
    return Started(workflow_id=handle.workflow_id)


@post(
    "/schedule/backfill",
    status=201,
    verbs=("backfill_schedule",),
    problems=(404, 409),
    example=Example(NIGHTLY, {"start": "2026-11-01T00:00:00Z", "end": "2026-11-08T00:00:00Z"}),
)
async def backfill_schedule(call: Call, query: OneSchedule, body: Backfill) -> Ids:
    """Start what a schedule had to fire between two instants; what has run already is not run again.

    At most 500 times in one request.
    """
    start, end = as_datetime(body.start), as_datetime(body.end)
    assert start is not None and end is not None
    times = await call.client.preview_schedule(query.name, MOST_FILLED + 1, after=start)
    if len(times) > MOST_FILLED and times[-1] < end:
        hint = f"more than {MOST_FILLED:,} times: take a shorter range, and then the next one"
        raise Refused("invalid", f"between {start} and {end} are {hint}", option="end", hint=hint)
    filling = call.client.backfill_schedule(query.name, start, end)
    detail = {"start": start.isoformat(), "end": end.isoformat()}
    return shapes.ids(await call.act("backfill", "schedule", query.name, filling, detail=detail))


@delete("/schedule", verbs=("delete_schedule",), problems=(404,), example=Example(NIGHTLY))
async def delete_schedule(call: Call, query: OneSchedule) -> ScheduleChanged:
    """Delete a schedule; its runs stay."""
    changed = await call.act("delete", "schedule", query.name, call.client.delete_schedule(query.name))
    if not changed:
        raise NoSuchSchedule(query.name)
    return ScheduleChanged(name=query.name, changed=True)


def _schedule(call: Call, schedule: Listed) -> Schedule:
    context = call.hidden(schedule.context)
    return shown(Schedule, schedule, context=context, payloads_hidden=call.hides)


ROUTES = (
    list_schedules,
    apply_schedules,
    get_schedule,
    put_schedule,
    delete_schedule,
    preview_schedule,
    pause_schedule,
    resume_schedule,
    trigger_schedule,
    backfill_schedule,
)
