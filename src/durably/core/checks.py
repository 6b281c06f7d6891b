"""What options may be: refused before anything is written, by name, with what to do instead.

New work gets names that work everywhere: up to 255 printable characters. What exists already, made by others,
may be addressed by whatever name the database took.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from durably.errors import InvalidOption
from durably.types import Retry, Seconds

__all__ = [
    "address",
    "choice",
    "duration",
    "instant",
    "name",
    "optional_address",
    "optional_name",
    "rule",
    "span",
    "texts",
    "wait_seconds",
    "whole",
]

LONGEST_NAME = 255  # characters
LONGEST_ADDRESS = 2000  # bytes: what an index entry of PostgreSQL holds in any case
LONGEST_DURATION = 100 * 366 * 86_400.0  # seconds


def name(option: str, value: object) -> str:
    """A name or an id for new work."""
    text = _text(option, value)
    if len(text) > LONGEST_NAME:
        raise InvalidOption(option, value, f"{len(text)} characters; {LONGEST_NAME} is the most")
    if not text.isprintable():
        raise InvalidOption(option, value, "it must consist of printable characters")
    return text


def optional_name(option: str, value: object) -> str | None:
    """A name, or None."""
    return None if value is None else name(option, value)


def rule(option: str, value: object) -> Retry | None:
    """When to try again, or None."""
    if value is None or isinstance(value, Retry):
        return value
    raise InvalidOption(option, value, "give a rule: Retry(attempts=5)")


def address(option: str, value: object) -> str:
    """An id or a key of what exists already."""
    text = _text(option, value)
    if "\0" in text or not _is_unicode(text):
        raise InvalidOption(option, value, "PostgreSQL stores neither NUL characters nor lone surrogates")
    if len(text.encode()) > LONGEST_ADDRESS:
        raise InvalidOption(option, value, f"longer than {LONGEST_ADDRESS} bytes, so there is none")
    return text


def optional_address(option: str, value: object) -> str | None:
    """An id or a key of what exists already, or None."""
    return None if value is None else address(option, value)


def texts(option: str, values: object) -> list[str]:
    """Several names, in a sequence that is not itself a text."""
    if isinstance(values, str | bytes) or not isinstance(values, Sequence):
        raise InvalidOption(option, values, "pass a list of texts")
    return [name(f"{option}[{i}]", value) for i, value in enumerate(values)]


def duration(option: str, value: Seconds | None, *, zero: bool) -> float | None:
    """Seconds, or None; zero where that has a meaning."""
    if value is None:
        return None
    seconds = _seconds(option, value)
    if seconds < 0 or (seconds == 0 and not zero):
        least = "0 or more" if zero else "more than 0 (leave it out for none)"
        raise InvalidOption(option, value, f"it must be {least}")
    return seconds


def wait_seconds(option: str, value: Seconds | None) -> float | None:
    """Seconds to wait, where None is for ever and less than zero is not at all."""
    return None if value is None else max(0.0, _seconds(option, value))


def span(option: str, value: Seconds) -> float:
    """Seconds to wait, which have to be given; less than zero is not at all."""
    waited = wait_seconds(option, value)
    if waited is None:
        raise InvalidOption(option, value, "give seconds or a timedelta")
    return waited


def whole(option: str, value: object, *, least: int, most: int = 2**31 - 1) -> int:
    """A whole number in a range."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidOption(option, value, "it must be a whole number (int)")
    if not least <= value <= most:
        raise InvalidOption(option, value, f"it must be between {least} and {most}")
    return value


def choice(option: str, value: object, allowed: Sequence[str]) -> None:
    """One of a few words."""
    if value not in allowed:
        raise InvalidOption(option, value, f"it must be one of {', '.join(map(repr, allowed))}")


def instant(option: str, value: datetime | None) -> int | None:
    """Milliseconds since 1970 of an aware datetime, or None."""
    if value is None:
        return None
    if not isinstance(value, datetime):
        raise InvalidOption(option, value, "pass a datetime")
    if value.tzinfo is None:
        raise InvalidOption(option, value, "a naive datetime names no instant: give it a tzinfo")
    return round(value.timestamp() * 1000)


def _text(option: str, value: Any) -> str:
    if not isinstance(value, str):
        raise InvalidOption(option, value, f"it must be a text (str), not {type(value).__name__}")
    if not value.strip():
        raise InvalidOption(option, value, "it must not be empty or blank")
    return value


def _seconds(option: str, value: Any) -> float:
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        raise InvalidOption(option, value, "pass seconds (int, float) or a timedelta")
    if not math.isfinite(seconds) or seconds > LONGEST_DURATION:
        raise InvalidOption(option, value, "it must be finite, a hundred years at most")
    return float(seconds)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
