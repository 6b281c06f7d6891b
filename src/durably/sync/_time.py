# Generated from src/durably/aio/_time.py; do not edit: `make generate`.
"""Durable time."""

from __future__ import annotations

from datetime import datetime

from durably.core import checks, ops
from durably.engine.context import current_run
from durably.errors import InvalidOption
from durably.types import Seconds

__all__ = ["sleep", "sleep_until"]


def sleep(duration: Seconds) -> None:
    """Let time pass, durably: a restart in between does not start the wait again.

    `duration` is seconds or `timedelta`, on the database's clock; zero and less return at once.

        sync.sleep(3600)
    """
    return current_run().perform_blocking(ops.Sleep(seconds=checks.span("duration", duration)))


def sleep_until(instant: datetime) -> None:
    """Wait until an aware `datetime`, on the database's clock; an instant that has passed returns at once.

    sync.sleep_until(datetime(2026, 1, 1, tzinfo=UTC))
    """
    if instant.tzinfo is None:
        raise InvalidOption("instant", instant, "a naive datetime names no instant: give it a tzinfo")
    return current_run().perform_blocking(ops.Sleep(until=instant.timestamp()))
