"""Figures, durations, instants and states as people read them. Pure: `now` is given."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

__all__ = ["FILTERS", "STATES", "age", "ago", "bytes_of", "count", "duration", "instant", "state"]

STATES: dict[str, tuple[str, str]] = {  # status: (word, CSS class)
    "ENQUEUED": ("Enqueued", "enqueued"),
    "DELAYED": ("Delayed", "delayed"),
    "PENDING": ("Running", "running"),
    "SUCCESS": ("Succeeded", "succeeded"),
    "ERROR": ("Failed", "failed"),
    "CANCELLED": ("Cancelled", "cancelled"),
    "MAX_RECOVERY_ATTEMPTS_EXCEEDED": ("Dead letter", "dead"),
    "PAUSED": ("Paused", "paused"),
}
NOTHING = "–"  # noqa: RUF001 - an en dash is what a table shows for nothing


def state(status: str) -> tuple[str, str]:
    """The word for a status, and the CSS class that gives it its colour and shape."""
    return STATES.get(status, (status, "unknown"))


def count(value: float | None) -> str:
    """1234567 as 1,234,567; a fraction with one digit."""
    if value is None:
        return NOTHING
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 100 else f"{value:,.1f}"


def duration(milliseconds: float | None) -> str:
    """840 ms, 3.2 s, 4 m 10 s, 2 h 5 m, 3 d 4 h."""
    if milliseconds is None:
        return NOTHING
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    seconds = milliseconds / 1000
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days:,} d {hours} h"
    return f"{hours} h {minutes} m" if hours else f"{minutes} m {seconds} s"


def age(milliseconds: float | None) -> str:
    """How long something has waited, in whole seconds under a minute; never less than nothing."""
    if milliseconds is None:
        return NOTHING
    passed = max(0.0, milliseconds)
    return f"{passed // 1000:.0f} s" if passed < 60_000 else duration(passed)


def ago(epoch_ms: float | None, now_ms: float) -> str:
    """How long before `now` an instant was; 'in ...' where it is to come."""
    if epoch_ms is None:
        return NOTHING
    passed = now_ms - epoch_ms
    if abs(passed) < 1000:
        return "now"
    return f"{duration(passed)} ago" if passed > 0 else f"in {duration(-passed)}"


def instant(epoch_ms: float | None) -> str:
    """An instant in UTC, to the millisecond: 2026-05-01 13:07:21.042."""
    if epoch_ms is None:
        return NOTHING
    try:
        moment = datetime.fromtimestamp(epoch_ms / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return f"{epoch_ms:.0f} ms"
    return moment.strftime("%Y-%m-%d %H:%M:%S.") + f"{int(epoch_ms) % 1000:03d}"


def bytes_of(value: float | None) -> str:
    """14.2 MB, in powers of 1024."""
    if value is None:
        return NOTHING
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1024:
            return f"{value:.0f} B" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:,.1f} TB"


FILTERS: dict[str, Callable[..., Any]] = {
    "age": age,
    "ago": ago,
    "bytes_of": bytes_of,
    "count": count,
    "duration": duration,
    "instant": instant,
    "state": state,
}
