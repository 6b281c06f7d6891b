"""Workflows without an end: each generation is archived in one transaction, and the id goes on."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from typing import Any

import pytest

from durably import App, aio, sync
from durably.client import AsyncDBOSClient
from durably.errors import DatabaseUnavailable, EncodeError, NoSuchWorkflow, WorkflowIdInUse, WrongContext
from durably.store import batch, postgres
from tests.engine.support import eventually, mutate, rows, status

STEPS = """SELECT function_id, function_name, output FROM dbos.operation_outputs
    WHERE workflow_uuid = %s ORDER BY 1"""
WORKFLOWS = """SELECT s.workflow_uuid, s.status, s.parent_workflow_id, i.inputs, o.output
    FROM dbos.workflow_status s LEFT JOIN dbos.workflow_input i USING (workflow_uuid)
    LEFT JOIN dbos.workflow_output o USING (workflow_uuid) ORDER BY s.created_at, 1"""


@pytest.fixture
def app(database_url: str) -> App:
    return App("a", system_database_url=database_url, grace=0)


class Counter:
    """Counts to a number, a generation each."""

    def __init__(self, app: App, to: int = 3) -> None:
        self.bodies: list[int] = []

        @app.step(name="count")
        async def count(n: int) -> int:
            self.bodies.append(n)
            return n

        @app.step(name="count")
        def count_blocking(n: int) -> int:
            self.bodies.append(n)
            return n

        @app.workflow(name="async")
        async def counting(n: int, *, done: str = "done") -> str:
            await count(n)
            if n == to:
                return done
            counting.continue_as_new(n + 1, done=done)

        @app.workflow(name="blocking")
        def counting_blocking(n: int, *, done: str = "done") -> str:
            count_blocking(n)
            if n == to:
                return done
            sync.continue_as_new(n + 1, done=done)

        self.counting, self.counting_blocking = counting, counting_blocking

    async def run(self, colour: str, n: int, done: str) -> str:
        if colour == "async":
            return await self.counting.options(workflow_id="w")(n, done=done)
        return await asyncio.to_thread(self.counting_blocking.options(workflow_id="w"), n, done=done)


@pytest.mark.parametrize("colour", ["async", "blocking"])
async def test_a_workflow_begins_anew_under_its_id_and_leaves_its_past(
    app: App, database_url: str, colour: str
) -> None:
    counter = Counter(app)
    async with app:
        assert await counter.run(colour, 1, "well") == "well"
        chain = await app.client.list_workflow_generations("w")
        assert [(run.workflow_id, run.input["args"]) for run in chain] == [
            ("w/1", (1,)), ("w/2", (2,)), ("w", (3,))
        ]  # fmt: skip
        assert await app.client.retrieve_workflow("w/1").get_result(timeout=1) is None
    inputs = '{{"namedArgs":{{"done":"well"}},"positionalArgs":[{}]}}'
    assert sorted(rows(database_url, WORKFLOWS)) == [
        ("w", "SUCCESS", None, inputs.format(3), '"well"'),
        ("w/1", "SUCCESS", "w", inputs.format(1), "null"),
        ("w/2", "SUCCESS", "w", inputs.format(2), "null"),
    ]
    marker = "durably.continueAsNew"
    assert rows(database_url, STEPS, "w/1") == [(1, "count", "1")]
    assert rows(database_url, STEPS, "w/2") == [(2, marker, "2"), (3, "count", "2")]
    assert rows(database_url, STEPS, "w") == [(4, marker, "3"), (5, "count", "3")]
    assert counter.bodies == [1, 2, 3]


async def test_an_unanswered_commit_is_repeated_without_a_second_generation(
    app: App, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit, repeated = batch.commit, list[int]()

    async def unanswered(database: Any, name: Any, records: Any) -> Any:
        replies = await commit(database, name, records)
        if any(type(r).__name__ == "Continue" for r in records) and len(repeated) < 2:
            repeated.append(1)
            raise DatabaseUnavailable("the answer was lost")
        return replies

    monkeypatch.setattr(postgres, "commit", unanswered)
    counter = Counter(app)
    async with app:
        assert await counter.counting.options(workflow_id="w")(1) == "done"
    assert [row[0] for row in sorted(rows(database_url, WORKFLOWS))] == ["w", "w/1", "w/2"]
    assert len(repeated) == 2


async def test_what_belongs_to_the_id_stays_with_it(app: App, database_url: str) -> None:
    """Messages that wait, events, children, and the one who waits for the result."""

    @app.workflow(name="child")
    async def child() -> str:
        return "child"

    @app.workflow(name="w")
    async def workflow(taken: list[str]) -> list[str]:
        await aio.set_event("taken", len(taken))
        message = await aio.recv("words", timeout=None, type=str)
        if message == "end":
            return taken
        await child()
        aio.continue_as_new([*taken, message or ""])

    async with app:
        handle = await workflow.options(workflow_id="w").start([])
        waiting = asyncio.ensure_future(handle.get_result())
        for word in ("to", "be", "end"):
            await handle.send(word, topic="words")
        assert await asyncio.wait_for(waiting, 15) == ["to", "be"]
        assert await app.client.get_event("w", "taken", timeout_seconds=1) == 2
    consumed = "SELECT destination_uuid, message FROM dbos.notifications WHERE consumed ORDER BY 1"
    assert rows(database_url, consumed) == [("w", '"end"'), ("w/1", '"to"'), ("w/2", '"be"')]
    history = "SELECT workflow_uuid, value FROM dbos.workflow_events_history ORDER BY 1"
    assert rows(database_url, history) == [("w", "2"), ("w/1", "0"), ("w/2", "1")]
    children = "SELECT workflow_uuid FROM dbos.workflow_status WHERE name = 'child' ORDER BY 1"
    assert len(rows(database_url, children)) == 2


async def test_a_thousand_generations_leave_a_short_record_and_no_memory(app: App, database_url: str) -> None:
    counter = Counter(app, to=1000)
    async with app:
        await counter.counting.options(workflow_id="w").start(1)
        await eventually(lambda: len(counter.bodies) > 200, seconds=30)
        gc.collect()
        tracemalloc.start(1)
        before = len(counter.bodies)
        assert await app.client.retrieve_workflow("w").get_result(timeout=60) == "done"
        gc.collect()
        grown, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        generations = len(counter.bodies) - before
        assert len(await app.client.list_workflow_generations("w")) == 1000
    assert len(rows(database_url, STEPS, "w")) == 2
    assert counter.bodies == list(range(1, 1001))
    assert grown < 1000 * max(generations, 200)  # bytes: a generation that is kept has several thousand


async def test_a_generation_is_cancelled_resumed_and_rewound_like_any_workflow(
    app: App, database_url: str
) -> None:
    @app.workflow(name="w")
    async def workflow(n: int) -> int:
        if n < 3:
            aio.continue_as_new(n + 1)
        await aio.recv("go", timeout=None)
        return n

    async with app:
        handle = await workflow.options(workflow_id="w").start(1)
        await eventually(lambda: status(database_url, "w/2") == "SUCCESS")
        await app.client.cancel_workflow("w", cancel_children=True)
        assert status(database_url, "w/1") == "SUCCESS"
        await app.client.resume_workflow("w")
        await handle.send(None, topic="go")
        assert await handle.get_result() == 3
        await app.client.rewind_workflow("w")
        await handle.send(None, topic="go")
        assert await handle.get_result() == 3
        await app.client.fork_workflow("w", new_workflow_id="fork")
        await app.client.send("fork", None, topic="go")
        assert await app.client.retrieve_workflow("fork").get_result(timeout=10) == 3
        await app.client.fork_workflow("w", new_workflow_id="again", arguments=workflow.arguments(2))
        await app.client.send("again", None, topic="go")
        assert await app.client.retrieve_workflow("again").get_result(timeout=10) == 3
        chain = await app.client.list_workflow_generations("again")
    assert [run.workflow_id for run in chain] == ["again/1", "again"]


async def test_what_it_left_behind_records_nothing_more(app: App, database_url: str) -> None:
    left = asyncio.Event()

    @app.step(name="late")
    async def late() -> None:
        await left.wait()

    @app.workflow(name="w")
    async def workflow(n: int) -> int:
        if n == 1:
            tasks.append(asyncio.ensure_future(late()))
            await asyncio.sleep(0)
            aio.continue_as_new(2)
        left.set()
        await asyncio.wait(tasks)
        return n

    tasks: list[asyncio.Future[None]] = []
    async with app:
        assert await workflow.options(workflow_id="w")(1) == 2
    assert rows(database_url, STEPS, "w") == [(2, "durably.continueAsNew", "2")]
    assert rows(database_url, STEPS, "w/1") == []
    assert "it went on anew" in str(tasks[0].exception())


async def test_an_archive_whose_id_is_another_s_fails_the_workflow(app: App, database_url: str) -> None:
    counter = Counter(app)
    async with app:
        await counter.counting.options(workflow_id="w/1")(3)
        with pytest.raises(WorkflowIdInUse, match=r"'w/1' is already in use"):
            await counter.counting.options(workflow_id="w")(1)
    assert rows(database_url, STEPS, "w") == [(1, "count", "1")]


@pytest.mark.parametrize("is_broken", [False, True], ids=["as it is", "broken on purpose"])
async def test_a_former_owner_does_not_go_on(
    app: App, database_url: str, monkeypatch: pytest.MonkeyPatch, is_broken: bool
) -> None:
    """Without the fence it would: the second half shows that the first one can fail."""
    began, go_on = asyncio.Event(), asyncio.Event()

    @app.workflow(name="w")
    async def workflow(n: int) -> int:
        began.set()
        await go_on.wait()
        if n < 2:
            aio.continue_as_new(n + 1)
        return n

    if is_broken:
        mutate(monkeypatch, "workflows/continue_as_new", "s.owner_xid = ANY", "true OR s.owner_xid = ANY")
        mutate(monkeypatch, "workflows/continue_as_new", "o.owner_xid IN (a.owner, a.token)", "true")
    async with app:
        await workflow.options(workflow_id="w").start(1)
        await began.wait()
        rows(database_url, "UPDATE dbos.workflow_status SET owner_xid = 'another'")
        go_on.set()
        if is_broken:
            await eventually(lambda: "w/1" in [row[0] for row in rows(database_url, WORKFLOWS)])
        else:
            await eventually(lambda: not app._engine_running().executor.running)
            assert [row[0] for row in rows(database_url, WORKFLOWS)] == ["w"]
        rows(database_url, "UPDATE dbos.workflow_status SET executor_id = 'dbos'")


async def test_arguments_are_checked_where_they_are_given(app: App) -> None:
    counter = Counter(app)

    @app.step(name="s")
    async def step() -> None:
        aio.continue_as_new(1)

    @app.workflow(name="w")
    async def workflow(how: str) -> None:
        match how:
            case "few":
                counter.counting.continue_as_new()  # type: ignore[call-arg]
            case "other":
                counter.counting.continue_as_new(1)
            case "step":
                await step()
            case "many":
                aio.continue_as_new("a", "b")
            case _:
                aio.continue_as_new(object())

    async with app:
        with pytest.raises(WrongContext, match="'w' cannot go on as 'async': a workflow begins anew"):
            await workflow("other")
        with pytest.raises(WrongContext, match="does not work inside a step"):
            await workflow("step")
        with pytest.raises(TypeError, match="'w' cannot go on with these: it takes 1 positional"):
            await workflow("many")
        with pytest.raises(EncodeError, match="arguments of 'w'"):
            await workflow("unfit")
        with pytest.raises(NoSuchWorkflow):
            await app.client.list_workflow_generations("nobody")
    with pytest.raises(WrongContext, match="inside a workflow only"):
        aio.continue_as_new()
    assert AsyncDBOSClient.list_workflow_generations.__doc__
