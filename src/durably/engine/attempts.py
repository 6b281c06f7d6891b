"""One attempt of a step: until when it may go on, and what it saves on the way."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from durably.errors import StepHeartbeatTimeout, StepTimeout

if TYPE_CHECKING:
    from durably.core.ports import World

__all__ = ["Attempt"]


class Attempt:
    """The time that an attempt has: `limit` seconds in all, `silence` seconds between two heartbeats."""

    def __init__(self, world: World, step: str, limit: float | None, silence: float | None) -> None:
        now = world.monotonic()
        self._world = world
        self._step = step
        self._limit, self._silence = limit, silence
        self._end = None if limit is None else now + limit
        self._quiet = None if silence is None else now + silence
        self._watch: asyncio.Timeout | None = None

    @property
    def is_late(self) -> bool:
        """Whether its time is up."""
        due = self._due
        return due is not None and self._world.monotonic() >= due

    @property
    def error(self) -> StepTimeout:
        """Why its time is up."""
        if self._quiet is not None and self._due == self._quiet:
            return StepHeartbeatTimeout(self._step, self._silence or 0.0)
        return StepTimeout(self._step, self._limit or 0.0)

    def beat(self) -> None:
        """It is alive: the silence begins anew."""
        if self._silence is None or self.is_late:
            return
        self._quiet = self._world.monotonic() + self._silence
        if self._watch is not None and not self._watch.expired():
            self._watch.reschedule(self._at_loop_time())

    def watch(self) -> asyncio.Timeout:
        """Interrupts an attempt on the loop when its time is up."""
        self._watch = asyncio.timeout_at(self._at_loop_time())
        return self._watch

    def _at_loop_time(self) -> float | None:
        due = self._due
        return None if due is None else asyncio.get_running_loop().time() + due - self._world.monotonic()

    @property
    def _due(self) -> float | None:
        instants = [instant for instant in (self._end, self._quiet) if instant is not None]
        return min(instants, default=None)
