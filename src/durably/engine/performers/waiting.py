"""What every wait of a run does: it parks, and it ends at an instant of the database's clock."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from durably.core.ports import HistoryRow, Wait
from durably.core.records import Timer

if TYPE_CHECKING:
    from durably.engine.run import Run

__all__ = ["parked", "recorded_instant", "timer", "until"]


@contextlib.contextmanager
def parked(run: Run, number: int, *waits: Wait, until: float | None = None) -> Iterator[None]:
    """While it waits a run does not count against what its executor may run; others see for what it waits."""
    run.parked += 1
    run.resources.parking(run, 1)
    try:
        with run.resources.waitlist.entry(run, number, *waits, until=until):
            yield
    finally:
        run.parked -= 1
        run.resources.parking(run, -1)


async def timer(
    run: Run, number: int, row: HistoryRow | None, *, seconds: float | None = None, until: float | None = None
) -> tuple[float, float]:
    """The instant a timer is due and the database's now. Recorded before the wait, so it outlives us."""
    if row is not None:
        return recorded_instant(row), run.resources.database_now()
    record = Timer(
        workflow_id=run.workflow_id,
        owner=run.owner,
        function_id=number,
        seconds=seconds,
        until=until,
        started_at=run.now_ms(),
    )
    wake, now = await run.record(record)
    return wake, now


def recorded_instant(row: HistoryRow) -> float:
    """Epoch seconds; DBOS for TypeScript writes milliseconds, which are told by their size."""
    instant = float(row.output or 0)
    return instant / 1000 if instant > 1e11 else instant


async def until(run: Run, news: asyncio.Future[Any], wake: float | None) -> Any:
    """What the hub has to tell, or None at the instant `wake` of the database's clock."""
    seconds = None if wake is None else max(0.0, wake - run.resources.database_now())
    try:
        async with asyncio.timeout(seconds):
            return await news
    except TimeoutError:
        return None
