"""When schedules fire: the dialect of DBOS Python, its ids, and what is refused at the door."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from durably.core.cron import Cron, run_id, typescript_instant, zone
from durably.errors import InvalidOption

NOW = datetime(2026, 11, 26, 13, 0, 0, 500, tzinfo=UTC)
NEW_YORK = "America/New_York"


def preview(expression: str, after: datetime, count: int, timezone: str | None = None) -> list[str]:
    cron = Cron.parse(expression, timezone, now=after)
    return [tick.isoformat() for tick in cron.preview(after, count)]


def test_six_fields_begin_with_the_seconds() -> None:
    assert preview("*/20 * * * * *", NOW, 3) == [
        "2026-11-26T13:00:20+00:00",
        "2026-11-26T13:00:40+00:00",
        "2026-11-26T13:01:00+00:00",
    ]


def test_without_a_zone_it_is_utc_and_strictly_later() -> None:
    at = datetime(2026, 11, 26, tzinfo=UTC)
    assert preview("@daily", at, 1) == ["2026-11-27T00:00:00+00:00"]


def test_day_of_month_or_day_of_week_is_enough() -> None:
    assert preview("0 0 30 * FRI", NOW, 2) == ["2026-11-27T00:00:00+00:00", "2026-11-30T00:00:00+00:00"]


def test_what_the_clock_jumps_over_fires_at_the_end_of_the_gap() -> None:
    before = datetime(2026, 3, 7, 12, tzinfo=ZoneInfo(NEW_YORK))
    assert preview("30 2 * * *", before, 2, NEW_YORK) == [
        "2026-03-08T03:00:00-04:00",
        "2026-03-09T02:30:00-04:00",
    ]


def test_the_hour_that_comes_twice_fires_twice_with_two_ids() -> None:
    before = datetime(2026, 10, 31, 12, tzinfo=ZoneInfo(NEW_YORK))
    ticks = Cron.parse("30 1 * * *", NEW_YORK, now=before).preview(before, 2)
    assert [run_id("x", tick) for tick in ticks] == [
        "sched-x-2026-11-01T01:30:00-04:00",
        "sched-x-2026-11-01T01:30:00-05:00",
    ]


def test_a_leap_day_is_found_years_ahead() -> None:
    assert preview("0 0 29 2 *", NOW, 1) == ["2028-02-29T00:00:00+00:00"]


def test_an_expression_with_a_year_ends() -> None:
    assert preview("0 0 12 1 1 * 2027", NOW, 5) == ["2027-01-01T12:00:00+00:00"]


def test_a_backfill_excludes_both_ends_and_takes_naive_instants_for_utc() -> None:
    cron = Cron.parse("0 * * * *", now=NOW)
    ticks = cron.between(datetime(2026, 11, 26, 8), datetime(2026, 11, 26, 11, tzinfo=UTC))
    assert [tick.hour for tick in ticks] == [9, 10]


def test_a_trigger_has_microseconds_and_utc_in_its_id() -> None:
    at = datetime(2026, 11, 26, 14, 0, 0, 25, tzinfo=ZoneInfo("Europe/Berlin"))
    assert typescript_instant(at) == "2026-11-26T13:00:00.000Z"


@pytest.mark.parametrize("expression", ["0 0 31 2 *", "0 0 12 1 1 * 2025"])
def test_what_never_fires_is_refused(expression: str) -> None:
    with pytest.raises(InvalidOption, match=r"never fires after 2026-11-26.*check its day, month and year"):
        Cron.parse(expression, now=NOW)


@pytest.mark.parametrize("expression", ["", "nonsense", "* * *", "99 * * * *", "@reboot", "H * * * *"])
def test_what_is_no_cron_expression_is_refused(expression: str) -> None:
    with pytest.raises(InvalidOption, match=r"not a cron expression .*5 fields, or 6 with the seconds first"):
        Cron.parse(expression, now=NOW)


def test_a_schedule_that_is_no_text_is_refused() -> None:
    with pytest.raises(InvalidOption, match="expected a cron expression"):
        Cron.parse(5, now=NOW)


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd", "Europe", "a\0b"])
def test_an_unknown_time_zone_is_refused(name: str) -> None:
    with pytest.raises(InvalidOption, match=r"no such time zone here.*Europe/Berlin"):
        zone(name)


def test_a_time_zone_that_is_no_text_is_refused() -> None:
    with pytest.raises(InvalidOption, match="expected an IANA name"):
        zone(2)
