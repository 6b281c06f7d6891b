"""When a step or a workflow is tried again."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from durably.errors import InvalidOption
from durably.types.aliases import ErrorClasses, Seconds

__all__ = [
    "Retry",
]


@dataclass(frozen=True)
class Retry:
    """When and how often a step, or a workflow, is tried again.

    `attempts` counts the first one; the wait before attempt n+1 is `interval * backoff**(n-1)` seconds (or
    `timedelta`), at most `max_interval`, spread by `jitter` (0.1: between 90 % and 110 %). `on` says which
    errors are worth another attempt, classes or a predicate, and `give_up_on` which classes never are. Code
    that knows better when to come back raises `RetryAfter`.

        @app.step(retry=Retry(attempts=5, on=ConnectionError, give_up_on=ConnectionRefusedError))
        async def charge(card: str, cents: int) -> str: ...
    """

    attempts: int = 3
    interval: Seconds = 1.0
    backoff: float = 2.0
    max_interval: Seconds = 3600.0
    jitter: float = 0.1
    on: ErrorClasses | Callable[[BaseException], bool] = Exception
    give_up_on: ErrorClasses = ()

    def __post_init__(self) -> None:
        _check_attempts(self.attempts)
        _check_number("interval", self.interval, 0.0, "seconds (or a timedelta), 0 or more")
        _check_number("max_interval", self.max_interval, 0.0, "seconds (or a timedelta), 0 or more")
        _check_number("backoff", self.backoff, 1.0, "a factor, 1 (always the same pause) or more")
        _check_number("jitter", self.jitter, 0.0, "a share from 0 to 1", most=1.0)
        if not _are_errors(self.on) and (isinstance(self.on, type) or not callable(self.on)):
            raise InvalidOption("on", self.on, "give exception classes, or a predicate of the error")
        if not _are_errors(self.give_up_on):
            raise InvalidOption("give_up_on", self.give_up_on, "give exception classes")


def _check_attempts(value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise InvalidOption("attempts", value, "a whole number, 1 (no second attempt) or more")


def _check_number(option: str, value: object, least: float, hint: str, *, most: float = math.inf) -> None:
    number = value.total_seconds() if isinstance(value, timedelta) else value
    if not isinstance(number, int | float) or isinstance(number, bool):
        raise InvalidOption(option, value, f"give {hint}")
    if not math.isfinite(number) or not least <= number <= most:
        raise InvalidOption(option, value, f"give {hint}")


def _are_errors(value: object) -> bool:
    classes = value if isinstance(value, tuple) else (value,)
    return all(isinstance(kind, type) and issubclass(kind, BaseException) for kind in classes)
