# Generated from src/durably/aio/_values.py; do not edit: `make generate`.
"""Values that are taken from the world once."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from durably.core import names, ops
from durably.core.ids import new_id
from durably.engine.context import current_run

__all__ = ["now", "random", "uuid4"]


def now() -> datetime:
    """The time, the same at every replay, as an aware `datetime` in UTC.

    started = sync.now()
    """
    world = current_run().resources.world
    return current_run().perform_blocking(
        ops.Compute(names.NOW, lambda: datetime.fromtimestamp(world.now(), UTC), datetime)
    )


def uuid4() -> UUID:
    """A random UUID, the same at every replay.

    key = sync.uuid4()
    """
    chance = current_run().resources.world.random
    return current_run().perform_blocking(ops.Compute(names.RANDOM_UUID, lambda: UUID(new_id(chance)), UUID))


def random() -> float:
    """A random number from 0 up to 1, the same at every replay.

    if sync.random() < 0.1: ...
    """
    return current_run().perform_blocking(
        ops.Compute(names.RANDOM, current_run().resources.world.random.random, float)
    )
