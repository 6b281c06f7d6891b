"""The ticks of one schedule, in turn: which is next, when it is due, and where to begin after an absence."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from datetime import UTC, datetime

from durably.core.cron import Cron, run_id
from durably.core.ports import Firing, ScheduleRow
from durably.errors import InvalidOption

__all__ = ["Calendar", "began", "identity", "readable"]

SPREAD = 2**32


class Calendar:
    """A schedule whose expression can be read. `not_before` holds its next tick back, epoch seconds."""

    def __init__(self, row: ScheduleRow, after: float) -> None:
        self.row = row
        self.not_before = 0.0
        start = datetime.fromtimestamp(after, UTC)
        self._ticks: Iterator[datetime] = Cron.read(row.schedule, row.cron_timezone).ticks(start)
        self.tick: datetime | None = next(self._ticks, None)

    @property
    def due(self) -> float | None:
        """When to fire next, epoch seconds: every executor comes to the same; None if never again."""
        if self.tick is None:
            return None
        share = zlib.crc32(run_id(self.row.schedule_name, self.tick).encode()) / SPREAD
        return self.tick.timestamp() + self.row.jitter * share

    @property
    def next_try(self) -> float | None:
        """When to try next."""
        return None if (due := self.due) is None else max(due, self.not_before)

    def advance(self) -> None:
        """The next tick's turn."""
        self.not_before = 0.0
        self.tick = next(self._ticks, None)

    def firing(self, inputs: str) -> Firing:
        """The next tick, to be fired."""
        assert self.tick is not None and self.due is not None
        return Firing(
            schedule_id=self.row.schedule_id,
            schedule=self.row.schedule,
            cron_timezone=self.row.cron_timezone,
            workflow_id=run_id(self.row.schedule_name, self.tick),
            tick=self.tick.isoformat(),
            due=self.due,
            overlap=self.row.overlap,
            inputs=inputs,
        )


def identity(row: ScheduleRow) -> tuple[str, str, str | None]:
    """What makes it another calendar when it changes."""
    return row.schedule_id, row.schedule, row.cron_timezone


def began(row: ScheduleRow, now: float) -> float:
    """The instant behind which ticks are an executor's that has not kept the schedule so far."""
    known = [each for each in (_instant(row.last_fired_at), row.since) if each is not None]
    if not known:
        return now
    oldest = 0.0 if row.automatic_backfill else now - row.catch_up
    return min(now, max(oldest, *known))


def _instant(text: str | None) -> float | None:
    try:
        instant = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return None if instant.tzinfo is None else instant.timestamp()


def readable(row: ScheduleRow, after: float) -> Calendar | InvalidOption:
    """The calendar of a row that anybody may have written, or why there is none."""
    try:
        return Calendar(row, after)
    except InvalidOption as error:
        return error
