"""Schedules as data: what is checked before a row is written, and the run that a tick becomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from durably.core import checks
from durably.core.cron import Cron
from durably.core.names import INTERNAL_QUEUE, RESERVED_PREFIX
from durably.errors import InvalidOption
from durably.types import ScheduleSpec

__all__ = [
    "Form",
    "NewSchedule",
    "ScheduledRun",
    "changed_by_hand",
    "checked",
    "declaration",
    "scheduled",
    "scheduled_id",
    "triggered",
]

OVERLAPS = ("allow", "skip", "buffer_one")
IDENTITY = ("schedule_id", "schedule_name", "application_name")

EncodeArguments = Callable[[tuple[Any, ...], dict[str, Any]], str]


class NewSchedule(msgspec.Struct, frozen=True, kw_only=True):
    """A schedule to write."""

    schedule_id: str
    schedule_name: str
    workflow_name: str
    workflow_class_name: str | None
    schedule: str
    context: str
    automatic_backfill: bool
    cron_timezone: str | None
    queue_name: str | None
    application_name: str | None
    catch_up: float
    jitter: float
    overlap: str


class ScheduledRun(msgspec.Struct, frozen=True):
    """A run to enqueue."""

    workflow_id: str
    inputs: str
    serialization: str | None = None


class Form(msgspec.Struct, frozen=True):
    """How the SDK that keeps a schedule writes its runs: arguments, the format's name, instants in ids."""

    encode: EncodeArguments
    serialization: str | None
    instant: Callable[[datetime], str]


def checked(
    spec: ScheduleSpec, *, schedule_id: str, application_name: str | None, now: datetime, context: str
) -> NewSchedule:
    """What is written of a schedule, its context encoded already; InvalidOption if it cannot work."""
    cron = Cron.parse(spec.schedule, spec.cron_timezone, now=now)
    checks.choice("overlap", spec.overlap, OVERLAPS)
    if not isinstance(spec.automatic_backfill, bool):
        raise InvalidOption("automatic_backfill", spec.automatic_backfill, "True or False")
    return NewSchedule(
        schedule_id=schedule_id,
        schedule_name=checks.name("schedule_name", spec.schedule_name),
        workflow_name=checks.name("workflow_name", spec.workflow_name),
        workflow_class_name=checks.optional_name("workflow_class_name", spec.workflow_class_name),
        schedule=cron.expression,
        context=context,
        automatic_backfill=spec.automatic_backfill,
        cron_timezone=spec.cron_timezone,
        queue_name=_queue(spec.queue_name),
        application_name=checks.optional_name("application_name", spec.application_name) or application_name,
        catch_up=checks.duration("catch_up", spec.catch_up, zero=True) or 0.0,
        jitter=checks.duration("jitter", spec.jitter, zero=True) or 0.0,
        overlap=spec.overlap,
    )


def declaration(new: NewSchedule) -> dict[str, Any]:
    """What code says of a schedule, to be compared with what it says next time."""
    return {name: value for name, value in msgspec.structs.asdict(new).items() if name not in IDENTITY}


def changed_by_hand(declared: Mapping[str, Any], row: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields of a schedule's row that are not as code declared them, its status among them."""
    changed = [name for name, value in declared.items() if (row[name] or None) != (value or None)]
    return (*changed, *(["status"] if row["status"] == "PAUSED" else []))


def scheduled(name: str, tick: datetime, context: object, form: Form) -> ScheduledRun:
    """The run of a tick."""
    inputs = form.encode((tick, context), {})
    return ScheduledRun(scheduled_id(name, tick, form), inputs, form.serialization)


def scheduled_id(name: str, tick: datetime, form: Form) -> str:
    """The id of a tick's run."""
    return f"sched-{name}-{form.instant(tick)}"


def triggered(name: str, now: datetime, context: object, form: Form) -> ScheduledRun:
    """A run out of turn."""
    inputs = form.encode((now, context), {})
    return ScheduledRun(f"sched-{name}-trigger-{form.instant(now)}", inputs, form.serialization)


def _queue(given: object) -> str | None:
    name = checks.optional_name("queue_name", given)
    if name is not None and name.startswith(RESERVED_PREFIX) and name != INTERNAL_QUEUE:
        hint = f"names that begin with {RESERVED_PREFIX} are DBOS's own; leave it out for {INTERNAL_QUEUE}"
        raise InvalidOption("queue_name", given, hint)
    return name
