"""Schedules as their pages show them: what comes when, what the clock does meanwhile, and what is late."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from durably.console.views.cron import in_words
from durably.core.cron import Cron
from durably.errors import InvalidOption
from durably.types import Schedule

__all__ = ["Time", "context_text", "late_by", "lateness", "millis", "times", "words_of"]

GRACE = timedelta(seconds=10)  # behind which a tick that nobody fired is late


@dataclass(frozen=True, kw_only=True)
class Time:
    """A time at which a schedule fires: in its zone, as an instant, and what the clock does before it."""

    local: str
    epoch_ms: float
    note: str = ""


def times(cron: Cron, after: datetime, count: int) -> list[Time]:
    """The next times, each with a note where the zone's clock is put forward or back before it."""
    shown, before = [], after.astimezone(cron.timezone)
    for tick in cron.preview(after, count):
        shown.append(
            Time(
                local=tick.strftime("%a %Y-%m-%d %H:%M:%S %Z"),
                epoch_ms=tick.timestamp() * 1000,
                note=_clock(before, tick),
            )
        )
        before = tick
    return shown


def words_of(schedule: str) -> str:
    """The expression in words, or itself."""
    return in_words(schedule) or schedule


def late_by(schedule: Schedule, now: datetime) -> float | None:
    """How long, in milliseconds, a tick has waited that nobody has fired; None where none does."""
    last = _instant(schedule.last_fired_at)
    if schedule.status != "ACTIVE" or last is None:
        return None
    try:
        due = Cron.read(schedule.schedule, schedule.cron_timezone).after(last)
    except InvalidOption:
        return None
    if due is None:
        return None
    waited = now - due - timedelta(seconds=schedule.jitter)
    return waited / timedelta(milliseconds=1) if waited > GRACE else None


def lateness(schedule_name: str, workflow_id: str, created_at: int) -> float | None:
    """How long after its time a run was made, in milliseconds; None for one out of turn."""
    tick = _instant(workflow_id.removeprefix(f"sched-{schedule_name}-"))
    return None if tick is None else created_at - tick.timestamp() * 1000


def context_text(value: Any) -> str | None:
    """The context as JSON; None for one that JSON cannot say."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError):
        return None
    return text if json.loads(text) == value else None


def millis(text: str | None) -> float | None:
    """An instant as DBOS writes it in a schedule's row, in milliseconds."""
    instant = _instant(text)
    return None if instant is None else instant.timestamp() * 1000


def _instant(text: str | None) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)


def _clock(before: datetime, tick: datetime) -> str:
    earlier, later = before.utcoffset(), tick.utcoffset()
    if earlier is None or later is None or earlier == later:
        return ""
    minutes = abs(later - earlier) // timedelta(minutes=1)
    span = f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"
    return f"the clock is put {'forward' if later > earlier else 'back'} {span} before it"


def runs(schedule: Schedule, found: Sequence[Any]) -> list[tuple[Any, float | None]]:
    """Recent runs, each with how late it was made."""
    return [(run, lateness(schedule.schedule_name, run.workflow_id, run.created_at)) for run in found]
