"""Reads that a workflow waits for: the database's trouble is waited out, and never becomes its outcome."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from durably.core.ports import World
from durably.core.retry import reconnect_delay
from durably.errors import DatabaseUnavailable

__all__ = ["until_answered"]

T = TypeVar("T")

logger = logging.getLogger(__name__)


async def until_answered(world: World, what: str, ask: Callable[[], Awaitable[T]]) -> T:
    """The answer of a read; an interruption of the run ends the wait."""
    attempt = 0
    while True:
        try:
            return await ask()
        except DatabaseUnavailable as error:
            attempt += 1
            logger.warning("%s waits for the database (attempt %d): %s", what, attempt, error)
            await world.sleep(reconnect_delay(attempt, world.random))
