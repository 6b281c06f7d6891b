"""Workflows of both colours: steps, retries, children, messages, events, and what a replay makes of them."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from durably import aio, sync
from durably.app import App
from durably.errors import (
    ArgumentsIgnored,
    NoSuchWorkflow,
    StepRetriesExhausted,
    StepTimeout,
    WorkflowConflict,
    WrongContext,
)
from durably.types import Retry
from tests.engine.support import eventually, rows, status

NAMES = "SELECT function_id, function_name FROM dbos.operation_outputs WHERE workflow_uuid = %s ORDER BY 1"


@pytest.fixture
def app(database_url: str) -> App:
    app = App("workflows", system_database_url=database_url, threads=4)
    app.queue("q")
    return app


# -- steps -------------------------------------------------------------------------------------------------


async def test_a_step_is_tried_again_as_its_rule_says(app: App, database_url: str) -> None:
    tries: list[float] = []

    @app.step(name="flaky", retry=Retry(attempts=3, interval=0.05, backoff=2.0, jitter=0.0))
    async def flaky() -> int:
        tries.append(time.monotonic())
        if len(tries) < 3:
            raise ConnectionError("not yet")
        return len(tries)

    @app.workflow(name="retries")
    async def retries() -> int:
        return await flaky()

    async with app:
        assert await retries.options(workflow_id="w")() == 3
    first, second = tries[1] - tries[0], tries[2] - tries[1]
    assert first >= 0.049 and second >= 0.099
    assert rows(database_url, NAMES, "w") == [(1, "flaky")]


async def test_a_step_that_keeps_failing_says_so(app: App) -> None:
    @app.step(name="hopeless", retry=Retry(attempts=2, interval=0.001))
    async def hopeless() -> None:
        raise ConnectionError("no")

    @app.workflow(name="tries")
    async def tries() -> str:
        try:
            await hopeless()
        except StepRetriesExhausted as error:
            return str(error)
        return ""

    async with app:
        assert "failed 2 times" in await tries()


async def test_only_errors_of_the_rule_are_tried_again(app: App) -> None:
    calls: list[str] = []

    @app.step(name="picky", retry=Retry(attempts=5, interval=0.001, on=lambda e: "again" in str(e)))
    async def picky(message: str) -> None:
        calls.append(message)
        raise ValueError(message if len(calls) < 2 else "final")

    @app.workflow(name="picks")
    async def picks() -> str:
        with pytest.raises(ValueError, match="final") as caught:
            await picky("again")
        return str(caught.value)

    async with app:
        assert await picks() == "final"
    assert len(calls) == 2


async def test_a_step_has_a_timeout(app: App) -> None:
    interrupted: list[bool] = []

    @app.step(name="slow", timeout=0.05)
    async def slow() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            interrupted.append(True)
            raise

    @app.workflow(name="waits")
    async def waits() -> str:
        try:
            await slow()
        except StepTimeout as error:
            return type(error).__name__
        return ""

    async with app:
        assert await waits() == "StepTimeout"
    assert interrupted == [True]


# -- children and order ------------------------------------------------------------------------------------


async def test_gather_numbers_in_call_order_and_replays(app: App, database_url: str) -> None:
    bodies: list[str] = []

    @app.step(name="echo")
    async def echo(value: str, seconds: float) -> str:
        bodies.append(value)
        await asyncio.sleep(seconds)
        return value

    @app.workflow(name="child")
    async def child(value: str) -> str:
        return value

    @app.workflow(name="parent")
    async def parent() -> list[str]:
        gathered = await asyncio.gather(echo("slow", 0.1), child("c"), echo("fast", 0.0), child("d"))
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(echo(value, 0.0)) for value in "xy"]
        await aio.recv("go", timeout=None)
        return [*gathered, *(task.result() for task in tasks)]

    async with app:
        handle = await parent.options(workflow_id="p").start()
        await eventually(lambda: len(rows(database_url, NAMES, "p")) == 8)
    async with app:
        await app.client.send("p", None, "go")
        assert await app.client.retrieve_workflow("p").get_result(timeout=10) == [
            *("slow", "c", "fast", "d"),
            *("x", "y"),
        ]
    assert handle.workflow_id == "p"
    assert rows(database_url, NAMES, "p")[:6] == [
        (1, "echo"),
        (2, "child"),
        (3, "DBOS.getResult"),
        (4, "echo"),
        (5, "child"),
        (6, "DBOS.getResult"),
    ]
    assert sorted(bodies) == ["fast", "slow", "x", "y"]


async def test_a_childs_failure_is_the_parents_to_handle(app: App) -> None:
    @app.workflow(name="fails")
    async def fails() -> None:
        raise ValueError("child")

    @app.workflow(name="handles")
    async def handles() -> str:
        try:
            await fails()
        except ValueError as error:
            return str(error)
        return ""

    async with app:
        assert await handles() == "child"


async def test_an_id_is_one_workflow(app: App) -> None:
    runs: list[int] = []

    @app.workflow(name="once")
    async def once(n: int) -> int:
        runs.append(n)
        return n

    @app.workflow(name="other")
    async def other() -> None:
        pass

    async with app:
        again = once.options(workflow_id="same")
        assert list(await asyncio.gather(again(1), again(1), again(1))) == [1, 1, 1]
        with pytest.raises(WorkflowConflict):
            await other.options(workflow_id="same")()
        with pytest.warns(ArgumentsIgnored) as caught:
            handle = await again.start(2)
        assert [each.filename for each in caught] == [__file__]
        assert (handle.created, handle.arguments_ignored) == (False, True)
        with pytest.warns(ArgumentsIgnored):
            assert await again(2) == 1
    assert runs == [1]


def test_a_blocking_start_tells_of_arguments_that_were_dropped(app: App) -> None:
    @app.workflow(name="once")
    def once(n: int) -> int:
        return n

    with app:
        again = once.options(workflow_id="same")
        assert again.start(1).created is True
        with pytest.warns(ArgumentsIgnored) as caught:
            handle = again.start(2)
        assert [each.filename for each in caught] == [__file__]
        assert (handle.created, handle.arguments_ignored) == (False, True)
        assert again.options(workflow_id_reuse_policy="return-existing").start(2).get_result() == 1


# -- messages and events -----------------------------------------------------------------------------------


async def test_messages_are_received_in_order_once_each(app: App, database_url: str) -> None:
    @app.workflow(name="receiver")
    async def receiver() -> list[Any]:
        return [await aio.recv("t", timeout=5) for _ in range(3)] + [await aio.recv("t", timeout=0)]

    @app.workflow(name="sender")
    async def sender(to: str) -> None:
        for n in range(3):
            await aio.send(to, n, "t")

    async with app:
        handle = await receiver.options(workflow_id="r").start()
        await sender("r")
        assert await handle.get_result() == [0, 1, 2, None]
    consumed = (
        "SELECT count(*) FROM dbos.notifications WHERE consumed AND consumed_by_function_id IS NOT NULL"
    )
    assert rows(database_url, consumed) == [(3,)]


async def test_waits_are_over_when_their_time_is(app: App) -> None:
    @app.workflow(name="waits")
    async def waits() -> list[Any]:
        return [
            await aio.recv("never", timeout=0.05),
            await aio.get_event("nobody", "k", timeout=0.05),
        ]

    async with app:
        began = time.monotonic()
        assert await waits() == [None, None]
        assert time.monotonic() - began >= 0.1


async def test_an_event_wakes_who_waits_for_it(app: App) -> None:
    @app.workflow(name="publisher")
    async def publisher() -> None:
        await aio.recv("go", timeout=None)
        await aio.set_event("k", 1)

    @app.workflow(name="reader")
    async def reader(of: str) -> Any:
        return await aio.get_event(of, "k", timeout=20)

    async with app:
        await publisher.options(workflow_id="p").start()
        reading = await reader.start("p")
        await app.client.send("p", None, "go")
        assert await reading.get_result(timeout=10) == 1


async def test_a_message_to_nobody_is_an_error(app: App) -> None:
    @app.workflow(name="lonely")
    async def lonely() -> str:
        try:
            await aio.send("nobody", 1)
        except NoSuchWorkflow as error:
            return error.workflow_id
        return ""

    async with app:
        assert await lonely() == "nobody"


# -- blocking workflows ------------------------------------------------------------------------------------


async def test_two_hundred_blocking_parents_wait_on_four_threads(app: App) -> None:
    """A parent that waits for its child gives its thread's place back, or this would stand still."""

    @app.step(name="double")
    def double(n: int) -> int:
        return 2 * n

    @app.workflow(name="child")
    def child(n: int) -> int:
        return double(n)

    @app.workflow(name="parent")
    def parent(n: int) -> int:
        return child(n) + 1

    async with app:
        handles = [await asyncio.to_thread(parent.start, n) for n in range(200)]
        results = await asyncio.gather(
            *(app.client.retrieve_workflow(handle.workflow_id).get_result(timeout=40) for handle in handles)
        )
    assert results == [2 * n + 1 for n in range(200)]


async def test_blocking_workflows_have_the_same_operations(app: App, database_url: str) -> None:
    @app.workflow(name="blocking")
    def blocking() -> list[Any]:
        sync.set_event("k", 1)
        sync.sleep(0.01)
        return [sync.recv("never", timeout=0.01), sync.get_event(sync.workflow_id(), "k", timeout=1)]

    async with app:
        handle = await asyncio.to_thread(blocking.options(workflow_id="b").start)
        assert await asyncio.to_thread(handle.get_result, 10) == [None, 1]
    assert [name for _, name in rows(database_url, NAMES, "b")] == [
        *("DBOS.setEvent", "DBOS.sleep", "DBOS.recv", "DBOS.sleep", "DBOS.getEvent", "DBOS.sleep")
    ]


async def test_a_blocking_call_on_the_loop_is_refused(app: App) -> None:
    @app.workflow(name="mixed")
    async def mixed() -> str:
        try:
            sync.sleep(1)
        except WrongContext as error:
            return str(error)
        return ""

    async with app:
        assert "aio" in await mixed()


async def test_a_workflow_is_not_started_inside_a_step(app: App) -> None:
    @app.workflow(name="inner")
    async def inner() -> None:
        pass

    @app.step(name="wrong")
    async def wrong() -> None:
        await inner()

    @app.workflow(name="outer")
    async def outer() -> str:
        try:
            await wrong()
        except WrongContext as error:
            return str(error)
        return ""

    async with app:
        assert "inside a step" in await outer()


async def test_a_result_that_cannot_be_stored_is_an_error_with_its_path(app: App, database_url: str) -> None:
    @app.workflow(name="odd")
    async def odd() -> Any:
        return {"a": [object()]}

    async with app:
        handle = await odd.options(workflow_id="w").start()
        with pytest.raises(Exception, match="object"):
            await handle.get_result(timeout=10)
    assert status(database_url, "w") == "ERROR"
