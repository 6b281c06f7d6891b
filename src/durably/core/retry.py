"""When to try again: steps, by the user's rule; the database, until it answers."""

from __future__ import annotations

import math
from datetime import timedelta
from random import Random

from durably.errors import RetryAfter
from durably.types import Retry, Seconds

__all__ = ["pause", "reconnect_delay", "worth_retrying"]

FIRST = 0.02  # seconds
CAP = 2.0  # seconds: every worker is on again within 3 s of the server (reliability goals, row 6)


def reconnect_delay(attempt: int, random: Random) -> float:
    """Seconds before attempt `attempt + 1` at the database: 20 ms doubling to 2 s, spread by half."""
    return float(min(CAP, FIRST * 2.0 ** min(attempt - 1, 16)) * random.uniform(0.5, 1.5))


def worth_retrying(retry: Retry, error: BaseException) -> bool:
    """Whether the user's rule gives this error another attempt."""
    if isinstance(error, RetryAfter):
        return True
    if isinstance(error, retry.give_up_on):
        return False
    if isinstance(retry.on, type | tuple):
        return isinstance(error, retry.on)
    return bool(retry.on(error))


def pause(retry: Retry, attempt: int, error: BaseException, random: Random) -> float:
    """Seconds between attempt `attempt` (from 1), which ended with this error, and the next."""
    if isinstance(error, RetryAfter):
        return error.seconds
    delay = min(_seconds(retry.max_interval), _grown(retry, attempt))
    return max(0.0, delay * random.uniform(1 - retry.jitter, 1 + retry.jitter))


def _grown(retry: Retry, attempt: int) -> float:
    try:
        return _seconds(retry.interval) * float(retry.backoff) ** (attempt - 1)
    except OverflowError:
        return math.inf


def _seconds(value: Seconds) -> float:
    return value.total_seconds() if isinstance(value, timedelta) else float(value)
