"""What a newcomer gets wrong is refused where it is written, in the newcomer's words."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from durably import aio
from durably.app import App
from durably.errors import InvalidOption, WrongContext


async def double(n: int) -> int:
    return 2 * n


def test_an_async_workflow_is_awaited_on_any_loop(database_url: str) -> None:
    """A script's `with app` has the application on a thread: asyncio.run is another loop."""
    app = App("a", system_database_url=database_url)
    doubled = app.workflow(name="double")(double)

    async def started() -> int:
        handle = await doubled.start(2)
        return await asyncio.wait_for(handle.get_result(), 15)

    with app:
        assert asyncio.run(asyncio.wait_for(doubled(1), 15)) == 2
        assert asyncio.run(started()) == 4


def test_decorators_need_their_parentheses() -> None:
    app: Any = App("a")
    with pytest.raises(TypeError, match=r"@app\.workflow\(\) above double"):
        app.workflow(double)
    with pytest.raises(TypeError, match=r"@app\.step\(\) above double"):
        app.step(double)


def test_an_option_that_does_not_exist() -> None:
    doubled = App("a").workflow(name="double")(double)
    with pytest.raises(TypeError, match=r"'double' is started with workflow_id, .*; there is no workflow_ID"):
        doubled.options(workflow_ID="w")


async def test_colours_are_not_mixed(database_url: str) -> None:
    app = App("a", system_database_url=database_url)
    doubled = app.workflow(name="double")(double)
    step = app.step(name="step")(double)

    @app.workflow(name="w")
    def workflow(which: int) -> None:
        (lambda: aio.sleep(1), lambda: step(1), lambda: doubled(1))[which]()

    async with app:
        with pytest.raises(WrongContext, match=r"workflow 'w' is a `def` one: .*asyncio\.to_thread"):
            workflow(0)
        for which, name in enumerate(("DBOS.sleep", "step", "double")):
            with pytest.raises(WrongContext, match=f"{name} has to be awaited, and workflow 'w'"):
                await asyncio.to_thread(workflow, which)


async def test_a_forgotten_await_is_an_error(database_url: str) -> None:
    """The step did not happen, so the workflow has not done what it says."""
    app = App("mistakes", system_database_url=database_url)
    ran: list[int] = []

    @app.step(name="charge")
    async def charge(cents: int) -> int:
        ran.append(cents)
        return cents

    @app.workflow(name="forgetful")
    async def forgetful() -> str:
        charge(1)  # type: ignore[unused-coroutine]
        await charge(2)
        return "done"

    async with app:
        with pytest.raises(WrongContext, match="'forgetful' called 'charge' and never awaited it"):
            await forgetful()
    assert ran == [2]


@pytest.mark.parametrize(
    ("options", "option"),
    [
        ({"workflow_id": " "}, "workflow_id"),
        ({"workflow_id": "x" * 256}, "workflow_id"),
        ({"timeout": -1}, "timeout"),
        ({"priority": 1}, "priority"),
        ({"delay": 5}, "delay"),
        ({"queue_name": "q", "priority": 0}, "priority"),
        ({"queue_name": "q", "delay": float("nan")}, "delay"),
        ({"queue_name": "q", "duplication_policy": "return-existing"}, "duplication_policy"),
    ],
)
async def test_an_impossible_option_is_refused(
    database_url: str, options: dict[str, Any], option: str
) -> None:
    app = App("mistakes", system_database_url=database_url)

    @app.workflow(name="idle")
    async def idle() -> None: ...

    async with app:
        with pytest.raises(InvalidOption, match=option) as refused:
            await idle.options(**options).start()
        assert refused.value.option == option
        assert await app.client.count_workflows() == 0


async def test_a_deduplicated_start_returns_the_holder(database_url: str) -> None:
    app = App("mistakes", system_database_url=database_url)
    held = {"queue_name": "nobody", "deduplication_id": "one", "duplication_policy": "return-existing"}

    @app.workflow(name="idle")
    async def idle() -> None: ...

    @app.workflow(name="parent")
    async def parent() -> str:
        return (await idle.options(**held).start()).workflow_id

    async with app:
        first = await idle.options(**held).start()
        assert (await idle.options(**held).start()).workflow_id == first.workflow_id
        handle = await parent.start()
        assert await handle.get_result() == first.workflow_id
        (step,) = await handle.steps()
        assert step.child_workflow_id == first.workflow_id
