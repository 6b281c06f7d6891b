"""Schedules: as they are asked for, and as they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from durably.types.aliases import ScheduleOverlap, Seconds

__all__ = [
    "Schedule",
    "ScheduleSpec",
]


@dataclass(frozen=True, kw_only=True)
class ScheduleSpec:
    """A schedule to create or to apply: a cron expression in a time zone, and which workflow it starts.

    `schedule` has 5 fields, or 6 with the seconds first; `cron_timezone` is an IANA name, UTC if left out.
    The workflow gets the scheduled time and `context`. What nobody could fire in time is fired later if it
    is not older than `catch_up` seconds, or whatever its age with `automatic_backfill`. `jitter` spreads runs
    over so many seconds behind their time. `overlap` says what becomes of a tick while a run of the schedule
    goes on, triggered and backfilled ones too: "allow", "skip", or "buffer_one", which lets one wait; who
    triggers or backfills means it, so that runs in any case. DBOS's processes know nothing of these three.

        ScheduleSpec(schedule_name="nightly", workflow_name="report", schedule="0 3 * * *",
                     cron_timezone="Europe/Berlin")
    """

    schedule_name: str
    workflow_name: str
    schedule: str
    context: Any = None
    workflow_class_name: str | None = None
    automatic_backfill: bool = False
    cron_timezone: str | None = None
    queue_name: str | None = None
    application_name: str | None = None
    catch_up: Seconds = 60.0
    jitter: Seconds = 0.0
    overlap: ScheduleOverlap = "allow"


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """A schedule as it stands: `status` is ACTIVE or PAUSED; `next_fire_at` None if it fires no more.

    `context` stays the stored text where it cannot be read here. `problem` says why it is not kept, or why
    its runs would wait, as the application's executors noted it. `declared`: by code, with `app.schedule`;
    `changed` are the fields that were changed at run time since, "status" among them while it is paused.
    """

    schedule_id: str
    schedule_name: str
    workflow_name: str
    schedule: str
    workflow_class_name: str | None = None
    status: str = "ACTIVE"
    context: Any = None
    last_fired_at: str | None = None
    automatic_backfill: bool = False
    cron_timezone: str | None = None
    queue_name: str | None = None
    application_name: str | None = None
    catch_up: float = 0.0
    jitter: float = 0.0
    overlap: ScheduleOverlap = "allow"
    next_fire_at: datetime | None = None
    problem: str | None = None
    declared: bool = False
    changed: tuple[str, ...] = ()
