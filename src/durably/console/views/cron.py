"""Cron expressions in words, as far as words are shorter than what they say."""

from __future__ import annotations

import re

__all__ = ["in_words"]

DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July",
    "August", "September", "October", "November", "December",
)  # fmt: skip
NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
STEP = re.compile(r"\*/(\d+)")
NUMBER = re.compile(r"\d+")


def in_words(expression: str) -> str | None:
    """What an expression of 5 or 6 fields says; None for one that is best read as it is."""
    fields = NICKNAMES.get(expression.strip().lower(), expression).split()
    if len(fields) == 5:
        fields = ["0", *fields]
    if len(fields) != 6:
        return None
    second, minute, hour, day, month, weekday = fields
    time = _time(second, minute, hour)
    days = _days(day, weekday)
    months = _months(month)
    if time is None or days is None or months is None:
        return None
    told = [time, *(part for part in (days, months) if part)]
    if not days and not months and time.startswith("at "):
        told.append("every day")
    return ", ".join(told)


def _time(second: str, minute: str, hour: str) -> str | None:
    if (second, minute, hour) == ("*", "*", "*"):
        return "every second"
    if (step := STEP.fullmatch(second)) and (minute, hour) == ("*", "*"):
        return _every(int(step[1]), "second")
    if not NUMBER.fullmatch(second):
        return None
    seconds = "" if int(second) == 0 else f":{int(second):02d}"
    if (minute, hour) == ("*", "*"):
        return "every minute" + (f" at second {int(second)}" if seconds else "")
    if (step := STEP.fullmatch(minute)) and (during := _during(hour)) is not None and not seconds:
        return _every(int(step[1]), "minute") + during
    if not NUMBER.fullmatch(minute):
        return None
    return _at_minute(int(minute), seconds, hour)


def _at_minute(minute: int, seconds: str, hour: str) -> str | None:
    """At a minute of every hour, of every so many hours, or of hours that are named."""
    if hour == "*":
        return f"every hour at :{minute:02d}{seconds}"
    if step := STEP.fullmatch(hour):
        return f"{_every(int(step[1]), 'hour')} at :{minute:02d}{seconds}"
    hours = hour.split(",")
    if all(NUMBER.fullmatch(each) for each in hours) and len(hours) <= 6:
        return "at " + _and([f"{int(each):02d}:{minute:02d}{seconds}" for each in hours])
    during = _during(hour)
    return None if not during else f"every hour at :{minute:02d}{seconds}{during}"


def _during(hour: str) -> str | None:
    if hour == "*":
        return ""
    if match := re.fullmatch(r"(\d+)(?:-(\d+))?", hour):
        last = int(match[2] or match[1])
        return f" from {int(match[1]):02d}:00 to {last:02d}:59"
    return None


def _days(day: str, weekday: str) -> str | None:
    month_day = "" if day in ("*", "?") else _day_of_month(day)
    week_day = "" if weekday in ("*", "?") else _named(weekday, DAYS, first=0, short=3)
    if month_day is None or week_day is None:
        return None
    if month_day and week_day:
        return f"on {month_day}, and on {week_day}"
    return f"on {month_day or week_day}" if month_day or week_day else ""


def _day_of_month(day: str) -> str | None:
    days = day.split(",")
    if day.lower() == "l":
        return "the last day of the month"
    if all(NUMBER.fullmatch(each) for each in days):
        return f"day {_and([str(int(each)) for each in days])} of the month"
    if match := re.fullmatch(r"(\d+)-(\d+)", day):
        return f"days {match[1]} to {match[2]} of the month"
    return None


def _months(month: str) -> str | None:
    if month == "*":
        return ""
    named = _named(month, MONTHS, first=1, short=3)
    return None if named is None else f"in {named}"


def _named(text: str, names: tuple[str, ...], *, first: int, short: int) -> str | None:
    """Names for numbers or short names: single ones, a list, or a range."""
    ends = text.split("-")
    if len(ends) == 2:
        both = [_name(end, names, first, short) for end in ends]
        return None if None in both else f"{both[0]} to {both[1]}"
    each = [_name(part, names, first, short) for part in text.split(",")]
    return None if None in each else _and([name for name in each if name])


def _name(text: str, names: tuple[str, ...], first: int, short: int) -> str | None:
    if NUMBER.fullmatch(text):
        index = int(text) - first
        index = 0 if names is DAYS and index == 7 else index
        return names[index] if 0 <= index < len(names) else None
    found = [name for name in names if name[:short].lower() == text.lower()]
    return found[0] if found else None


def _every(count: int, unit: str) -> str:
    return f"every {unit}" if count == 1 else f"every {count} {unit}s"


def _and(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
