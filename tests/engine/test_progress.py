"""Long steps tell that they are alive, and their next attempt begins where the last one was."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from durably import App, Retry, aio, sync
from durably.errors import InvalidOption, StepHeartbeatTimeout, WrongContext
from tests.engine.support import Statements, eventually, rows

SAVED = "SELECT workflow_uuid, function_id, progress FROM durably.step_progress"


def application(database_url: str) -> App:
    return App("a", system_database_url=database_url, grace=0)


@pytest.mark.parametrize("colour", ["async", "blocking"])
async def test_the_next_attempt_begins_where_the_last_one_was(database_url: str, colour: str) -> None:
    app, seen = application(database_url), list[Any]()

    @app.step(name="copy", retry=Retry(attempts=3, interval=0))
    async def copy() -> str:
        start = await aio.saved_progress(type=int) or 0
        seen.append(start)
        await aio.heartbeat(start + 10)
        if start < 20:
            raise OSError("cut off")
        return "copied"

    @app.step(name="copy", retry=Retry(attempts=3, interval=0))
    def copy_blocking() -> str:
        start = sync.saved_progress(type=int) or 0
        seen.append(start)
        sync.heartbeat(start + 10)
        if start < 20:
            raise OSError("cut off")
        return "copied"

    @app.workflow(name="async")
    async def workflow() -> str:
        return await copy()

    @app.workflow(name="blocking")
    def blocking_workflow() -> str:
        return copy_blocking()

    async with app:
        result = await (workflow() if colour == "async" else asyncio.to_thread(blocking_workflow))
    assert (result, seen) == ("copied", [0, 10, 20])
    assert rows(database_url, SAVED) == []


async def test_what_is_saved_outlives_the_process(database_url: str) -> None:
    saved, seen = asyncio.Event(), list[Any]()

    def process() -> App:
        app = application(database_url)

        @app.step(name="copy")
        async def copy() -> str:
            seen.append(await aio.saved_progress())
            if seen[-1] is not None:
                return "copied"
            await aio.heartbeat({"file": "a.txt", "line": 7})
            saved.set()
            await asyncio.Event().wait()
            return ""

        @app.workflow(name="w")
        async def workflow() -> str:
            return await copy()

        app.w = workflow  # type: ignore[attr-defined]
        return app

    async with (first := process()):
        await first.w.options(workflow_id="w").start()  # type: ignore[attr-defined]
        await asyncio.wait_for(saved.wait(), 10)
    assert rows(database_url, SAVED) == [("w", 1, '{"file":"a.txt","line":7}')]
    async with (second := process()):
        assert await second.client.retrieve_workflow("w").get_result(timeout=10) == "copied"
    assert seen == [None, {"file": "a.txt", "line": 7}]
    assert rows(database_url, SAVED) == []


async def test_a_step_that_is_silent_for_too_long_has_timed_out(database_url: str) -> None:
    app = application(database_url)

    @app.step(name="beats", heartbeat_timeout=0.2)
    async def beats() -> str:
        for _ in range(4):
            await asyncio.sleep(0.1)
            await aio.heartbeat()
        return "alive"

    @app.step(name="is silent", heartbeat_timeout=0.1)
    async def is_silent() -> None:
        await aio.heartbeat(1)
        await asyncio.Event().wait()

    @app.workflow(name="w")
    async def workflow() -> str:
        alive = await beats()
        with pytest.raises(StepHeartbeatTimeout, match=r"step 'is silent' sent no heartbeat for 0\.1 s"):
            await is_silent()
        return alive

    async with app:
        assert await workflow() == "alive"
    assert rows(database_url, SAVED) == []


async def test_a_blocking_step_that_is_silent_for_too_long_is_asked_to_end(database_url: str) -> None:
    app, asked = application(database_url), list[bool]()

    @app.step(name="works", heartbeat_timeout=0.5)
    def works() -> str:
        sync.heartbeat(1)
        asked.append(sync.cancel_requested())
        while not sync.cancel_requested():
            threading.Event().wait(0.005)
        sync.heartbeat(2)  # too late to be alive again
        asked.append(sync.cancel_requested())
        return "half"

    @app.workflow(name="w")
    def workflow() -> None:
        works()

    async with app:
        with pytest.raises(StepHeartbeatTimeout):
            await asyncio.to_thread(workflow)
    assert asked == [False, True]


async def test_a_heartbeat_of_a_run_that_is_over_ends_the_step(database_url: str) -> None:
    app = application(database_url)
    began, cancelled, ended = threading.Event(), threading.Event(), threading.Event()

    @app.step(name="works")
    def works() -> None:
        began.set()
        cancelled.wait(10)
        try:
            while True:
                sync.heartbeat(1)
        finally:
            ended.set()

    @app.workflow(name="w")
    def workflow() -> None:
        works()

    async with app:
        await asyncio.to_thread(workflow.options(workflow_id="w").start)
        await asyncio.to_thread(began.wait, 10)
        await app.client.cancel_workflow("w")
        cancelled.set()
        assert await asyncio.to_thread(ended.wait, 10)


async def test_heartbeats_of_many_steps_share_commits(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = application(database_url)

    @app.step(name="s")
    async def step(n: int) -> int:
        await asyncio.gather(*(aio.heartbeat([n, k]) for k in range(20)))
        return (await aio.saved_progress(type=list[int]) or [])[1]

    @app.workflow(name="w")
    async def workflow() -> list[int]:
        return list(await asyncio.gather(*(step(n) for n in range(20))))

    async with app:
        statements = Statements(monkeypatch)
        assert await workflow() == [19] * 20  # the last one counts
        assert statements.with_("steps/save_progress") < 20
    assert rows(database_url, SAVED) == []


async def test_what_steps_saved_of_workflows_that_are_gone_goes_at_the_next_start(database_url: str) -> None:
    async with application(database_url):
        rows(
            database_url, "INSERT INTO durably.step_progress VALUES ('gone', 1, '1', 'portable_json', now())"
        )
    async with application(database_url):
        await eventually(lambda: rows(database_url, SAVED) == [])


async def test_heartbeats_belong_into_steps(database_url: str) -> None:
    app = application(database_url)

    @app.workflow(name="w")
    async def workflow(what: str) -> None:
        await (aio.heartbeat(1) if what == "heartbeat" else aio.saved_progress())

    async with app:
        for what in ("heartbeat", "saved_progress"):
            with pytest.raises(WrongContext, match=f"{what} works inside a step only"):
                await workflow(what)
    with pytest.raises(WrongContext, match="inside a step only"):
        sync.heartbeat()
    with pytest.raises(InvalidOption, match=r"heartbeat_timeout=0: it must be more than 0"):
        app.step(heartbeat_timeout=0)(lambda: None)
