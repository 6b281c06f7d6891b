"""When to try again: steps, by the user's rule; the database, until it answers."""

from __future__ import annotations

from random import Random

from durably.types import Retry

__all__ = ["reconnect_delay", "step_delay", "worth_retrying"]

FIRST = 0.02  # seconds
CAP = 2.0  # seconds: every worker is on again within 3 s of the server (reliability goals, row 6)


def reconnect_delay(attempt: int, random: Random) -> float:
    """Seconds before attempt `attempt + 1` at the database: 20 ms doubling to 2 s, spread by half."""
    return float(min(CAP, FIRST * 2.0 ** min(attempt - 1, 16)) * random.uniform(0.5, 1.5))


def worth_retrying(retry: Retry, error: BaseException) -> bool:
    """Whether the user's rule gives this error another attempt."""
    if isinstance(retry.on, type | tuple):
        return isinstance(error, retry.on)
    return bool(retry.on(error))


def step_delay(retry: Retry, attempt: int, random: Random) -> float:
    """Seconds between attempt `attempt` (from 1) and the next."""
    delay = min(retry.max_interval, retry.interval * retry.backoff ** (attempt - 1))
    return max(0.0, delay * random.uniform(1 - retry.jitter, 1 + retry.jitter))
