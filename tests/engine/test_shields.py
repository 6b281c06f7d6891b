"""Cleanup code of a cancelled workflow runs and is recorded; where its run goes on elsewhere it does not."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from durably import App, aio, sync
from durably.errors import InvalidOption, RunInterrupted, WrongContext
from tests.engine.support import eventually, is_interrupted, rows, status, waits

STEPS = """SELECT function_id, function_name, output, error FROM dbos.operation_outputs
    WHERE workflow_uuid = %s ORDER BY 1"""
OWNER = "SELECT owner_xid FROM dbos.workflow_status WHERE workflow_uuid = %s"
FIRST = 1_000_000_001


@pytest.fixture
def app(database_url: str) -> App:
    return App("a", system_database_url=database_url, grace=0.2)


class Trip:
    """A workflow of each colour that books, waits, and takes the booking back when it is cancelled."""

    def __init__(self, app: App, *, timeout: float = 30.0) -> None:
        self.app = app
        self.log: list[str] = []
        self.ended = threading.Event()

        @app.step(name="book")
        async def book(what: str) -> str:
            self.log.append(f"book {what}")
            return what

        @app.step(name="cancel booking")
        async def unbook(what: str) -> str:
            self.log.append(f"unbook {what}")
            return what

        @app.step(name="book")
        def book_blocking(what: str) -> str:
            self.log.append(f"book {what}")
            return what

        @app.step(name="cancel booking")
        def unbook_blocking(what: str) -> str:
            self.log.append(f"unbook {what}")
            return what

        @app.workflow(name="async trip")
        async def trip() -> str:
            await book("flight")
            try:
                await aio.recv("go", timeout=None)
            except BaseException:
                self.log.append("stopped")
                async with aio.shield(timeout):
                    self.log.append("shielded")
                    await unbook("flight")
                    await aio.sleep(0.01)
                    await aio.set_event("state", "taken back")
                    self.ended.set()
                raise
            return "gone"

        @app.workflow(name="blocking trip")
        def blocking_trip() -> str:
            book_blocking("flight")
            try:
                sync.recv("go", timeout=None)
            except BaseException:
                self.log.append("stopped")
                with sync.shield(timeout):
                    self.log.append("shielded")
                    unbook_blocking("flight")
                    sync.sleep(0.01)
                    sync.set_event("state", "taken back")
                    self.ended.set()
                raise
            return "gone"

        self.trip, self.blocking_trip = trip, blocking_trip

    async def start(self, colour: str) -> None:
        if colour == "async":
            await self.trip.options(workflow_id="w").start()
        else:
            await asyncio.to_thread(self.blocking_trip.options(workflow_id="w").start)
        await eventually(lambda: waits(self.app, "w"))


both = pytest.mark.parametrize("colour", ["async", "blocking"])
CLEANUP = [
    (FIRST, "cancel booking", '"flight"', None),
    (FIRST + 1, "DBOS.sleep"),
    (FIRST + 2, "DBOS.setEvent", None, None),
]


def operations(url: str) -> list[tuple[Any, ...]]:
    return [row[:2] if row[1] == "DBOS.sleep" else row for row in rows(url, STEPS, "w") if row[0] > 3]


@both
async def test_cleanup_of_a_cancelled_workflow_runs_and_is_recorded(
    app: App, database_url: str, colour: str
) -> None:
    trip = Trip(app)
    async with app:
        await trip.start(colour)
        await app.client.cancel_workflow("w")
        await eventually(trip.ended.is_set)
        await eventually(lambda: rows(database_url, OWNER, "w") == [(None,)])
        assert await app.client.get_event("w", "state", timeout_seconds=5) == "taken back"
    assert status(database_url, "w") == "CANCELLED"
    assert operations(database_url) == CLEANUP
    assert trip.log == ["book flight", "stopped", "shielded", "unbook flight"]


@both
async def test_cleanup_is_not_for_a_run_that_goes_on_elsewhere(
    app: App, database_url: str, colour: str
) -> None:
    """Its process ends: the workflow does not, so nothing is taken back."""
    trip = Trip(app)
    async with app:
        await trip.start(colour)
    await eventually(lambda: "stopped" in trip.log)
    assert trip.log == ["book flight", "stopped"]
    assert status(database_url, "w") == "ENQUEUED"
    assert operations(database_url) == []


@both
async def test_a_resumed_workflow_knows_nothing_of_cleanup_before(
    app: App, database_url: str, colour: str
) -> None:
    """And a second cancellation cleans up again, under the next numbers."""
    trip = Trip(app)
    async with app:
        await trip.start(colour)
        await app.client.cancel_workflow("w")
        await eventually(lambda: rows(database_url, OWNER, "w") == [(None,)] and trip.ended.is_set())
        trip.ended.clear()
        await app.client.resume_workflow("w")
        await eventually(lambda: status(database_url, "w") == "PENDING")
        await eventually(lambda: waits(app, "w"))
        await app.client.cancel_workflow("w")
        await eventually(trip.ended.is_set)
        await eventually(lambda: rows(database_url, OWNER, "w") == [(None,)])
        assert [row[0] for row in operations(database_url)] == [FIRST + n for n in range(6)]
        await app.client.resume_workflow("w")
        await app.client.send("w", None, topic="go")
        assert await app.client.retrieve_workflow("w").get_result(timeout=10) == "gone"
    assert trip.log.count("book flight") == 1


async def test_a_fork_and_a_rewind_know_nothing_of_cleanup(app: App, database_url: str) -> None:
    trip = Trip(app)
    async with app:
        await trip.start("async")
        await app.client.cancel_workflow("w")
        await eventually(lambda: rows(database_url, OWNER, "w") == [(None,)] and trip.ended.is_set())
        await app.client.fork_workflow("w", start_step="failure", new_workflow_id="fork")
        await app.client.send("fork", None, topic="go")
        assert await app.client.retrieve_workflow("fork").get_result(timeout=10) == "gone"
        await app.client.rewind_workflow("w", start_step="failure")
        assert operations(database_url) == []
        await app.client.send("w", None, topic="go")
        assert await app.client.retrieve_workflow("w").get_result(timeout=10) == "gone"
    assert trip.log.count("book flight") == 1
    assert {row[0] for row in rows(database_url, STEPS, "fork")} <= {1, 2, 3}


async def test_a_scope_puts_off_the_cancellation_that_comes_inside(app: App, database_url: str) -> None:
    """Its operations keep their ordinary numbers: a resumed workflow replays them."""
    inside, go_on = asyncio.Event(), asyncio.Event()
    log: list[str] = []

    @app.step(name="pay")
    async def pay() -> str:
        inside.set()
        await go_on.wait()
        return "paid"

    @app.step(name="note")
    async def note(text: str) -> None:
        log.append(text)

    @app.workflow(name="w")
    async def workflow() -> None:
        async with aio.shield():
            await note(await pay())
        log.append("went on")
        await note("too far")

    async with app:
        await workflow.options(workflow_id="w").start()
        await inside.wait()
        await app.client.cancel_workflow("w")
        await eventually(lambda: is_interrupted(app, "w"))
        go_on.set()
        await eventually(lambda: log)
        await eventually(lambda: rows(database_url, OWNER, "w") == [(None,)])
    assert log == ["paid"]
    assert [row[:2] for row in rows(database_url, STEPS, "w")] == [(1, "pay"), (2, "note")]
    assert status(database_url, "w") == "CANCELLED"


async def test_a_blocking_scope_puts_off_the_cancellation_that_comes_inside(
    app: App, database_url: str
) -> None:
    inside, go_on = threading.Event(), threading.Event()
    log: list[str] = []

    @app.step(name="pay")
    def pay() -> str:
        inside.set()
        go_on.wait(10)
        log.append(f"asked to end: {sync.cancel_requested()}")
        return "paid"

    @app.workflow(name="w")
    def workflow() -> None:
        with sync.shield():
            log.append(pay())
            sync.sleep(0)
        log.append("went on")

    async with app:
        await asyncio.to_thread(workflow.options(workflow_id="w").start)
        await asyncio.to_thread(inside.wait, 10)
        await app.client.cancel_workflow("w")
        await eventually(lambda: is_interrupted(app, "w"))
        go_on.set()
        await eventually(lambda: len(rows(database_url, STEPS, "w")) == 2)
        await eventually(lambda: rows(database_url, OWNER, "w") == [(None,)])
    assert log == ["asked to end: False", "paid"]


async def test_a_workflow_that_ends_well_takes_no_notice_of_its_scopes(app: App, database_url: str) -> None:
    @app.workflow(name="w")
    async def workflow() -> str:
        async with aio.shield(), aio.shield(timeout=1):
            await aio.sleep(0)
        return "well"

    async with app:
        assert await workflow.options(workflow_id="w")() == "well"
    assert [row[:2] for row in rows(database_url, STEPS, "w")] == [(1, "DBOS.sleep")]


@both
async def test_cleanup_has_its_time_and_no_more(app: App, database_url: str, colour: str) -> None:
    ended: list[str] = []
    began = threading.Event()

    @app.workflow(name="async")
    async def endless() -> None:
        try:
            began.set()
            await aio.sleep(3600)
        finally:
            try:
                async with aio.shield(timeout=0.1):
                    await aio.sleep(3600)
            except asyncio.CancelledError:
                ended.append("interrupted")

    @app.workflow(name="blocking")
    def blocking_endless() -> None:
        try:
            began.set()
            sync.sleep(3600)
        finally:
            try:
                with sync.shield(timeout=0.1):
                    sync.sleep(3600)
            except RunInterrupted:
                ended.append("interrupted")

    async with app:
        if colour == "async":
            await endless.options(workflow_id="w").start()
        else:
            await asyncio.to_thread(blocking_endless.options(workflow_id="w").start)
        await asyncio.to_thread(began.wait, 10)
        await asyncio.sleep(0.05)
        await app.client.cancel_workflow("w")
        await eventually(lambda: ended)
        await eventually(lambda: rows(database_url, OWNER, "w") == [(None,)])
        await eventually(lambda: not app._engine_running().executor.running)


async def test_resuming_ends_the_cleanup_under_way(app: App, database_url: str) -> None:
    cleaning, runs = asyncio.Event(), list[int]()

    @app.workflow(name="w")
    async def workflow() -> str:
        runs.append(1)
        if len(runs) == 2:
            return "resumed"
        try:
            await aio.sleep(3600)
        finally:
            async with aio.shield():
                cleaning.set()
                await aio.sleep(0.3)
                await aio.set_event("state", "never")
        return ""

    async with app:
        handle = await workflow.options(workflow_id="w").start()
        await eventually(lambda: rows(database_url, STEPS, "w"))
        await app.client.cancel_workflow("w")
        await asyncio.wait_for(cleaning.wait(), 5)
        await app.client.resume_workflow("w")
        assert await handle.get_result() == "resumed"
    assert rows(database_url, "SELECT key FROM dbos.workflow_events WHERE workflow_uuid = 'w'") == []


async def test_a_process_that_dies_cleaning_up_leaves_a_workflow_that_can_be_resumed(
    app: App, database_url: str
) -> None:
    trip = Trip(app)
    async with app:
        await trip.start("async")
        await app.client.cancel_workflow("w")
        await eventually(trip.ended.is_set)
        await eventually(lambda: rows(database_url, OWNER, "w") == [(None,)])
        rows(database_url, "UPDATE dbos.workflow_status SET owner_xid = 'dead' WHERE workflow_uuid = 'w'")
        await app.client.resume_workflow("w")
        await app.client.send("w", None, topic="go")
        assert await app.client.retrieve_workflow("w").get_result(timeout=10) == "gone"


async def test_scopes_belong_into_workflows(app: App) -> None:
    @app.step(name="s")
    async def step() -> None:
        async with aio.shield():
            pass

    @app.workflow(name="w")
    async def workflow(where: str) -> None:
        if where == "step":
            await step()
        elif where == "sync":
            with sync.shield():
                pass
        else:
            aio.shield(timeout=0)

    async with app:
        with pytest.raises(WrongContext, match="put it around the step"):
            await workflow("step")
        with pytest.raises(WrongContext, match=r"await the function of the same name in durably\.aio"):
            await workflow("sync")
        with pytest.raises(InvalidOption, match=r"timeout=0: it must be more than 0"):
            await workflow("timeout")
    with pytest.raises(WrongContext, match="inside a workflow only"):
        aio.shield()
