"""When steps are tried again, and how the pauses between are told."""

from __future__ import annotations

import itertools
import time
from typing import Any

import pytest

from durably import App, Retry, RetryAfter
from durably.errors import InvalidOption, StepRetriesExhausted


@pytest.fixture
def app(database_url: str) -> App:
    return App("a", system_database_url=database_url)


async def test_a_step_says_itself_when_to_be_tried_again(app: App) -> None:
    begun: list[float] = []

    @app.step(name="call", retry=Retry(attempts=3, interval=3600, on=KeyError))
    async def call() -> str:
        begun.append(time.monotonic())
        if len(begun) < 3:
            raise RetryAfter(0.05) from ConnectionError("busy")
        return "answer"

    @app.workflow(name="w")
    async def workflow() -> str:
        return await call()

    async with app:
        assert await workflow() == "answer"
    assert all(later - sooner >= 0.05 for sooner, later in itertools.pairwise(begun))


async def test_a_step_that_asks_to_be_tried_again_needs_no_retry_and_has_an_end(app: App) -> None:
    begun: list[int] = []

    @app.step(name="call")
    async def call() -> None:
        begun.append(1)
        raise RetryAfter(0.001)

    @app.workflow(name="w")
    async def workflow() -> None:
        await call()

    async with app:
        with pytest.raises(StepRetriesExhausted, match=r"'call' failed 3 times.*tried again in 0\.001 s"):
            await workflow()
    assert len(begun) == 3


async def test_an_error_that_is_never_worth_it_is_the_outcome_at_once(app: App) -> None:
    begun: list[int] = []

    @app.step(name="call", retry=Retry(attempts=5, on=OSError, give_up_on=ConnectionRefusedError))
    async def call() -> None:
        begun.append(1)
        raise ConnectionRefusedError("no such port")

    @app.workflow(name="w")
    async def workflow() -> None:
        await call()

    async with app:
        with pytest.raises(ConnectionRefusedError, match="no such port"):
            await workflow()
    assert len(begun) == 1


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), "5"])
def test_a_timeout_of_zero_or_less_is_refused(app: App, timeout: Any) -> None:
    with pytest.raises(InvalidOption, match="timeout="):

        @app.step(timeout=timeout)
        async def step() -> None: ...

    @app.workflow(name="w")
    async def workflow() -> None: ...

    with pytest.raises(InvalidOption, match="timeout="):
        workflow.options(timeout=timeout)._call.check()
