"""How an application is, in this process: read from any thread, also while the event loop is blocked."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from durably.observing import Observer, State, Vitals

if TYPE_CHECKING:
    from durably.engine.engine import Engine
    from durably.engine.leases import Leases

__all__ = ["VitalSigns"]

TICK = 0.5  # seconds between two looks at how late the loop is


class VitalSigns:
    """Measures the loop that it is started on, and reads the other signs where they are."""

    def __init__(self, engine: Engine, leases: Leases, observer: Observer) -> None:
        self._engine = engine
        self._leases = leases
        self._observer = observer
        self._monotonic = engine.world.monotonic
        self._due = self._monotonic()
        self._lag = 0.0
        self._alarm: asyncio.TimerHandle | None = None
        self._began = self._stopped = False

    def start(self) -> None:
        """Begin to measure, on the loop."""
        self._expect()

    def stop(self) -> None:
        """Measure no more."""
        self._stopped = True
        if self._alarm is not None:
            self._alarm.cancel()

    def _expect(self) -> None:
        self._due = self._monotonic() + TICK
        self._alarm = asyncio.get_running_loop().call_later(TICK, self._tick)

    def _tick(self) -> None:
        self._lag = max(0.0, self._monotonic() - self._due)
        self._observer.loop_lagged(self._lag)
        self._expect()

    def read(self) -> Vitals:
        """The signs of this moment."""
        engine, leases, now = self._engine, self._leases, self._monotonic()
        identity = engine.identity
        return Vitals(
            state=self._state(),
            application_name=identity.application_name,
            app_version=identity.app_version,
            executor_id=identity.executor_id,
            running=len(engine.executor.running),
            parked=engine.executor.parked,
            capacity=engine.dispatcher.capacity,
            pending_records=engine.writer.pending,
            loop_lag=max(self._lag, now - self._due),
            lease=identity.lease_seconds,
            lease_age=None if leases.renewed is None else now - leases.renewed,
            database_error=leases.trouble or engine.writer.trouble,
        )

    def _state(self) -> State:
        if self._stopped:
            return "stopped"
        self._began |= self._engine.is_running
        if self._engine.is_running:
            return "running"
        return "draining" if self._began else "stopped"
