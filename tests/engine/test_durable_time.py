"""Sleeps, timeouts and deadlines: on the database's clock, and not begun anew by a restart."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from durably import App, aio
from durably.errors import WorkflowCancelled, WorkflowTimeout
from tests.engine.support import eventually, rows, status

WAITS: dict[str, Callable[[float], Awaitable[object]]] = {
    "sleep": aio.sleep,
    "sleep_until": lambda seconds: aio.sleep_until(datetime.now(UTC) + timedelta(seconds=seconds)),
    "recv": lambda seconds: aio.recv("never", timeout=seconds),
    "get_event": lambda seconds: aio.get_event("idle", "never", timeout=seconds),
    "get_result": lambda seconds: aio.client().retrieve_workflow("idle").get_result(timeout=seconds),
}
TIMERS = """
    SELECT output::float8 FROM dbos.operation_outputs
    WHERE workflow_uuid = 'w' AND function_name = 'DBOS.sleep'"""
DEADLINE = "SELECT workflow_deadline_epoch_ms / 1000.0 FROM dbos.workflow_status WHERE workflow_uuid = 'w'"


def application(database_url: str, wait: str, seconds: float, ended: list[float]) -> App:
    app = App("a", system_database_url=database_url, grace=0)

    @app.workflow(name="idle")
    async def idle() -> None:
        await aio.recv("stop", timeout=None)

    @app.workflow(name="w")
    async def workflow() -> str:
        try:
            await WAITS[wait](seconds)
        except WorkflowTimeout:
            pass
        ended.append(time.time())
        return "over"

    app.idle, app.waits = idle, workflow  # type: ignore[attr-defined]
    return app


@pytest.mark.parametrize("wait", WAITS)
async def test_a_wait_goes_on_where_it_was_after_a_restart(database_url: str, wait: str) -> None:
    """The instant is recorded once; the second process waits for the rest, not for the whole again."""
    ended: list[float] = []
    first = application(database_url, wait, 0.8, ended)
    async with first:
        await first.idle.options(workflow_id="idle").start()  # type: ignore[attr-defined]
        await first.waits.options(workflow_id="w").start()  # type: ignore[attr-defined]
        await eventually(lambda: rows(database_url, TIMERS))
    before = rows(database_url, TIMERS)
    second = application(database_url, wait, 0.8, ended)
    async with second:
        assert await second.client.retrieve_workflow("w").get_result(timeout=10) == "over"
    assert rows(database_url, TIMERS) == before
    [(wake,)] = before
    assert wake - 0.05 <= ended[0] < wake + 1.0


async def test_a_deadline_goes_on_through_a_restart(database_url: str) -> None:
    ended: list[float] = []
    first = application(database_url, "sleep", 3600, ended)
    async with first:
        await first.waits.options(workflow_id="w", timeout=1.0).start()  # type: ignore[attr-defined]
        before = rows(database_url, DEADLINE)
    assert status(database_url, "w") == "ENQUEUED"
    second = application(database_url, "sleep", 3600, ended)
    async with second:
        with pytest.raises(WorkflowCancelled):
            await second.client.retrieve_workflow("w").get_result(timeout=10)
        over = time.time()
    assert rows(database_url, DEADLINE) == before
    assert before[0][0] <= over < float(before[0][0]) + 1.0
    assert ended == []


@pytest.mark.parametrize("seconds", [0.15, 0.6])
async def test_a_deadline_is_met_to_the_moment(database_url: str, seconds: float) -> None:
    """An idle process looks every 1.7 s, and earlier where something is due."""
    app = App("a", system_database_url=database_url)
    stopped: list[float] = []

    @app.workflow(name="w")
    async def workflow() -> None:
        try:
            await aio.sleep(3600)
        except asyncio.CancelledError:
            stopped.append(time.monotonic())
            raise

    async with app:
        await eventually(lambda: app._engine_running().hub._pulse_pace > 1)  # it has come to rest
        begun = time.monotonic()
        await workflow.options(timeout=seconds).start()
        await eventually(lambda: stopped)
    assert seconds - 0.02 <= stopped[0] - begun < seconds + 0.4


async def test_a_step_of_each_colour_has_its_time_in_each_attempt(database_url: str) -> None:
    """A restart begins the attempt, and with it its time, anew: nothing of an attempt is recorded."""
    app = App("a", system_database_url=database_url)
    begun = asyncio.Event()

    @app.step(name="slow", timeout=0.2)
    async def slow() -> None:
        begun.set()
        await asyncio.Event().wait()

    @app.workflow(name="w")
    async def workflow() -> str:
        try:
            await slow()
        except TimeoutError as error:
            return str(error)
        return "in time"

    async with app:
        assert await workflow() == "step 'slow' did not end within 0.2 s"
