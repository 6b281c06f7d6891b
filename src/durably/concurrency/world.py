"""The real world: the machine's clock, the loop's sleep, the operating system's randomness."""

from __future__ import annotations

import asyncio
import random
import time

__all__ = ["RealWorld"]

# Linux's CLOCK_MONOTONIC stands still while the machine sleeps, and a lease does not; macOS's does not stand.
CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class RealWorld:
    """See `durably.core.ports.World`."""

    def __init__(self) -> None:
        self.random: random.Random = random.SystemRandom()  # not copied by a fork

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds of a clock that never goes back, nor stands still while the machine sleeps."""
        return time.clock_gettime(CLOCK)

    async def sleep(self, seconds: float) -> None:
        """Let `seconds` pass on the running loop."""
        await asyncio.sleep(seconds)
