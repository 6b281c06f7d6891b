"""The real world: the machine's clock, the loop's sleep, the operating system's randomness."""

from __future__ import annotations

import asyncio
import random
import time

__all__ = ["RealWorld"]


class RealWorld:
    """See `durably.core.ports.World`."""

    def __init__(self) -> None:
        self.random: random.Random = random.SystemRandom()  # not copied by a fork

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds of a clock that never goes back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Let `seconds` pass on the running loop."""
        await asyncio.sleep(seconds)
