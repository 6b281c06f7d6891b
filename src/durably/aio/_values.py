"""Values that are taken from the world once."""

from __future__ import annotations

from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from durably.core import names, ops
from durably.core.ids import new_id
from durably.engine.context import current_run

__all__ = ["now", "random", "uuid4"]


def now() -> Coroutine[Any, Any, datetime]:
    """The time, the same at every replay, as an aware `datetime` in UTC.

    started = await aio.now()
    """
    world = current_run().resources.world
    return current_run().perform(
        ops.Compute(names.NOW, lambda: datetime.fromtimestamp(world.now(), UTC), datetime)
    )


def uuid4() -> Coroutine[Any, Any, UUID]:
    """A random UUID, the same at every replay.

    key = await aio.uuid4()
    """
    chance = current_run().resources.world.random
    return current_run().perform(ops.Compute(names.RANDOM_UUID, lambda: UUID(new_id(chance)), UUID))


def random() -> Coroutine[Any, Any, float]:
    """A random number from 0 up to 1, the same at every replay.

    if await aio.random() < 0.1: ...
    """
    return current_run().perform(
        ops.Compute(names.RANDOM, current_run().resources.world.random.random, float)
    )
