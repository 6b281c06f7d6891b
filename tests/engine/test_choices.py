"""`first_of` and `as_completed`: what is first, what becomes of the others, that a replay decides alike."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from durably import aio, sync
from durably.app import App
from durably.errors import DecodeError, InvalidOption, WrongContext
from durably.types import First
from tests.engine.support import eventually, rows, status

RECORDED = "SELECT function_id, function_name, output FROM dbos.operation_outputs"
NAMES = f"{RECORDED} WHERE workflow_uuid = %s ORDER BY 1"
WAITED = "SELECT 1 FROM dbos.operation_outputs WHERE function_name = 'DBOS.waitFirst' AND output = %s"
UNREAD = "SELECT topic, message FROM dbos.notifications WHERE NOT consumed ORDER BY topic"


@dataclass(frozen=True)
class Decision:
    approved: bool


@pytest.fixture
def app(database_url: str) -> App:
    app = App("choices", system_database_url=database_url, threads=4)
    app.queue("q")
    return app


def recorded(url: str, workflow_id: str = "w") -> list[tuple[int, str]]:
    return [(number, name) for number, name, _ in rows(url, NAMES, workflow_id)]


async def replay(app: App, url: str, workflow_id: str = "w") -> Any:
    """Run it again on what it recorded, as after a crash behind its last operation."""
    rows(url, "DELETE FROM dbos.workflow_output WHERE workflow_uuid = %s", workflow_id)
    rows(
        url,
        "UPDATE dbos.workflow_status SET status = 'ENQUEUED', queue_name = '_dbos_internal_queue'"
        " WHERE workflow_uuid = %s",
        workflow_id,
    )
    return await app.client.retrieve_workflow(workflow_id).get_result(timeout=20)


async def test_a_message_is_first_and_the_other_topic_keeps_its_own(app: App, database_url: str) -> None:
    @app.workflow(name="chooses")
    async def chooses() -> list[Any]:
        first = await aio.first_of(
            reject=aio.on_message("reject"),
            approve=aio.on_message("approve", type=Decision),
            late=aio.on_timer(3600),
        )
        assert isinstance(first.value, Decision)
        return [first.name, first.value.approved, await aio.recv("reject", timeout=20)]

    async with app:
        handle = await chooses.options(workflow_id="w").start()
        await handle.send(Decision(approved=True), "approve")
        await eventually(lambda: (1, "durably.firstOf") in recorded(database_url))
        await handle.send("too late", "reject")
        assert await handle.get_result() == ["approve", True, "too late"]
        assert recorded(database_url) == [
            (1, "durably.firstOf"),
            (3, "DBOS.recv"),
            (4, "DBOS.sleep"),
            (5, "DBOS.recv"),
            (6, "DBOS.sleep"),
        ]
        assert await replay(app, database_url) == ["approve", True, "too late"]


async def test_a_message_that_is_there_is_taken_by_the_choice_named_first(
    app: App, database_url: str
) -> None:
    @app.workflow(name="chooses")
    async def chooses() -> list[Any]:
        await aio.recv("ready", timeout=20)
        first = await aio.first_of(a=aio.on_message("a"), b=aio.on_message("b"))
        return [first.name, first.value]

    async with app:
        handle = await chooses.options(workflow_id="w").start()
        await handle.send(2, "b")
        await handle.send(1, "a")
        await handle.send(None, "ready")
        assert await handle.get_result() == ["a", 1]
    assert rows(database_url, UNREAD) == [("b", "2")]


@pytest.mark.parametrize("duration", [0.05, timedelta(seconds=0.05), "instant"])
async def test_a_timer_is_first(app: App, database_url: str, duration: Any) -> None:
    wake = datetime.now(UTC) + timedelta(seconds=0.05) if duration == "instant" else duration

    @app.workflow(name="chooses")
    async def chooses() -> Any:
        first = await aio.first_of(news=aio.on_message("news"), late=aio.on_timer(wake))
        return [first.name, first.value]

    async with app:
        assert await chooses.options(workflow_id="w")() == ["late", None]
        assert recorded(database_url) == [(1, "durably.firstOf"), (3, "DBOS.sleep")]
        await app.client.send("w", "late", "news")
        assert await replay(app, database_url) == ["late", None]


async def test_a_timer_keeps_its_instant_over_a_restart(database_url: str) -> None:
    def build() -> tuple[App, Any]:
        app = App("choices", system_database_url=database_url)

        @app.workflow(name="chooses")
        async def chooses() -> str:
            return (await aio.first_of(news=aio.on_message("news"), late=aio.on_timer(3600))).name

        return app, chooses

    app, chooses = build()
    app._settings.grace = 0.0
    async with app:
        await chooses.options(workflow_id="w").start()
        await eventually(lambda: recorded(database_url))
    before = rows(database_url, NAMES, "w")
    rows(database_url, "UPDATE dbos.operation_outputs SET output = (output::float8 - 3600)::text")
    app, _ = build()
    async with app:
        assert await app.client.retrieve_workflow("w").get_result(timeout=20) == "late"
    assert before[0][:2] == (3, "DBOS.sleep")


async def test_a_workflow_is_first_and_the_others_go_on(app: App, database_url: str) -> None:
    @app.workflow(name="child")
    async def child(word: str) -> str:
        return f"{word} {await aio.recv('go', timeout=20)}"

    @app.workflow(name="chooses")
    async def chooses() -> list[Any]:
        slow, quick = await child.start("slow"), await child.start("quick")
        await aio.send(quick.workflow_id, "now", "go")
        first = await aio.first_of(slow=aio.on_result(slow), quick=aio.on_result(quick))
        await aio.send(slow.workflow_id, "then", "go")
        return [first.name, first.value, await slow.get_result()]

    async with app:
        expected = ["quick", "quick now", "slow then"]
        assert await chooses.options(workflow_id="w")() == expected
        assert await replay(app, database_url) == expected
    [(_, _, output)] = [row for row in rows(database_url, NAMES, "w") if row[0] == 6]
    assert json.loads(output) == "quick now"


async def test_a_workflow_that_fails_first_raises_and_raises_again(app: App, database_url: str) -> None:
    @app.workflow(name="fails")
    async def fails() -> None:
        raise LookupError("no such shelf")

    @app.workflow(name="chooses")
    async def chooses() -> str:
        try:
            await aio.first_of(child=aio.on_result(await fails.start()), late=aio.on_timer(3600))
        except LookupError as error:
            return str(error)
        return ""

    async with app:
        assert await chooses.options(workflow_id="w")() == "no such shelf"
        assert await replay(app, database_url) == "no such shelf"


async def test_an_event_is_first(app: App, database_url: str) -> None:
    @app.workflow(name="publishes")
    async def publishes() -> None:
        await aio.set_event("stage", {"n": 1})
        await aio.recv("go", timeout=20)

    @app.workflow(name="chooses")
    async def chooses() -> Any:
        first = await aio.first_of(
            other=aio.on_event("p", "other"), stage=aio.on_event("p", "stage"), end=aio.on_result("p")
        )
        return [first.name, first.value]

    async with app:
        publisher = await publishes.options(workflow_id="p").start()
        assert await chooses.options(workflow_id="w")() == ["stage", {"n": 1}]
        await publisher.send(None, "go")
        await publisher.get_result()
        assert await replay(app, database_url) == ["stage", {"n": 1}]
    assert recorded(database_url) == [(1, "durably.firstOf"), (3, "DBOS.getEvent")]


async def test_a_step_is_first_and_a_slower_one_is_cancelled_without_a_record(
    app: App, database_url: str
) -> None:
    ended: list[str] = []

    @app.step(name="ask")
    async def ask(name: str, seconds: float) -> str:
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            ended.append(f"{name} cancelled")
            raise
        return name

    @app.workflow(name="chooses")
    async def chooses() -> list[Any]:
        first = await aio.first_of(slow=aio.on_step(ask, "slow", 60), quick=aio.on_step(ask, "quick", 0.01))
        return [first.name, first.value]

    async with app:
        assert await chooses.options(workflow_id="w")() == ["quick", "quick"]
        assert await replay(app, database_url) == ["quick", "quick"]
    assert ended == ["slow cancelled"]
    assert recorded(database_url) == [(1, "durably.firstOf"), (3, "ask")]


async def test_a_step_that_takes_too_long_and_one_that_fails(app: App) -> None:
    @app.step(name="ask")
    async def ask(fails: bool) -> None:
        if fails:
            raise ConnectionError("hung up")
        await asyncio.sleep(60)

    @app.workflow(name="chooses")
    async def chooses(fails: bool) -> str:
        try:
            return (await aio.first_of(answer=aio.on_step(ask, fails), late=aio.on_timer(0.05))).name
        except ConnectionError as error:
            return str(error)

    async with app:
        assert await chooses(False) == "late"
        assert await chooses(True) == "hung up"


async def test_the_first_one_is_remembered_when_the_decision_is_not(app: App, database_url: str) -> None:
    """A crash between the two commits: the message is consumed, so it is still the first."""

    @app.workflow(name="chooses")
    async def chooses() -> list[Any]:
        first = await aio.first_of(a=aio.on_message("a"), b=aio.on_message("b"), late=aio.on_timer(3600))
        return [first.name, first.value]

    async with app:
        handle = await chooses.options(workflow_id="w").start()
        await handle.send("mine", "b")
        assert await handle.get_result() == ["b", "mine"]
        rows(database_url, "DELETE FROM dbos.operation_outputs WHERE function_id = 1")
        await app.client.send("w", "comes now", "a")
        assert await replay(app, database_url) == ["b", "mine"]
    assert rows(database_url, UNREAD) == [("a", '"comes now"')]


async def test_a_message_that_does_not_fit_is_consumed_and_told(app: App, database_url: str) -> None:
    @app.workflow(name="chooses")
    async def chooses() -> Any:
        try:
            await aio.first_of(decision=aio.on_message("d", type=Decision))
        except DecodeError:
            return (await aio.first_of(decision=aio.on_message("d", type=Decision))).value.approved

    async with app:
        handle = await chooses.options(workflow_id="w").start()
        await handle.send("gibberish", "d")
        await handle.send(Decision(approved=False), "d")
        assert await handle.get_result() is False
        assert await replay(app, database_url) is False


async def test_a_blocking_workflow_chooses(app: App, database_url: str) -> None:
    @app.step(name="ask")
    def ask(word: str) -> str:
        return word

    @app.workflow(name="chooses")
    def chooses() -> list[Any]:
        message = sync.first_of(late=sync.on_timer(3600), news=sync.on_message("news"))
        step = sync.first_of(answer=sync.on_step(ask, "yes"), late=sync.on_timer(3600))
        timer = sync.first_of(news=sync.on_message("news"), late=sync.on_timer(0.01))
        return [message.value, step.value, timer.name]

    async with app:
        handle = await asyncio.to_thread(chooses.options(workflow_id="w").start)
        await app.client.send("w", "hear", "news")
        assert await asyncio.to_thread(handle.get_result) == ["hear", "yes", "late"]
        assert await replay(app, database_url) == ["hear", "yes", "late"]


async def test_a_wait_for_the_first_is_cancelled_with_its_workflow(app: App, database_url: str) -> None:
    @app.workflow(name="chooses")
    async def chooses() -> None:
        await aio.first_of(a=aio.on_message("a"), b=aio.on_message("b"))

    async with app:
        await chooses.options(workflow_id="w").start()
        await eventually(lambda: app._engine_running().executor.running)
        await app.client.cancel_workflow("w")
        await eventually(lambda: not app._engine_running().executor.running)
    assert status(database_url, "w") == "CANCELLED"


async def test_first_of_is_given_what_it_can_wait_for(app: App) -> None:
    async def plain() -> None: ...

    with pytest.raises(InvalidOption, match="there is nothing to wait for: name at least one"):
        await aio.first_of()
    with pytest.raises(
        InvalidOption, match="news=3: give on_message, on_timer, on_event, on_result or on_step"
    ):
        await aio.first_of(news=3)  # type: ignore[arg-type]
    with pytest.raises(WrongContext, match="plain is not a step: decorate it with @app"):
        aio.on_step(plain)
    with pytest.raises(WrongContext, match="works inside a workflow only"):
        await aio.first_of(late=aio.on_timer(1))

    @app.step(name="chooses_in_step")
    async def chooses_in_step() -> None:
        await aio.first_of(late=aio.on_timer(1))

    @app.workflow(name="chooses")
    async def chooses() -> None:
        await chooses_in_step()

    async with app:
        with pytest.raises(WrongContext, match=r"durably\.firstOf does not work inside a step"):
            await chooses()


# --- as_completed -----------------------------------------------------------------------------------------


async def test_steps_come_in_the_order_in_which_they_end_and_again_so(app: App, database_url: str) -> None:
    gates = {name: asyncio.Event() for name in "abc"}
    gates["b"].set()

    @app.step(name="ask")
    async def ask(name: str) -> str:
        await gates[name].wait()
        return name

    @app.workflow(name="collects")
    async def collects() -> list[str]:
        found = []
        async for call in aio.as_completed([ask(name) for name in "abc"]):
            found.append(await call)
            if len(found) == 1:
                gates["c"].set()
            elif len(found) == 2:
                gates["a"].set()
        return found

    async with app:
        assert await collects.options(workflow_id="w")() == ["b", "c", "a"]
        assert await replay(app, database_url) == ["b", "c", "a"]
    assert recorded(database_url)[3:] == [(n, "durably.nextCompleted") for n in (4, 5, 6)]


@pytest.mark.parametrize("colour", ["async", "def"])
async def test_workflows_come_in_the_order_in_which_they_end(
    app: App, database_url: str, colour: str
) -> None:
    @app.workflow(name="child")
    async def child(name: str) -> str:
        await aio.recv("go", timeout=30)
        return name

    @app.workflow(name="collects")
    async def collects() -> list[str]:
        handles = [await child.options(workflow_id=name).start(name) for name in "abc"]
        await aio.set_event("started", True)
        return [await handle.get_result() async for handle in aio.as_completed(handles)]

    @app.workflow(name="collects_blocking")
    def collects_blocking() -> list[str]:
        handles = [sync.client().retrieve_workflow(name) for name in "abc"]
        return [handle.get_result() for handle in sync.as_completed(handles)]

    def has_status(name: str, wanted: str) -> bool:
        return status(database_url, name) == wanted

    async with app:
        if colour == "def":
            for name in "abc":
                await child.options(workflow_id=name).start(name)
            running = asyncio.to_thread(collects_blocking.options(workflow_id="w"))
        else:
            running = collects.options(workflow_id="w")()
        task = asyncio.ensure_future(running)
        for name in "bca":
            await eventually(partial(has_status, name, "PENDING"))
            await app.client.send(name, None, "go")
            await eventually(partial(has_status, name, "SUCCESS"))
            await eventually(partial(rows, database_url, WAITED, f'"{name}"'))
        assert await task == ["b", "c", "a"]
        assert await replay(app, database_url) == ["b", "c", "a"]


async def test_a_blocking_workflow_gives_handles(app: App) -> None:
    @app.workflow(name="collects")
    def collects() -> None:
        list(sync.as_completed([1, 2]))  # type: ignore[arg-type]

    async with app:
        with pytest.raises(
            WrongContext, match="'collects' blocks, so as_completed takes handles of workflows"
        ):
            await asyncio.to_thread(collects)


def test_what_is_first_is_a_value() -> None:
    assert First("a", 1) == First("a", 1)
