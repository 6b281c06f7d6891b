"""Identifiers: random UUIDs from the chance that is passed in."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from random import Random

__all__ = ["OrderedIds", "child_id", "child_ids", "new_id", "uuid_of"]

_FIXED = 0xF000_C000_0000_0000_0000  # the bits of version and variant
_VERSION_4 = 0x4000_8000_0000_0000_0000


def new_id(random: Random) -> str:
    """A random (version 4) UUID as text."""
    return uuid_of(random.getrandbits(128))


def uuid_of(bits: int) -> str:
    """The version 4 UUID of 128 random bits, as text; `str(uuid.UUID(...))` takes three times as long."""
    digits = f"{bits & ~_FIXED | _VERSION_4:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


class OrderedIds:
    """Random UUIDs (version 7) of which a later one is greater, also within a millisecond: RFC 9562.

    OrderedIds(time.time, random).new_id()
    """

    def __init__(self, now: Callable[[], float], random: Random) -> None:
        self._now = now
        self._random = random
        self._last = 0  # milliseconds and, in the last 12 bits, a counter within them

    def new_id(self) -> str:
        """An id that is greater than all before it."""
        self._last = max(self._last + 1, int(self._now() * 1000) << 12)
        moment, counter = self._last >> 12, self._last & 0xFFF
        bits = moment << 80 | 7 << 76 | counter << 64 | 2 << 62 | self._random.getrandbits(62)
        digits = f"{bits:032x}"
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
