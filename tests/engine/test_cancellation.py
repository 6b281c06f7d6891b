"""Cancellation: noticed at once, wherever the run stands, and also where no notice comes."""

from __future__ import annotations

import asyncio
import time

import pytest

from durably import App, aio
from tests.engine.support import eventually, rows, waits

PEER_CANCELS = """UPDATE dbos.workflow_status SET status = 'CANCELLED', owner_xid = NULL, queue_name = NULL,
    deduplication_id = NULL, started_at_epoch_ms = NULL, completed_at = 1 WHERE workflow_uuid = %s"""


def waiting(app: App, stopped: list[float]) -> None:
    begun: list[float] = []
    app.begun = begun  # type: ignore[attr-defined]

    @app.step(name="works")
    async def works() -> None:
        begun.append(time.monotonic())
        await asyncio.Event().wait()

    @app.workflow(name="child")
    async def child() -> None:
        await aio.recv("never", timeout=None)

    @app.workflow(name="w")
    async def workflow(how: str) -> None:
        try:
            match how:
                case "step":
                    await works()
                case "sleep":
                    await aio.sleep(3600)
                case "recv":
                    await aio.recv("never", timeout=None)
                case "child":
                    await child()
        except asyncio.CancelledError:
            stopped.append(time.monotonic())
            raise

    app.w = workflow  # type: ignore[attr-defined]


async def stopping(app: App, how: str, stopped: list[float]) -> float:
    """Seconds from the call that cancels to the run's own cleanup."""
    stopped.clear()
    app.begun.clear()  # type: ignore[attr-defined]
    handle = await app.w.start(how)  # type: ignore[attr-defined]
    id_ = handle.workflow_id
    await eventually(lambda: app.begun if how == "step" else waits(app, id_))  # type: ignore[attr-defined]
    begun = time.monotonic()
    await app.client.cancel_workflow(handle.workflow_id)
    await eventually(lambda: stopped)
    return stopped[0] - begun


@pytest.mark.parametrize("how", ["step", "sleep", "recv", "child"])
async def test_a_cancelled_run_stops_within_milliseconds(database_url: str, how: str) -> None:
    app, stopped = App("a", system_database_url=database_url), list[float]()
    waiting(app, stopped)
    async with app:
        took = [await stopping(app, how, stopped) for _ in range(4)]
    assert min(took) < 0.1  # the first one may come before this process listens
    assert rows(database_url, "SELECT count(*) FROM dbos.workflow_status WHERE status = 'CANCELLED'") == [
        (4,)
    ]


@pytest.mark.parametrize("listen", [True, False])
async def test_a_cancellation_without_a_notice_is_seen_by_the_next_pulse(
    database_url: str, listen: bool
) -> None:
    """As DBOS's own clients cancel; and where LISTEN does not work."""
    app, stopped = App("a", system_database_url=database_url, listen=listen), list[float]()
    waiting(app, stopped)
    async with app:
        await app.w.options(workflow_id="w").start("step")  # type: ignore[attr-defined]
        await eventually(lambda: app.begun)  # type: ignore[attr-defined]
        rows(database_url, PEER_CANCELS, "w")
        await eventually(lambda: stopped, seconds=4)
    assert rows(database_url, "SELECT FROM dbos.operation_outputs WHERE workflow_uuid = 'w'") == []
