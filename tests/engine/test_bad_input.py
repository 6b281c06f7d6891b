"""What is wrong in a workflow's code gets an error that names workflow, step or option, and what to do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from durably import aio, sync
from durably.app import App
from durably.errors import EncodeError, InvalidOption, WrongContext
from tests.engine.support import eventually, rows

OUTSIDE = "this call works inside a workflow only; from outside use a client"

ASYNC_CALLS: dict[str, Callable[[], Any]] = {
    "recv": lambda: aio.recv("t"),
    "send": lambda: aio.send("w", 1),
    "set_event": lambda: aio.set_event("k", 1),
    "get_event": lambda: aio.get_event("w", "k"),
    "sleep": lambda: aio.sleep(1),
    "now": aio.now,
    "uuid4": aio.uuid4,
    "random": aio.random,
    "run_step": lambda: aio.run_step("s", print),
    "workflow_id": aio.workflow_id,
    "context": aio.context,
    "client": aio.client,
    "patch": lambda: aio.patch("p"),
    "shield": aio.shield,
}
BLOCKING_CALLS: dict[str, Callable[[], Any]] = {
    "recv": lambda: sync.recv("t"),
    "set_event": lambda: sync.set_event("k", 1),
    "sleep": lambda: sync.sleep(1),
    "now": sync.now,
}


@pytest.fixture
def app(database_url: str) -> App:
    return App("mistakes", system_database_url=database_url, threads=2)


@pytest.mark.parametrize("name", ASYNC_CALLS)
async def test_outside_of_a_workflow(name: str) -> None:
    with pytest.raises(WrongContext, match=OUTSIDE):
        ASYNC_CALLS[name]()


@pytest.mark.parametrize("name", BLOCKING_CALLS)
def test_outside_of_a_blocking_workflow(name: str) -> None:
    with pytest.raises(WrongContext, match=OUTSIDE):
        BLOCKING_CALLS[name]()


async def test_a_blocking_call_on_the_loop_names_the_one_to_await(app: App) -> None:
    @app.workflow(name="w")
    async def w() -> None:
        sync.sleep(1)

    async with app:
        with pytest.raises(
            WrongContext,
            match=r"DBOS\.sleep was called through durably\.sync in an async workflow, .* durably\.aio",
        ):
            await w()


async def test_an_async_step_in_a_blocking_workflow(app: App) -> None:
    @app.step(name="charge")
    async def charge() -> None: ...

    @app.workflow(name="w")
    def w() -> None:
        charge()  # type: ignore[unused-coroutine]

    async with app:
        with pytest.raises(WrongContext, match=r"charge has to be awaited, and workflow 'w' is a `def` one"):
            await asyncio.to_thread(w)


async def test_a_blocking_step_in_an_async_workflow(app: App) -> None:
    @app.step(name="charge")
    def charge() -> None: ...

    @app.workflow(name="w")
    async def w() -> None:
        charge()

    async with app:
        with pytest.raises(
            WrongContext, match="step 'charge' blocks, and its workflow is async: make the step"
        ):
            await w()


async def test_a_step_inside_a_step_is_a_part_of_it(app: App, database_url: str) -> None:
    """A plain call, as in DBOS: one outcome, one row."""

    @app.step(name="inner")
    async def inner() -> int:
        return 1

    @app.step(name="outer")
    async def outer() -> int:
        return await inner() + await aio.run_step("third", lambda: 1)

    @app.workflow(name="w")
    async def w() -> int:
        return await outer()

    async with app:
        assert await w() == 2
    assert rows(database_url, "SELECT function_name FROM dbos.operation_outputs") == [("outer",)]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: aio.sleep(1), r"DBOS\.sleep does not work inside a step: a step is one outcome"),
        (lambda: aio.recv("t"), r"DBOS\.recv does not work inside a step: a step is one outcome"),
    ],
    ids=["sleep", "recv"],
)
async def test_what_a_step_cannot_do(app: App, call: Callable[[], Any], said: str) -> None:
    @app.step(name="charge")
    async def charge() -> None:
        await call()

    @app.workflow(name="w")
    async def w() -> None:
        await charge()

    async with app:
        with pytest.raises(WrongContext, match=said):
            await w()


async def test_a_workflow_that_a_step_starts(app: App) -> None:
    @app.workflow(name="child")
    async def child() -> None: ...

    @app.step(name="charge")
    async def charge() -> None:
        await child.start()

    @app.workflow(name="w")
    async def w() -> None:
        await charge()

    async with app:
        with pytest.raises(WrongContext, match="workflow 'child' cannot be started inside a step"):
            await w()


async def test_a_result_that_cannot_be_stored_names_its_step_and_place(app: App) -> None:
    @app.step(name="charge")
    async def charge() -> Any:
        return {"receipts": [1, object()]}

    @app.workflow(name="of_step")
    async def of_step() -> None:
        await charge()

    @app.workflow(name="of_workflow")
    async def of_workflow() -> Any:
        return {"receipts": [1, object()]}

    async with app:
        with pytest.raises(EncodeError, match=r"result of step 'charge'.*receipts.*1.*object"):
            await of_step()
        with pytest.raises(EncodeError, match=r"result of workflow 'of_workflow'.*receipts.*1.*object"):
            await of_workflow()
        with pytest.raises(EncodeError, match=r"arguments.*object"):
            await of_workflow.start(object())  # type: ignore[call-arg]


async def test_code_that_is_not_deterministic_is_told_with_both_operations(
    app: App, database_url: str
) -> None:
    asked: list[str] = []

    @app.step(name="charge")
    async def charge() -> None: ...

    @app.step(name="refund")
    async def refund() -> None: ...

    @app.workflow(name="w")
    async def w() -> None:
        asked.append("again")
        await (charge() if len(asked) == 1 else refund())
        await aio.recv("go", timeout=30)

    async with app:
        await w.options(workflow_id="w").start()
        await eventually(lambda: rows(database_url, "SELECT 1 FROM dbos.operation_outputs"))
        assert await app.client.cancel_workflow("w")
        await app.client.resume_workflow("w")
        await eventually(lambda: rows(database_url, "SELECT 1 FROM durably.stranded_workflows"))
        [stranded] = await app.client.list_stranded()
    assert (stranded.function_id, stranded.recorded, stranded.asked) == (1, "charge", "refund")
    assert "charge" in stranded.explanation and "refund" in stranded.explanation


@pytest.mark.parametrize("timeout", [0, -1, float("nan")])
async def test_a_timeout_of_nothing(app: App, timeout: float) -> None:
    @app.workflow(name="w")
    async def w() -> None: ...

    with pytest.raises(InvalidOption, match="timeout"):
        app.step(name="charge", timeout=timeout)(lambda: None)
    async with app:
        with pytest.raises(InvalidOption, match="timeout"):
            await w.options(timeout=timeout).start()


async def test_an_instant_without_a_zone() -> None:
    with pytest.raises(InvalidOption, match="a naive datetime names no instant"):
        aio.on_timer(datetime(2026, 5, 1))
