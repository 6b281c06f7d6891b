"""Until when what this executor owns is surely its own: no body begins later than that.

A process that was frozen, or heard nothing of the database for as long as a lease, may have been declared
dead, and its work may run elsewhere; only the next heartbeat's answer tells. So a lease is trusted for its
length from the moment at which its renewal was sent, by this machine's own clock, and no longer.
"""

from __future__ import annotations

import asyncio
import math

from durably.core.ports import World

__all__ = ["Tenure"]


class Tenure:
    """An executor's trust in its own lease; renewed, ended and awaited on the engine's loop."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._until = -math.inf
        self._renewed = asyncio.Event()

    @property
    def is_sure(self) -> bool:
        """Whether the lease has not run out, whatever others think. On any thread."""
        return self._world.monotonic() < self._until

    def renew(self, until: float) -> None:
        """The lease lasts until then, by this machine's monotonic clock, if not longer."""
        self._until = max(self._until, until)
        self._renewed.set()

    def end(self) -> None:
        """The executor was declared dead: nothing is sure until it has a lease again."""
        self._until = -math.inf

    async def sure(self) -> None:
        """Wait until the lease surely lasts."""
        while not self.is_sure:
            self._renewed.clear()
            await self._renewed.wait()
