"""Cron expressions in words, and what the clock does between their times."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from durably.console.views.cron import in_words
from durably.console.views.schedules import context_text, late_by, lateness, times
from durably.core.cron import Cron
from durably.types import Schedule

WORDS = {
    "* * * * *": "every minute",
    "*/5 * * * *": "every 5 minutes",
    "*/5 9-17 * * 1-5": "every 5 minutes from 09:00 to 17:59, on Monday to Friday",
    "0 3 * * *": "at 03:00, every day",
    "30 0,12 * * *": "at 00:30 and 12:30, every day",
    "0 3 * * mon": "at 03:00, on Monday",
    "0 3 1 * *": "at 03:00, on day 1 of the month",
    "0 3 1 1 *": "at 03:00, on day 1 of the month, in January",
    "15 * * * *": "every hour at :15",
    "0 */6 * * *": "every 6 hours at :00",
    "*/10 * * * * *": "every 10 seconds",
    "30 0 3 * * *": "at 03:00:30, every day",
    "@daily": "at 00:00, every day",
    "0 0 * * 7": "at 00:00, on Sunday",
}


@pytest.mark.parametrize(("expression", "words"), WORDS.items())
def test_an_expression_in_words(expression: str, words: str) -> None:
    assert in_words(expression) == words


@pytest.mark.parametrize(
    "expression", ["1,7-9/2 * * * *", "0 3 L-2 * *", "0 3 * * 1#2", "", "x", "0 0 3 1 1 * 2030"]
)
def test_what_is_best_read_as_it_is(expression: str) -> None:
    assert in_words(expression) is None


def test_times_tell_where_the_clock_is_changed() -> None:
    berlin = Cron.read("30 2 * * *", "Europe/Berlin")
    spring = times(berlin, datetime(2026, 3, 27, 12, tzinfo=UTC), 3)
    assert [time.note for time in spring] == ["", "the clock is put forward 1 h before it", ""]
    assert spring[1].local == "Sun 2026-03-29 03:00:00 CEST"
    autumn = times(berlin, datetime(2026, 10, 24, 12, tzinfo=UTC), 3)
    assert [time.note for time in autumn] == ["", "the clock is put back 1 h before it", ""]


def schedule(**fields: object) -> Schedule:
    return Schedule(schedule_id="s", schedule_name="s", workflow_name="w", schedule="0 * * * *", **fields)  # type: ignore[arg-type]


def test_a_time_that_nobody_fired_is_late() -> None:
    last, now = "2026-11-26T10:00:00+00:00", datetime(2026, 11, 26, 11, 5, tzinfo=UTC)
    assert late_by(schedule(last_fired_at=last), now) == 300_000
    assert late_by(schedule(last_fired_at="2026-11-26T11:00:00+00:00"), now) is None
    assert late_by(schedule(last_fired_at=last, status="PAUSED"), now) is None
    assert late_by(schedule(last_fired_at=last, jitter=600.0), now) is None
    assert late_by(schedule(), now) is None


def test_a_run_is_as_late_as_it_was_made_after_its_time() -> None:
    assert lateness("s", "sched-s-1970-01-01T00:00:01+00:00", 1250) == 250
    assert lateness("s", "sched-s-trigger-1970-01-01T00:00:01+00:00", 1250) is None


def test_a_context_that_json_cannot_say_has_no_text() -> None:
    assert context_text({"a": [1, None]}) == '{"a": [1, null]}'
    assert context_text((1, 2)) is None
    assert context_text(object()) is None
