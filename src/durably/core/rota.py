"""Whose turn it is among the partitions of a queue: each is served once before one is served again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = ["Rota"]

START = ""  # before every partition key
PATIENCE = 10  # parts of the circle without work for us, in a row, before a pause


class Rota:
    """A walk in a circle over the partition keys that have queued work, a part of them at a time.

    `choose` takes the keys behind `at`, in order; `served` is told which of the chosen ones gave work.
    """

    def __init__(self) -> None:
        self.at: str = START
        self._chosen: list[str] = []
        self._next = START
        self._is_circle = False
        self._fruitless = 0

    def choose(self, walked: Sequence[tuple[str, bool]], *, most: int, is_circle: bool) -> list[str]:
        """The keys with room to claim from: `most` of those that were walked over, the first ones.

        `is_circle`: these were all the keys there are.
        """
        roomy = [key for key, has_room in walked if has_room]
        self._chosen = roomy[:most]
        self._is_circle = is_circle and len(roomy) <= most
        self._next = roomy[most - 1] if len(roomy) > most else (walked[-1][0] if walked else self.at)
        return self._chosen

    def served(self, keys: Iterable[str | None]) -> bool:
        """Move behind the last key that gave work; whether it is worth walking on at once."""
        given = set(keys)
        if given:
            self.at = next(key for key in reversed(self._chosen) if key in given)
            self._fruitless = 0
            return True
        if not self._is_circle:
            self.at = self._next
            self._fruitless += 1
        is_over = self._is_circle or self._fruitless >= PATIENCE
        self._fruitless = 0 if is_over else self._fruitless
        return not is_over
