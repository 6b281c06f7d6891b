"""What is refused once is refused at every replay; what was cancelled before it began does not begin."""

from __future__ import annotations

import asyncio
import threading

import pytest

from durably import aio
from durably.app import App
from durably.decorators import AsyncWorkflow
from durably.engine.workers import Workers
from durably.errors import Deduplicated, WorkflowTimeout
from tests.engine.support import eventually, rows, status

RECORDED = (
    "SELECT function_id, function_name FROM dbos.operation_outputs WHERE workflow_uuid = 'w' ORDER BY 1"
)


def application(url: str) -> tuple[App, AsyncWorkflow[[], str]]:
    app = App("a", system_database_url=url, grace=0)
    queue = app.queue("nobody's", worker_concurrency=1)

    @app.workflow(name="child")
    async def child() -> None: ...

    @app.workflow(name="w")
    async def workflow() -> str:
        try:
            await child.options(queue_name=queue.name, deduplication_id="id", delay=3600).start()
        except Deduplicated as error:
            refused = type(error).__name__
        else:
            refused = "started"
        await aio.recv("go", timeout=None)
        return refused

    return app, workflow


async def test_a_child_that_was_refused_is_refused_at_replay(database_url: str) -> None:
    """The workflow that held the deduplication id has ended meanwhile."""
    rows(
        database_url,
        "INSERT INTO dbos.workflow_status (workflow_uuid, status, name, queue_name, deduplication_id) "
        "VALUES ('holder', 'DELAYED', 'child', 'nobody''s', 'id')",
    )
    app, workflow = application(database_url)
    async with app:
        await workflow.options(workflow_id="w").start()
        await eventually(lambda: rows(database_url, RECORDED))
    assert rows(database_url, RECORDED) == [(1, "child")]
    rows(database_url, "DELETE FROM dbos.workflow_status WHERE workflow_uuid = 'holder'")
    app, _ = application(database_url)
    async with app:
        await app.client.send("w", None, topic="go")
        assert await app.client.retrieve_workflow("w").get_result() == "Deduplicated"
    assert status(database_url, "w-1") is None


async def test_a_wait_within_a_step_has_its_timeout(database_url: str) -> None:
    app = App("a", system_database_url=database_url)

    @app.workflow(name="endless")
    async def endless() -> None:
        await aio.recv("never", timeout=None)

    @app.workflow(name="w")
    async def workflow() -> str:
        handle = await endless.start()

        async def impatient() -> str:
            with pytest.raises(WorkflowTimeout):
                await handle.get_result(timeout=0.05)
            return "over"

        return await aio.run_step("impatient", impatient)

    async with app:
        assert await asyncio.wait_for(workflow(), 15) == "over"


async def test_a_job_that_is_cancelled_before_it_began_does_not_begin() -> None:
    ran: list[str] = []
    release = threading.Event()
    workers = Workers(1)
    busy = asyncio.ensure_future(workers.run(release.wait))
    cancelled = asyncio.ensure_future(workers.run(lambda: ran.append("cancelled")))
    last = asyncio.ensure_future(workers.run(lambda: ran.append("last")))
    await asyncio.sleep(0)
    cancelled.cancel()
    await asyncio.wait([cancelled])
    release.set()
    await asyncio.gather(busy, last)
    workers.stop()
    assert ran == ["last"]
