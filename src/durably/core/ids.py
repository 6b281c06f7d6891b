"""Identifiers: random UUIDs from the chance that is passed in."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from random import Random

__all__ = ["child_id", "child_ids", "new_id", "uuid_of"]

_FIXED = 0xF000_C000_0000_0000_0000  # the bits of version and variant
_VERSION_4 = 0x4000_8000_0000_0000_0000


def new_id(random: Random) -> str:
    """A random (version 4) UUID as text."""
    return uuid_of(random.getrandbits(128))


def uuid_of(bits: int) -> str:
    """The version 4 UUID of 128 random bits, as text; `str(uuid.UUID(...))` takes three times as long."""
    digits = f"{bits & ~_FIXED | _VERSION_4:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def child_id(parent_id: str, function_id: int) -> str:
    """The id of a child that was given none: its parent's, and the operation that started it."""
    return f"{parent_id}-{function_id}"


def child_ids(parent_id: str, function_id: int) -> Iterator[str]:
    """The ids of all that one operation makes, the same whenever it is repeated."""
    first = child_id(parent_id, function_id)
    yield first
    for number in itertools.count(2):
        yield f"{first}-{number}"
