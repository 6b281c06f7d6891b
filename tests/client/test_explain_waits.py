"""What a running workflow waits for: told by its process's heartbeats, and forgotten with the wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from durably import AsyncDBOSClient, Retry, aio
from durably.app import App
from tests.engine.support import enqueue, eventually, rows, status

TOLD = "SELECT count(*) FROM durably.waits"


@pytest.fixture
async def client(database_url: str) -> AsyncIterator[AsyncDBOSClient]:
    async with AsyncDBOSClient.create(system_database_url=database_url) as client:
        yield client


def application(url: str) -> App:
    app = App("waits", system_database_url=url, lease=1.5, grace=0)
    app.queue("q")

    @app.step(name="charge", retry=Retry(attempts=2, interval=600))
    async def charge() -> None:
        raise ConnectionError("away")

    @app.step(name="charge blocking", retry=Retry(attempts=2, interval=600))
    def charge_blocking() -> None:
        raise ConnectionError("away")

    @app.workflow(name="message")
    async def message() -> str:
        return str(await aio.recv("approval", timeout=3600))

    @app.workflow(name="any message")
    async def any_message() -> None:
        await aio.recv(timeout=None)

    @app.workflow(name="event")
    async def event() -> None:
        await aio.get_event("message", "stage", timeout=3600)

    @app.workflow(name="timer")
    async def timer() -> None:
        await aio.sleep(3600)

    @app.workflow(name="child")
    async def child() -> None:
        await timer.options(workflow_id="the child")()

    @app.workflow(name="stream")
    async def stream() -> None:
        async for _ in aio.read_stream("message", "lines"):
            pass

    @app.workflow(name="first")
    async def first() -> None:
        await aio.first_of(yes=aio.on_message("yes"), late=aio.on_timer(3600))

    @app.step(name="look up")
    async def look_up() -> None:
        await asyncio.Event().wait()

    @app.workflow(name="first with a step")
    async def first_with_a_step() -> None:
        await aio.first_of(yes=aio.on_message("yes"), found=aio.on_step(look_up))

    @app.workflow(name="gathered")
    async def gathered() -> None:
        await asyncio.gather(aio.sleep(3600), aio.get_event("message", "stage", timeout=3600))

    @app.workflow(name="as completed")
    async def as_completed() -> None:
        children = [await timer.options(workflow_id=f"child {n}").start() for n in (1, 2)]
        async for _ in aio.as_completed(children):
            pass

    @app.workflow(name="retry")
    async def retry() -> None:
        await charge()

    @app.workflow(name="blocking retry")
    def blocking_retry() -> None:
        charge_blocking()

    @app.workflow(name="again", retry=Retry(attempts=3, interval=600))
    async def again() -> None:
        raise ValueError("no such seat")

    return app


@pytest.mark.parametrize(
    ("name", "reason", "message"),
    [
        ("message", "message", "it waits for a message on topic 'approval', until "),
        ("any message", "message", "it waits for a message; since "),
        ("event", "event", "it waits for event 'stage' of workflow message, until "),
        ("timer", "timer", "it waits for a timer, until "),
        ("child", "child", "it waits for the end of its child the child; since "),
        ("stream", "stream", "it waits for the next value of stream 'lines' of workflow message; since "),
        ("first", "message", "it waits for a message on topic 'yes', or a timer, until "),
        (
            "first with a step",
            "message",
            "it waits for a message on topic 'yes', or the end of step 'look up'",
        ),
        ("gathered", "timer", "it waits for a timer, or event 'stage' of workflow message, until "),
        (
            "as completed",
            "child",
            "it waits for the end of its child child 1, or the end of its child child 2; since ",
        ),
        ("retry", "retry", "it waits for the next attempt of step 'charge', which failed, until "),
        ("blocking retry", "retry", "it waits for the next attempt of step 'charge blocking', which failed"),
        ("again", "retry", "it failed once and is tried again at "),
    ],
)
async def test_what_a_workflow_waits_for_is_named(
    client: AsyncDBOSClient, database_url: str, name: str, reason: str, message: str
) -> None:
    app = application(database_url)
    async with app:
        for each in dict.fromkeys(("message", name)):
            enqueue(database_url, each, each)
        explained = await client.explain(name)
        for _ in range(500):
            if explained.message.startswith(message):
                break
            await asyncio.sleep(0.02)
            explained = await client.explain(name)
    assert (explained.reason, explained.message[: len(message)]) == (reason, message)


async def test_what_is_over_or_dead_is_forgotten(client: AsyncDBOSClient, database_url: str) -> None:
    async with application(database_url):
        for n in range(3):
            enqueue(database_url, f"w{n}", "message")
        await eventually(lambda: rows(database_url, TOLD) == [(3,)])
        await client.send("w0", "yes", topic="approval")
        await eventually(lambda: status(database_url, "w0") == "SUCCESS")
        await eventually(lambda: rows(database_url, TOLD) == [(2,)])
        await client.pause_workflow("w1")
        assert (await client.explain("w1")).reason == "paused"
    assert rows(database_url, TOLD) == [(0,)]
    assert (await client.explain("w2")).reason == "no_worker"
