"""What an interrupted run still does is nobody's outcome, however its code takes the interruption."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time

import pytest

from durably import Retry, aio, sync
from durably.app import App
from durably.decorators import AsyncWorkflow
from durably.errors import StepTimeout
from tests.engine.support import rows, status

STEPS = "SELECT function_name, output, error FROM dbos.operation_outputs WHERE workflow_uuid = %s"


@pytest.mark.parametrize("reaction", ["returns", "raises"])
async def test_a_step_that_swallows_its_cancellation_is_not_recorded(
    database_url: str, reaction: str
) -> None:
    """Clients of other libraries turn a CancelledError into an error of theirs, or into a short answer."""
    began = asyncio.Event()
    app = App("a", system_database_url=database_url, grace=0.1)

    @app.step(name="fetch")
    async def fetch() -> str:
        began.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if reaction == "raises":
                raise OSError("connection closed") from None
        return "half"

    @app.workflow(name="w")
    async def workflow() -> str:
        return await fetch()

    async with app:
        await workflow.options(workflow_id="w").start()
        await began.wait()
    assert rows(database_url, STEPS, "w") == []
    assert status(database_url, "w") == "ENQUEUED"


async def test_a_workflow_that_swallows_its_cancellation_has_not_ended(database_url: str) -> None:
    began = asyncio.Event()
    app = App("a", system_database_url=database_url, grace=0.1)

    @app.workflow(name="w")
    async def workflow() -> str:
        began.set()
        with contextlib.suppress(asyncio.CancelledError):
            await aio.sleep(3600)
        return "too early"

    async with app:
        await workflow.options(workflow_id="w").start()
        await began.wait()
    assert status(database_url, "w") == "ENQUEUED"


async def test_a_blocking_step_that_ends_because_it_was_asked_to_is_not_recorded(database_url: str) -> None:
    began, ended = threading.Event(), threading.Event()
    app = App("a", system_database_url=database_url, grace=0.1)

    @app.step(name="fetch")
    def fetch() -> str:
        began.set()
        while not sync.cancel_requested():
            ended.wait(0.001)
        return "half"

    @app.workflow(name="w")
    def workflow() -> str:
        try:
            return fetch()
        finally:
            ended.set()

    async with app:
        handle = await asyncio.to_thread(workflow.options(workflow_id="w").start)
        await asyncio.to_thread(began.wait)
        await app.client.cancel_workflow(handle.workflow_id)
        await asyncio.to_thread(ended.wait, 10)
    assert rows(database_url, STEPS, "w") == []


async def test_a_blocking_step_that_waits_for_its_next_attempt_is_interrupted_at_once(
    database_url: str,
) -> None:
    attempts: list[int] = []
    app = App("a", system_database_url=database_url)
    failed, over = threading.Event(), threading.Event()

    @app.step(name="fails", retry=Retry(attempts=2, interval=3600))
    def fails() -> None:
        attempts.append(1)
        failed.set()
        raise OSError

    @app.workflow(name="w")
    def workflow() -> None:
        try:
            fails()
        finally:
            over.set()

    async with app:
        handle = await asyncio.to_thread(workflow.options(workflow_id="w").start)
        await asyncio.to_thread(failed.wait, 10)
        await app.client.cancel_workflow(handle.workflow_id)
        assert await asyncio.to_thread(over.wait, 12)
    assert attempts == [1]
    assert rows(database_url, STEPS, "w") == []


@pytest.mark.parametrize("reaction", ["returns", "raises", "never asks"])
async def test_a_blocking_step_that_ends_too_late_has_timed_out(database_url: str, reaction: str) -> None:
    app = App("a", system_database_url=database_url)

    @app.step(name="slow", timeout=0.05)
    def slow() -> str:
        end = time.monotonic() + 0.05
        while time.monotonic() < end if reaction == "never asks" else not sync.cancel_requested():
            threading.Event().wait(0.005)
        if reaction == "raises":
            raise OSError("half way")
        return "half"

    @app.workflow(name="w")
    def workflow() -> None:
        slow()

    async with app:
        with pytest.raises(StepTimeout, match=r"step 'slow' did not end within 0\.05 s"):
            await asyncio.to_thread(workflow.options(workflow_id="w"))
    [(name, output, error)] = rows(database_url, STEPS, "w")
    assert (name, output) == ("slow", None)
    assert "StepTimeout" in error


async def test_each_attempt_of_a_blocking_step_has_its_own_time(database_url: str) -> None:
    asked: list[bool] = []
    app = App("a", system_database_url=database_url)

    @app.step(name="slow once", retry=Retry(attempts=2, interval=0, jitter=0), timeout=0.2)
    def slow_once() -> None:
        asked.append(sync.cancel_requested())
        if len(asked) == 1:
            while not sync.cancel_requested():
                threading.Event().wait(0.005)
            raise TimeoutError

    @app.workflow(name="w")
    def workflow() -> None:
        slow_once()

    async with app:
        await asyncio.to_thread(workflow)
    assert asked == [False, False]


async def test_the_lease_lasts_as_long_as_the_grace(database_url: str) -> None:
    """A run that ends within the grace of a clean stop is not taken over meanwhile."""
    bodies: list[str] = []
    began = asyncio.Event()

    def application(lease: float) -> tuple[App, AsyncWorkflow[[], str]]:
        app = App("a", system_database_url=database_url, lease=lease, grace=8)

        @app.step(name="work")
        async def work() -> str:
            bodies.append("body")
            began.set()
            await asyncio.sleep(2.5)
            return "done"

        @app.workflow(name="w")
        async def workflow() -> str:
            return await work()

        return app, workflow

    (first, workflow), (second, _) = application(lease=0.9), application(lease=30)
    async with second:
        async with first:
            await workflow.options(workflow_id="w").start()
            await began.wait()
        assert status(database_url, "w") == "SUCCESS"
    assert bodies == ["body"]
