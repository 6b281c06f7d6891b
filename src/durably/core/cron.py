"""When a schedule fires: DBOS Python's cron dialect, and the ids that its runs have there.

Five fields, six with the seconds first, or seven with the year last; `@daily` and its kin. Where both day of
month and day of week are given, either is enough. An instant that the clock jumps over fires at the end of
the gap; in the hour that comes twice it fires twice, as two instants with two ids.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from itertools import islice
from zoneinfo import ZoneInfo

from croniter import CroniterBadDateError, CroniterError, croniter

from durably.errors import InvalidOption

__all__ = ["Cron", "run_id", "typescript_instant", "zone"]


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron expression in a time zone, None for UTC; `parse` checks both."""

    expression: str
    timezone: tzinfo

    @classmethod
    def parse(cls, expression: object, timezone: object = None, *, now: datetime) -> Cron:
        """Refuse, before anything is written, what cannot be read and what never fires after `now`."""
        cron = cls.read(expression, timezone)
        if cron.after(now) is None:
            raise InvalidOption(
                "schedule",
                expression,
                f"it never fires after {now.isoformat()}; check its day, month and year",
            )
        return cron

    @classmethod
    def read(cls, expression: object, timezone: object = None) -> Cron:
        """Refuse what cannot be read; what never fires any more was once all right."""
        return cls(_readable(expression), zone(timezone))

    def ticks(self, after: datetime) -> Iterator[datetime]:
        """The instants later than `after`, earliest first, in the schedule's time zone; none after 9999."""
        try:
            ticks = croniter(self.expression, after.astimezone(self.timezone), second_at_beginning=True)
            while True:
                yield ticks.get_next(datetime)
        except (CroniterBadDateError, OverflowError):
            return

    def after(self, instant: datetime) -> datetime | None:
        """The first instant later than this one; None if there is none."""
        return next(self.ticks(instant), None)

    def preview(self, after: datetime, count: int) -> list[datetime]:
        """The next `count` instants: fewer if the expression ends before."""
        return list(islice(self.ticks(after), count))

    def between(self, start: datetime, end: datetime) -> Iterator[datetime]:
        """The instants of a backfill: both ends are outside, and one without a zone is UTC."""
        last = _aware(end)
        for tick in self.ticks(_aware(start)):
            if tick >= last:
                return
            yield tick


def zone(name: object) -> tzinfo:
    """A time zone by its IANA name; None is UTC, whatever the machine's own zone is."""
    if name is None:
        return UTC
    if not isinstance(name, str):
        raise InvalidOption(
            "cron_timezone", name, 'expected an IANA name such as "Europe/Berlin", or None for UTC'
        )
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        why = 'no such time zone here; name one as IANA does, such as "Europe/Berlin"'
        raise InvalidOption("cron_timezone", name, why) from error


def run_id(schedule_name: str, tick: datetime) -> str:
    """The id of a scheduled run: the same from every process, so that a tick has one run."""
    return f"sched-{schedule_name}-{tick.isoformat()}"


def typescript_instant(instant: datetime) -> str:
    """An instant as DBOS TypeScript writes it in the ids of the runs of its schedules."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _readable(expression: object) -> str:
    if not isinstance(expression, str):
        raise InvalidOption("schedule", expression, 'expected a cron expression, such as "*/5 * * * *"')
    try:
        croniter(expression, second_at_beginning=True)
    except CroniterError as error:
        why = f"not a cron expression ({error}); write 5 fields, or 6 with the seconds first"
        raise InvalidOption("schedule", expression, why) from error
    return expression


def _aware(instant: datetime) -> datetime:
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)
