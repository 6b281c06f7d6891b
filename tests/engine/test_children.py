"""Children: thousands of one parent, their deadlines, ids and ends, and what a replay makes of them."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from durably import App, WorkflowFilter, aio, sync
from durably.errors import WorkflowCancelled, WorkflowConflict, WorkflowIdInUse, WrongContext
from tests.engine.support import eventually, rows, status

MANY = 5_000
STEPS = """SELECT function_id, function_name, child_workflow_id FROM dbos.operation_outputs
    WHERE workflow_uuid = %s ORDER BY 1"""
DEADLINES = "SELECT workflow_deadline_epoch_ms FROM dbos.workflow_status ORDER BY workflow_uuid"
THREADS = 8  # of the application under test


@pytest.fixture
def app(database_url: str) -> App:
    return App("a", system_database_url=database_url, threads=THREADS, grace=0)


# -- thousands ---------------------------------------------------------------------------------------------


class Load:
    """The most threads and connections that there were, as they were seen while the block ran."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._before = threading.active_count()
        self.threads = self.connections = self.looks = 0

    @contextlib.asynccontextmanager
    async def watched(self) -> AsyncIterator[Load]:
        over = threading.Event()
        watcher = asyncio.create_task(asyncio.to_thread(self._watch, over))
        try:
            yield self
        finally:
            over.set()
            await watcher

    def _watch(self, over: threading.Event) -> None:
        ours = """SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()"""
        while not over.wait(0.2):
            self.threads = max(self.threads, threading.active_count() - self._before)
            self.connections = max(self.connections, rows(self._url, ours)[0][0])
            self.looks += 1


async def test_an_async_workflow_has_five_thousand_children(app: App, database_url: str) -> None:
    @app.workflow(name="child")
    async def child(n: int) -> int:
        return n

    @app.workflow(name="parent")
    async def parent() -> int:
        return sum(await asyncio.gather(*map(child, range(MANY))))

    async with app, Load(database_url).watched() as load:
        began = time.process_time()
        assert await parent.options(workflow_id="p")() == sum(range(MANY))
        took = time.process_time() - began
    check(database_url, load, took)


@pytest.mark.timeout(180)  # five seconds on an idle machine
async def test_a_blocking_workflow_has_five_thousand_children(app: App, database_url: str) -> None:
    @app.workflow(name="child")
    def child(n: int) -> int:
        return n

    @app.workflow(name="parent")
    def parent() -> int:
        handles = [child.start(n) for n in range(MANY)]
        return sum(handle.get_result() for handle in handles)

    async with app, Load(database_url).watched() as load:
        began = time.process_time()
        handle = await asyncio.to_thread(parent.options(workflow_id="p").start)
        assert await asyncio.to_thread(handle.get_result) == sum(range(MANY))
        took = time.process_time() - began
    check(database_url, load, took)


def check(url: str, load: Load, took: float) -> None:
    assert took < 30  # of CPU; it is 1 s and 5 s
    assert load.looks > 0
    assert load.threads <= THREADS + 2
    assert load.connections <= 8
    [counted] = rows(url, "SELECT count(*), count(DISTINCT child_workflow_id) FROM dbos.operation_outputs")
    assert counted == (2 * MANY, MANY)
    [children] = rows(
        url,
        "SELECT count(*) FROM dbos.workflow_status WHERE parent_workflow_id = 'p' AND status = 'SUCCESS'",
    )
    assert children == (MANY,)


# -- ends --------------------------------------------------------------------------------------------------


async def test_descendants_have_the_deadline_of_the_first_and_end_by_it(app: App, database_url: str) -> None:
    app.queue("q")

    @app.workflow(name="grandchild")
    async def grandchild() -> None:
        await aio.recv("never", timeout=None)

    @app.workflow(name="child")
    async def child() -> None:
        await grandchild.options(workflow_id="grandchild")()

    @app.workflow(name="parent")
    async def parent() -> None:
        await child.options(workflow_id="child", queue_name="q")()

    async with app:
        with pytest.raises(WorkflowCancelled, match="'parent'"):
            await parent.options(workflow_id="parent", timeout=1.0)()
        await eventually(lambda: [status(database_url, w) for w in FAMILY] == ["CANCELLED"] * 3)
        await eventually(lambda: not app._engine_running().executor.running)
    [[whole], [own], [grand]] = rows(database_url, DEADLINES)
    assert whole == own == grand is not None


FAMILY = ("parent", "child", "grandchild")


async def test_children_are_cancelled_with_their_parent_where_that_is_asked_for(
    app: App, database_url: str
) -> None:
    @app.workflow(name="grandchild")
    async def grandchild() -> None:
        await aio.recv("never", timeout=None)

    @app.workflow(name="child")
    async def child(name: str) -> None:
        await grandchild.options(workflow_id=f"grand{name}").start()
        await aio.recv("never", timeout=None)

    @app.workflow(name="parent")
    async def parent(name: str) -> None:
        await child.options(workflow_id=name)(name)

    async with app:
        for name in ("alone", "all"):
            await parent.options(workflow_id=f"parent-{name}").start(name)
        await eventually(lambda: status(database_url, "grandalone") and status(database_url, "grandall"))
        await app.client.cancel_workflow("parent-alone")
        await app.client.cancel_workflow("parent-all", cancel_children=True)
        await eventually(lambda: set(app._engine_running().executor.running) == {"alone", "grandalone"})
        listed = await app.client.list_workflows(WorkflowFilter(status="CANCELLED"))
        assert {found.workflow_id for found in listed} == {"parent-alone", "parent-all", "all", "grandall"}


async def test_children_are_listed_by_their_parent_and_know_it(app: App) -> None:
    @app.workflow(name="child")
    async def child(n: int) -> str | None:
        return aio.context().parent_workflow_id

    @app.workflow(name="parent")
    async def parent() -> list[str | None]:
        named = await child.options(workflow_id="third").start(3)
        return [*await asyncio.gather(child(1), child(2)), await named.get_result()]

    async with app:
        assert await parent.options(workflow_id="p")() == ["p", "p", "p"]
        await child.options(workflow_id="orphan")(0)
        found = await app.client.list_workflows(WorkflowFilter(parent_workflow_id="p"))
        assert {(run.workflow_id, run.parent_workflow_id) for run in found} == {
            ("third", "p"), ("p-2", "p"), ("p-4", "p")
        }  # fmt: skip
        steps = await app.client.list_workflow_steps("p")
        assert [step.child_workflow_id for step in steps] == ["third", "p-2", "p-2", "p-4", "p-4", "third"]


# -- handles in other processes ----------------------------------------------------------------------------

WAITER = """
import asyncio, sys
from durably import App, aio

app = App("other", system_database_url=sys.argv[1])

@app.workflow(name="waits")
async def waits() -> int:
    handle = aio.client().retrieve_workflow("w")
    print("waiting", flush=True)
    return await handle.get_result()

async def main():
    async with app:
        print(await waits.options(workflow_id="waits")(), flush=True)

asyncio.run(main())
"""


async def test_a_workflow_in_another_process_waits_for_one_by_its_id(app: App, database_url: str) -> None:
    @app.workflow(name="w")
    async def workflow() -> int | None:
        return await aio.recv("number", timeout=None, type=int)

    async with app:
        await workflow.options(workflow_id="w").start()
        waiter = await asyncio.create_subprocess_exec(
            sys.executable, "-c", WAITER, database_url, stdout=asyncio.subprocess.PIPE, cwd=ROOT
        )
        assert waiter.stdout is not None
        try:
            assert await waiter.stdout.readline() == b"waiting\n"
            await app.client.send("w", 42, "number")
            sent = time.monotonic()
            assert await asyncio.wait_for(waiter.stdout.readline(), 15) == b"42\n"
            assert time.monotonic() - sent < 1  # it was told, and did not have to look
            assert await asyncio.wait_for(waiter.wait(), 15) == 0
        finally:
            if waiter.returncode is None:
                waiter.kill()
                await waiter.wait()
    assert rows(database_url, STEPS, "waits") == [(1, "DBOS.getResult", "w")]


ROOT = Path(__file__).parents[2]


# -- what a replay makes of them ---------------------------------------------------------------------------


async def test_a_child_whose_arguments_were_dropped_is_logged(
    app: App, caplog: pytest.LogCaptureFixture
) -> None:
    """A warning may be an error, as it is here, and a replay would not meet it: so it is no warning."""

    @app.workflow(name="child")
    async def child(n: int) -> int:
        return n

    @app.workflow(name="parent")
    async def parent(n: int) -> int:
        return await child.options(workflow_id="one")(n)

    async with app:
        assert [await parent(1), await parent(1)] == [1, 1]
        assert not caplog.records
        assert await parent(2) == 1
    (record,) = caplog.records
    assert "workflow id 'one' is in use by 'child' with other arguments" in record.getMessage()


@pytest.mark.parametrize("colour", ["async", "blocking"])
@pytest.mark.parametrize(
    ("name", "message"),
    [("child", "'taken' is already in use by 'child', which is DELAYED"), ("other", "the name 'other'")],
)
async def test_a_child_whose_id_is_in_use_is_refused_also_at_replay(
    app: App, database_url: str, name: str, message: str, colour: str
) -> None:
    """The workflow that had the id has been deleted meanwhile."""
    row = "INSERT INTO dbos.workflow_status (workflow_uuid, status, name) VALUES ('taken', 'DELAYED', %s)"
    rows(database_url, row, name)
    refused = (WorkflowIdInUse, WorkflowConflict)
    options: dict[str, Any] = {"workflow_id": "taken", "workflow_id_reuse_policy": "reject"}
    if name == "other":
        del options["workflow_id_reuse_policy"]

    @app.workflow(name="child")
    async def child() -> None: ...

    @app.workflow(name="child", class_name="blocking")
    def blocking_child() -> None: ...

    @app.workflow(name="async")
    async def parent() -> str:
        try:
            await child.options(**options).start()
        except refused as error:
            await aio.recv("go", timeout=None)
            return str(error)
        return "started"

    @app.workflow(name="blocking")
    def blocking_parent() -> str:
        try:
            blocking_child.options(**options).start()
        except refused as error:
            sync.recv("go", timeout=None)
            return str(error)
        return "started"

    def recorded() -> list[tuple[Any, ...]]:
        return [row for row in rows(database_url, STEPS, "p") if row[0] == 1]

    async with app:
        if colour == "async":
            await parent.options(workflow_id="p").start()
        else:
            await asyncio.to_thread(blocking_parent.options(workflow_id="p").start)
        await eventually(lambda: rows(database_url, STEPS, "p"))
    rows(database_url, "DELETE FROM dbos.workflow_status WHERE workflow_uuid = 'taken'")
    assert recorded() == [(1, "child", None)]
    async with app:
        await app.client.send("p", None, "go")
        assert message in await app.client.retrieve_workflow("p").get_result()
    assert recorded() == [(1, "child", None)]
    assert status(database_url, "taken") is None


async def test_a_child_that_was_deleted_is_still_what_its_parent_remembers(
    app: App, database_url: str
) -> None:
    ran: list[str] = []

    @app.workflow(name="child")
    async def child(word: str) -> str:
        ran.append(word)
        return word

    @app.workflow(name="parent")
    async def parent() -> list[str]:
        handle = await child.start("started")
        words = [await child("called"), await handle.get_result(), await handle.get_result(timeout=60)]
        await aio.recv("go", timeout=None)
        return words

    async with app:
        await parent.options(workflow_id="p").start()
        await eventually(lambda: len(rows(database_url, STEPS, "p")) == 6)
        rows(database_url, "DELETE FROM dbos.workflow_status WHERE workflow_uuid IN ('p-1', 'p-2')")
        assert await app.client.count_workflows() == 1
    async with app:
        await app.client.send("p", None, "go")
        words = await app.client.retrieve_workflow("p").get_result()
    assert words == ["called", "started", "started"]
    assert sorted(ran) == ["called", "started"]


async def test_a_deduplicated_child_is_the_holder_also_at_replay(app: App, database_url: str) -> None:
    """The deduplication id is free by then."""
    held = {"queue_name": "nobody", "deduplication_id": "one", "duplication_policy": "return-existing"}

    @app.workflow(name="child")
    async def child() -> None: ...

    @app.workflow(name="parent")
    async def parent() -> str:
        handle = await child.options(**held).start()
        await aio.recv("go", timeout=None)
        return handle.workflow_id

    async with app:
        holder = await child.options(**held).start()
        await parent.options(workflow_id="p").start()
        await eventually(lambda: rows(database_url, STEPS, "p"))
        await holder.cancel()
    assert rows(database_url, STEPS, "p")[0] == (1, "child", holder.workflow_id)
    async with app:
        await app.client.send("p", None, "go")
        assert await app.client.retrieve_workflow("p").get_result() == holder.workflow_id
        assert await app.client.count_workflows() == 2


# -- mistakes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["child", "start", "get_result", "get_result in time"])
async def test_a_child_that_is_never_awaited_is_an_error(app: App, how: str) -> None:
    ran: list[int] = []

    @app.workflow(name="child")
    async def child(n: int) -> int:
        ran.append(n)
        return n

    @app.workflow(name="parent")
    async def parent() -> str:
        handle = await child.start(1)
        match how:
            case "child":
                child(2)  # type: ignore[unused-coroutine]
            case "start":
                child.start(2)  # type: ignore[unused-coroutine]
            case "get_result":
                handle.get_result()  # type: ignore[unused-coroutine]
            case _:
                handle.get_result(timeout=60)  # type: ignore[unused-coroutine]
        await handle.get_result()
        return "done"

    name = "DBOS.getResult" if "result" in how else "child"
    async with app:
        with pytest.raises(WrongContext, match=f"'parent' called '{name}' and never awaited it"):
            await parent()
    assert ran == [1]


async def test_a_child_that_is_there_already_is_recorded(app: App, database_url: str) -> None:
    """Somebody else has started it: the parent has it all the same, also at a replay."""

    @app.workflow(name="child")
    async def child() -> str:
        return "done"

    @app.workflow(name="parent")
    async def parent() -> str:
        return await (await child.options(workflow_id="there").start()).get_result()

    async with app:
        await child.options(workflow_id="there").start()
        assert await (await parent.options(workflow_id="p").start()).get_result() == "done"
    assert rows(database_url, STEPS, "p") == [(1, "child", "there"), (2, "DBOS.getResult", "there")]
