"""What takes longer than a page may: looked up beside the pages, which show what was seen last."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

__all__ = ["Memory", "Seen"]

T = TypeVar("T")

PATIENCE = 0.03  # seconds that a page waits for a look where nothing, or only what is old, was seen before
OLD = 3.0  # times as old as is fresh: what is younger is shown at once; a live page has the rest in a second
STALE = 60.0  # seconds after which what was seen is shown to nobody who can wait for a look

logger = logging.getLogger(__name__)


class Seen(Generic[T]):
    """One thing that is looked up: its last value, and the look that is under way."""

    def __init__(self) -> None:
        self.value: T | None = None
        self.error: str | None = None
        self._at = float("-inf")
        self._look: asyncio.Task[None] | None = None

    @property
    def age(self) -> float:
        """Seconds since the last look; infinite before the first."""
        return time.monotonic() - self._at

    async def latest(self, look: Callable[[], Awaitable[T]], fresh: float) -> T | None:
        """The last value, no older than `fresh` seconds if that can be had at once; None before the first."""
        age = self.age
        if self._look is None and age > fresh:
            self._look = asyncio.ensure_future(self._looked(look))
        if self._look is not None and (self.value is None or age > OLD * fresh):
            await asyncio.wait({self._look}, timeout=PATIENCE)
        return self.value

    async def _looked(self, look: Callable[[], Awaitable[T]]) -> None:
        try:
            self.value, self.error = await look(), None
        except Exception as error:
            self.error = str(error) or type(error).__name__
            logger.warning("a look in the background failed", exc_info=error)
        finally:
            self._at, self._look = time.monotonic(), None


class Memory:
    """What a console has seen, by name."""

    def __init__(self) -> None:
        self._seen: dict[str, Seen[Any]] = {}

    def of(self, name: str) -> Seen[Any]:
        """The thing of this name."""
        return self._seen.setdefault(name, Seen())

    async def soon(self, name: str, look: Callable[[], Awaitable[T]], fresh: float) -> T:
        """The thing as it was seen last, within a minute and without an error; else a look of its own."""
        seen: Seen[T] = self.of(name)
        value = await seen.latest(look, fresh)
        if value is not None and seen.error is None and seen.age < STALE:
            return value
        return await look()

    async def aclose(self) -> None:
        """End the looks that are under way."""
        looks = [seen._look for seen in self._seen.values() if seen._look is not None]
        for look in looks:
            look.cancel()
        if looks:
            await asyncio.wait(looks)
