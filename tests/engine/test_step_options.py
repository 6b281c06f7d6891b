"""Steps of any function with options: attempts and times beside the function's own arguments."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from durably import App, Retry, aio, sync
from durably.errors import (
    InvalidOption,
    StepHeartbeatTimeout,
    StepRetriesExhausted,
    StepTimeout,
    WrongContext,
)
from tests.engine.support import rows

RECORDED = "SELECT function_id, function_name, output FROM dbos.operation_outputs ORDER BY 1"
QUICK = Retry(attempts=3, interval=0.001)


@pytest.fixture
def app(database_url: str) -> App:
    return App("a", system_database_url=database_url, threads=4, grace=0)


class Flaky:
    """Fails a few times, whatever it is given."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.calls = 0

    def __call__(self, name: str, *, timeout: int, retry: str) -> list[Any]:
        self.calls += 1
        if self.calls <= self.failures:
            raise ConnectionError("busy")
        return [name, timeout, retry]

    async def later(self, name: str, *, timeout: int, retry: str) -> list[Any]:
        return self(name, timeout=timeout, retry=retry)


async def test_a_step_of_any_function_is_tried_again(app: App, database_url: str) -> None:
    """The function's own arguments may have the options' names."""
    flaky = Flaky(2)

    @app.workflow(name="w")
    async def workflow() -> list[Any]:
        careful = aio.step_options(retry=QUICK)
        return await careful.run_step("call", flaky.later, "n", timeout=7, retry="r")

    async with app:
        assert await workflow() == ["n", 7, "r"]
    assert flaky.calls == 3
    assert rows(database_url, RECORDED) == [(1, "call", '["n",7,"r"]')]


async def test_a_step_of_any_function_is_tried_again_in_a_blocking_workflow(
    app: App, database_url: str
) -> None:
    flaky = Flaky(2)

    @app.workflow(name="w")
    def workflow() -> list[Any]:
        return sync.step_options(retry=QUICK).run_step("call", flaky, "n", timeout=7, retry="r")

    async with app:
        assert await asyncio.to_thread(workflow) == ["n", 7, "r"]
    assert flaky.calls == 3
    assert rows(database_url, RECORDED) == [(1, "call", '["n",7,"r"]')]


async def test_attempts_have_an_end_and_without_options_there_is_one(app: App) -> None:
    flaky = Flaky(9)

    @app.workflow(name="w")
    async def workflow(careful: bool) -> None:
        options = aio.step_options(retry=QUICK) if careful else aio.step_options()
        await options.run_step("call", flaky, "n", timeout=7, retry="r")

    async with app:
        with pytest.raises(StepRetriesExhausted, match=r"'call' failed 3 times.*ConnectionError: busy"):
            await workflow(True)
        with pytest.raises(ConnectionError, match="busy"):
            await workflow(False)
    assert flaky.calls == 4


async def test_a_step_of_any_function_has_a_timeout(app: App) -> None:
    @app.workflow(name="async")
    async def workflow() -> None:
        await aio.step_options(timeout=0.05).run_step("wait", asyncio.Event().wait)

    @app.workflow(name="blocking")
    def blocking() -> None:
        sync.step_options(timeout=0.05).run_step("wait", time.sleep, 0.1)

    async with app:
        with pytest.raises(StepTimeout, match=r"'wait' did not end within 0\.05 s"):
            await workflow()
        with pytest.raises(StepTimeout, match=r"'wait' did not end within 0\.05 s"):
            await asyncio.to_thread(blocking)


async def test_a_step_of_any_function_that_is_silent_fails(app: App) -> None:
    async def silent() -> None:
        await aio.heartbeat()
        await asyncio.Event().wait()

    @app.workflow(name="w")
    async def workflow() -> None:
        await aio.step_options(heartbeat_timeout=0.05).run_step("silent", silent)

    async with app:
        with pytest.raises(StepHeartbeatTimeout, match="'silent' sent no heartbeat"):
            await workflow()


async def test_a_function_may_have_a_parameter_called_name(app: App) -> None:
    def greet(name: str, function: str) -> str:
        return f"{name}, {function}"

    @app.workflow(name="w")
    async def workflow() -> str:
        return await aio.run_step("greet", greet, name="Ada", function="engineer")

    async with app:
        assert await workflow() == "Ada, engineer"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"retry": 5}, r"retry=5.*Retry\(attempts=5\)"),
        ({"timeout": 0}, "timeout=0"),
        ({"heartbeat_timeout": -1}, "heartbeat_timeout=-1"),
    ],
)
def test_an_option_that_cannot_be_is_refused(options: dict[str, Any], message: str) -> None:
    for module in (aio, sync):
        with pytest.raises(InvalidOption, match=message):
            module.step_options(**options)


def test_steps_are_for_workflows() -> None:
    with pytest.raises(WrongContext, match="inside a workflow only"):
        sync.step_options().run_step("call", Flaky(0), "n", timeout=7, retry="r")
