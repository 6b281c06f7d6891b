"""Durable time."""

from __future__ import annotations

from collections.abc import Coroutine
from datetime import datetime
from typing import Any

from durably.core import checks, ops
from durably.engine.context import current_run
from durably.errors import InvalidOption
from durably.types import Seconds

__all__ = ["sleep", "sleep_until"]


def sleep(duration: Seconds) -> Coroutine[Any, Any, None]:
    """Let time pass, durably: a restart in between does not start the wait again.

    `duration` is seconds or `timedelta`, on the database's clock; zero and less return at once.

        await aio.sleep(3600)
    """
    return current_run().perform(ops.Sleep(seconds=checks.span("duration", duration)))


def sleep_until(instant: datetime) -> Coroutine[Any, Any, None]:
    """Wait until an aware `datetime`, on the database's clock; an instant that has passed returns at once.

    await aio.sleep_until(datetime(2026, 1, 1, tzinfo=UTC))
    """
    if instant.tzinfo is None:
        raise InvalidOption("instant", instant, "a naive datetime names no instant: give it a tzinfo")
    return current_run().perform(ops.Sleep(until=instant.timestamp()))
