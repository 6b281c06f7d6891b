"""Queues: their limits, what is on them, and letting them run or rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta

from durably.console.api.problems import Refused
from durably.console.api.reading import header_of, options
from durably.console.api.route import Call, Example, delete, get, post, put
from durably.console.api.wire import Given, Instant, Key, Name, Shown, Wait, shown
from durably.errors import NoSuchQueue
from durably.types import Backlog, QueueActivity, QueueInfo, RateLimit

__all__ = ["ONLY_NEW", "ROUTES", "OnlyNew"]

EMAILS = {"name": "emails"}

OnlyNew: TypeAlias = Literal["*"]
ONLY_NEW = {"If-None-Match": (OnlyNew, "`*`: only where there is none yet, otherwise 412.")}

Most = Annotated[int, Meta(ge=1, le=2**31 - 1)]
CountTo = Annotated[int, Meta(ge=1, le=10_000)]


class OneQueue(Given, frozen=True, kw_only=True):
    """The queue that is meant."""

    name: Key


class NewQueue(Given, frozen=True, kw_only=True):
    """The name that the queue has, or gets."""

    name: Name


class Scope(Given, frozen=True, kw_only=True):
    """Whose: an application's, and those of none; all, where it is left out."""

    application_name: Name | None = None


class Stats(Scope, frozen=True, kw_only=True):
    """Which queues: one by name, or an application's."""

    name: Key | None = None


class Activity(Stats, frozen=True, kw_only=True):
    """Which queues, and where counts end."""

    count_to: CountTo = 10_000


class Partitions(OneQueue, frozen=True, kw_only=True):
    """How many partitions of which queue, and where counts end."""

    limit: Annotated[int, Meta(ge=1, le=300)] = 20
    count_to: CountTo = 1000


class Rate(Given, frozen=True, kw_only=True):
    """At most `limit` starts in any `period` seconds."""

    limit: Most
    period: Annotated[float, Meta(gt=0, le=3_153_600_000)]


class Limits(Given, frozen=True, kw_only=True):
    """What a queue is limited to; null is no limit."""

    concurrency: Most | None = None
    worker_concurrency: Most | None = None
    limiter: Rate | None = None
    partition_concurrency: Most | None = None
    partition_worker_concurrency: Most | None = None
    partition_limiter: Rate | None = None
    polling_interval_sec: Annotated[float, Meta(gt=0, le=3600)] = 1.0
    application_name: Name | None = None


class Changes(Given, frozen=True, kw_only=True):
    """The limits that change, null for no limit; those that are left out stay."""

    concurrency: Most | msgspec.UnsetType | None = msgspec.UNSET
    worker_concurrency: Most | msgspec.UnsetType | None = msgspec.UNSET
    limiter: Rate | msgspec.UnsetType | None = msgspec.UNSET
    partition_concurrency: Most | msgspec.UnsetType | None = msgspec.UNSET
    partition_worker_concurrency: Most | msgspec.UnsetType | None = msgspec.UNSET
    partition_limiter: Rate | msgspec.UnsetType | None = msgspec.UNSET


class PauseQueue(Given, frozen=True, kw_only=True):
    """Where (everywhere, unless on one executor), and why."""

    executor_id: Key | None = None
    reason: Name | None = None


class ResumeQueue(Given, frozen=True, kw_only=True):
    """Where: on one executor, or everywhere."""

    executor_id: Key | None = None


class Drain(PauseQueue, frozen=True, kw_only=True):
    """Where, why, and how many seconds to wait until nothing runs."""

    wait: Wait = 30.0


class ShownRate(Shown, frozen=True, kw_only=True):
    """At most `limit` starts in any `period` seconds."""

    limit: int
    period: float


class QueuePaused(Shown, frozen=True, kw_only=True):
    """Where a queue is paused (`executor_id` null: everywhere), why, since when, and by whom."""

    executor_id: str | None
    reason: str | None
    paused_at: Instant
    paused_by: str | None


class Queue(Shown, frozen=True, kw_only=True):
    """A queue as it is registered."""

    name: str
    concurrency: int | None
    worker_concurrency: int | None
    limiter: ShownRate | None
    partition_concurrency: int | None
    partition_worker_concurrency: int | None
    partition_limiter: ShownRate | None
    polling_interval_sec: float
    application_name: str | None
    created_at: Instant
    updated_at: Instant
    pauses: list[QueuePaused]


class Queues(Shown, frozen=True, kw_only=True):
    """The registered queues, by name."""

    queues: list[Queue]


class OnQueue(Shown, frozen=True, kw_only=True):
    """What is on a queue now."""

    name: str
    enqueued: int
    delayed: int
    pending: int
    running_on: Mapping[str, int]
    oldest_enqueued_at: Instant | None
    starts_in_period: int | None
    is_paused: bool


class OnQueues(Shown, frozen=True, kw_only=True):
    """What is on the queues now."""

    queues: list[OnQueue]


class Activities(Shown, frozen=True, kw_only=True):
    """What queues hold and did; counts end at `counted_to`."""

    queues: list[QueueActivity]


class Backlogs(Shown, frozen=True, kw_only=True):
    """The fullest partitions of a queue."""

    backlogs: list[Backlog]


class QueueChanged(Shown, frozen=True, kw_only=True):
    """Whether it was changed; false where there was nothing to do."""

    name: str
    changed: bool


class Drained(Shown, frozen=True, kw_only=True):
    """Whether nothing of it runs any more; it stays paused in any case."""

    name: str
    drained: bool


@get("/queues", verbs=("list_queues",), example=Example())
async def list_queues(call: Call, query: Scope) -> Queues:
    """Show the registered queues, with their limits and pauses."""
    found = await call.client.list_queues(application_name=query.application_name)
    return Queues(queues=[_queue(each) for each in found])


@get("/queues/stats", verbs=("queue_stats",), problems=(404,), example=Example(EMAILS))
async def queue_stats(call: Call, query: Stats) -> OnQueues:
    """Show what is on the queues now: waiting, delayed, running, and where."""
    found = await call.client.queue_stats(query.name, application_name=query.application_name)
    return OnQueues(queues=[shown(OnQueue, each) for each in found])


@get("/queues/activity", verbs=("queue_activity",), example=Example(EMAILS))
async def queue_activity(call: Call, query: Activity) -> Activities:
    """Show what queues hold now, and what they did in the last hour by minute; cheap on any backlog."""
    found = await call.client.queue_activity(
        query.name, count_to=query.count_to, application_name=query.application_name
    )
    return Activities(queues=found)


@get("/queue/backlogs", verbs=("list_backlogs",), example=Example({**EMAILS, "limit": 10}))
async def list_backlogs(call: Call, query: Partitions) -> Backlogs:
    """Show the partitions of a queue with the most work that waits."""
    found = await call.client.list_backlogs(query.name, limit=query.limit, count_to=query.count_to)
    return Backlogs(backlogs=found)


@get("/queue", verbs=("get_queue",), problems=(404,), example=Example(EMAILS))
async def get_queue(call: Call, query: OneQueue) -> Queue:
    """Show a queue, with its limits and pauses."""
    return _queue(await call.client.get_queue(query.name))


@put(
    "/queue",
    verbs=("register_queue",),
    problems=(404, 409, 412),
    headers=ONLY_NEW,
    example=Example(EMAILS, {"concurrency": 20, "limiter": {"limit": 100, "period": 60}}),
)
async def put_queue(call: Call, query: NewQueue, body: Limits) -> Queue:
    """Register a queue, or give it these limits; workers follow within a second."""
    only_new = header_of(call.request, "If-None-Match", OnlyNew) is not None
    if only_new and await _is_there(call, query.name):
        raise _exists(query.name)
    limits = {**options(body), **_rates(body)}
    registering = call.client.register_queue(
        query.name, **limits, on_conflict="never_update" if only_new else "always_update"
    )
    queue = await call.act("register", "queue", query.name, registering, detail=msgspec.to_builtins(body))
    if only_new and any(getattr(queue, name) != limits[name] for name in Changes.__struct_fields__):
        raise _exists(query.name)  # somebody else was first
    return _queue(queue)


@post(
    "/queue/limits",
    verbs=("update_queue",),
    problems=(404,),
    example=Example(EMAILS, {"concurrency": 5, "limiter": None}),
)
async def change_queue(call: Call, query: OneQueue, body: Changes) -> Queue:
    """Change the limits that are named, null for no limit, and leave the others."""
    given = {**options(body), **_rates(body)}
    named = {name: value for name, value in given.items() if value is not msgspec.UNSET}
    updating = call.client.update_queue(query.name, **named)
    detail = msgspec.to_builtins(body)
    return _queue(await call.act("change limits", "queue", query.name, updating, detail=detail))


@post(
    "/queue/pause",
    verbs=("pause_queue",),
    problems=(404,),
    example=Example(EMAILS, {"reason": "the provider is down"}),
)
async def pause_queue(call: Call, query: OneQueue, body: PauseQueue) -> Queue:
    """Let workers take nothing more from a queue; what runs goes on."""
    pausing = call.client.pause_queue(query.name, **options(body), paused_by=call.user.name)
    return _queue(await call.act("pause", "queue", query.name, pausing, detail=options(body)))


@post("/queue/resume", verbs=("resume_queue",), problems=(404,), example=Example(EMAILS, {}))
async def resume_queue(call: Call, query: OneQueue, body: ResumeQueue) -> QueueChanged:
    """Let workers take from a queue again."""
    resuming = call.client.resume_queue(query.name, executor_id=body.executor_id)
    changed = await call.act("resume", "queue", query.name, resuming, detail=options(body))
    return QueueChanged(name=query.name, changed=changed)


@post("/queue/drain", verbs=("drain_queue",), problems=(404,), example=Example(EMAILS, {"wait": 60}))
async def drain_queue(call: Call, query: OneQueue, body: Drain) -> Drained:
    """Pause a queue and wait until nothing of it runs, or the wait is over; it stays paused."""
    draining = call.client.drain_queue(
        query.name,
        executor_id=body.executor_id,
        reason=body.reason,
        paused_by=call.user.name,
        timeout=call.within(body.wait),
    )
    drained = await call.act("drain", "queue", query.name, draining, detail=options(body))
    return Drained(name=query.name, drained=drained)


@delete("/queue", role="admin", verbs=("delete_queue",), problems=(404,), example=Example(EMAILS))
async def delete_queue(call: Call, query: OneQueue) -> QueueChanged:
    """Delete a queue's registration; its workflows stay, and wait until it is registered again."""
    changed = await call.act("delete", "queue", query.name, call.client.delete_queue(query.name))
    if not changed:
        raise NoSuchQueue(query.name)
    return QueueChanged(name=query.name, changed=True)


def _queue(info: QueueInfo) -> Queue:
    return shown(
        Queue,
        info,
        limiter=_shown_rate(info.limiter),
        partition_limiter=_shown_rate(info.partition_limiter),
        pauses=[shown(QueuePaused, each) for each in info.pauses],
    )


def _shown_rate(rate: RateLimit | None) -> ShownRate | None:
    if rate is None:
        return None
    period = rate.period if isinstance(rate.period, int | float) else rate.period.total_seconds()
    return ShownRate(limit=rate.limit, period=float(period))


def _rates(given: Limits | Changes) -> dict[str, Any]:
    rates = {name: getattr(given, name) for name in ("limiter", "partition_limiter")}
    return {
        name: RateLimit(rate.limit, rate.period) if isinstance(rate, Rate) else rate
        for name, rate in rates.items()
    }


async def _is_there(call: Call, name: str) -> bool:
    try:
        await call.client.get_queue(name)
    except NoSuchQueue:
        return False
    return True


def _exists(name: str) -> Refused:
    return Refused("exists", f"queue {name!r} is registered already", option="If-None-Match")


ROUTES = (
    list_queues,
    queue_stats,
    queue_activity,
    list_backlogs,
    get_queue,
    put_queue,
    change_queue,
    pause_queue,
    resume_queue,
    drain_queue,
    delete_queue,
)
