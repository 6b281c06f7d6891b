"""A run knows nothing of who started it but its arguments."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar

from durably.app import App
from durably.concurrency.portal import has_calling_thread

request: ContextVar[str] = ContextVar("request", default="none")


async def test_a_callers_variables_do_not_reach_the_run(database_url: str) -> None:
    """They would be gone at a replay, and the workflow's future must not depend on them."""
    app = App("a", system_database_url=database_url)

    @app.workflow(name="child")
    async def child() -> str:
        return request.get()

    @app.workflow(name="w")
    async def workflow() -> list[str]:
        mine = request.get()
        request.set("the parent's")
        return [mine, await child()]

    async with app:
        request.set("the caller's")
        assert await workflow() == ["none", "none"]


async def test_a_run_that_a_thread_started_is_not_that_threads_call(database_url: str) -> None:
    app = App("a", system_database_url=database_url)

    @app.workflow(name="w")
    async def workflow() -> bool:
        return has_calling_thread()

    def outside() -> bool:
        with app:
            started = app._blocking(app._start, workflow.definition, (), {}, workflow._call)
            return bool(app._blocking(app.client.retrieve_workflow(started.workflow_id).get_result))

    assert await asyncio.to_thread(outside) is False
