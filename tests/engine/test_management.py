"""What a workflow does to other workflows, and what resuming does to one that runs."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from durably import AsyncDBOSClient, DBOSClient, WorkflowFilter, aio, sync
from durably.app import App
from durably.errors import NoSuchWorkflow
from tests.engine.support import enqueue, eventually, rows, status

STEPS = (
    "SELECT function_id, function_name, output, error FROM dbos.operation_outputs WHERE workflow_uuid = %s"
)


def steps(url: str, workflow_id: str) -> list[tuple[Any, ...]]:
    return rows(url, f"{STEPS} ORDER BY function_id", workflow_id)


def named(url: str, workflow_id: str) -> list[tuple[int, str]]:
    return [(number, name) for number, name, *_ in steps(url, workflow_id)]


def run_again(url: str, workflow_id: str) -> None:
    """As after a crash behind the last operation: the history is there, the outcome is not."""
    rows(url, "DELETE FROM dbos.workflow_output WHERE workflow_uuid = %s", workflow_id)
    rows(
        url,
        "UPDATE dbos.workflow_status SET status = 'ENQUEUED', queue_name = '_dbos_internal_queue' "
        "WHERE workflow_uuid = %s",
        workflow_id,
    )


VERBS = [
    (1, "DBOS.getStatus"),
    (2, "DBOS.cancelWorkflow"),
    (3, "DBOS.resumeWorkflow"),
    (4, "DBOS.listWorkflows"),
    (5, "DBOS.listWorkflowSteps"),
    (6, "DBOS.countWorkflows"),
]


async def test_verbs_on_other_workflows_are_recorded_steps(database_url: str) -> None:
    app = App("a", system_database_url=database_url)
    seen: list[Any] = []

    @app.workflow(name="boss")
    async def boss() -> list[Any]:
        handle = aio.client().retrieve_workflow("other")
        status = await handle.get_status()
        cancelled = await handle.cancel()
        await handle.resume(queue_name="nowhere")
        found = await app.client.list_workflows(WorkflowFilter(name="idle"))
        done = await handle.steps()
        count = await app.client.count_workflows(WorkflowFilter(name="idle"))
        seen.append((status, found))
        return [status.status, cancelled, [w.workflow_id for w in found], len(done), count]

    async with app:
        enqueue(database_url, "other", "idle", 7, queue="elsewhere")
        handle = await boss.options(workflow_id="boss").start()
        result = await handle.get_result()
        assert result == ["ENQUEUED", True, ["other"], 0, 1]
        assert named(database_url, "boss") == VERBS
        assert seen[0][0].input == {"args": (7,), "kwargs": {}}

        rows(database_url, "DELETE FROM dbos.workflow_status WHERE workflow_uuid = 'other'")
        run_again(database_url, "boss")
        assert await app.client.retrieve_workflow("boss").get_result() == result
        assert seen[0] == seen[1]
    assert named(database_url, "boss") == VERBS


async def test_a_def_workflow_has_the_same_verbs(database_url: str) -> None:
    app = App("a", system_database_url=database_url)
    kinds: list[type] = []

    @app.workflow(name="boss")
    def boss() -> list[Any]:
        kinds.append(type(sync.client()))
        handle = sync.client().retrieve_workflow("other")
        status = handle.get_status().status
        cancelled = handle.cancel()
        handle.resume(queue_name="nowhere")
        found = sync.client().list_workflows(WorkflowFilter(name="idle"))
        return [
            status,
            cancelled,
            [w.workflow_id for w in found],
            len(handle.steps()),
            sync.client().count_workflows(),
        ]

    async with app:
        enqueue(database_url, "other", "idle", 7, queue="elsewhere")
        handle = await asyncio.to_thread(boss.options(workflow_id="boss").start)
        result = await asyncio.to_thread(handle.get_result)
        assert result == ["ENQUEUED", True, ["other"], 0, 2]
        assert named(database_url, "boss") == VERBS
        rows(database_url, "DELETE FROM dbos.workflow_status WHERE workflow_uuid = 'other'")
        run_again(database_url, "boss")
        assert await asyncio.to_thread(handle.get_result) == result
    assert kinds == [DBOSClient, DBOSClient]
    assert named(database_url, "boss") == VERBS


async def test_a_verb_takes_its_number_when_it_is_called(database_url: str) -> None:
    app = App("a", system_database_url=database_url)

    @app.step(name="step")
    async def step() -> None: ...

    @app.workflow(name="boss")
    async def boss() -> None:
        handle = app.client.retrieve_workflow("boss")
        await asyncio.gather(handle.get_status(), step(), handle.steps(), step())

    async with app:
        await boss.options(workflow_id="boss").start()
        await eventually(lambda: status(database_url, "boss") == "SUCCESS")
    names = ["DBOS.getStatus", "step", "DBOS.listWorkflowSteps", "step"]
    assert named(database_url, "boss") == list(enumerate(names, 1))


async def test_the_error_of_a_verb_is_recorded_and_comes_again(database_url: str) -> None:
    app = App("a", system_database_url=database_url)

    @app.workflow(name="boss")
    async def boss() -> str:
        try:
            await aio.client().cancel_workflow("nobody")
        except NoSuchWorkflow as error:
            return str(error)
        return "there was one"

    async with app:
        await boss.options(workflow_id="boss").start()
        await eventually(lambda: status(database_url, "boss") == "SUCCESS")
        enqueue(database_url, "nobody", "idle", queue="elsewhere")
        run_again(database_url, "boss")
        assert await app.client.retrieve_workflow("boss").get_result() == "no workflow has the id 'nobody'"
    assert status(database_url, "nobody") == "ENQUEUED"


async def test_in_a_step_a_verb_is_not_recorded(database_url: str) -> None:
    app = App("a", system_database_url=database_url)

    @app.step(name="step")
    async def step() -> bool:
        return await aio.client().cancel_workflow("other")

    @app.step(name="blocking")
    def blocking() -> str:
        return sync.client().get_workflow("other").status

    @app.workflow(name="boss")
    async def boss() -> list[Any]:
        return [await step(), await aio.run_step("blocking", blocking)]

    async with app:
        enqueue(database_url, "other", "idle", queue="elsewhere")
        await boss.options(workflow_id="boss").start()
        assert await app.client.retrieve_workflow("boss").get_result() == [True, "CANCELLED"]
    assert named(database_url, "boss") == [(1, "step"), (2, "blocking")]


async def test_a_workflow_that_cancels_itself_stops(database_url: str) -> None:
    app = App("a", system_database_url=database_url)
    after: list[str] = []

    @app.workflow(name="boss")
    async def boss() -> None:
        await aio.client().cancel_workflow(aio.workflow_id())
        after.append("went on")

    async with app:
        await boss.options(workflow_id="boss").start()
        await eventually(lambda: status(database_url, "boss") == "CANCELLED")
        await eventually(lambda: "boss" not in app._engine_running().executor.running)
    assert (after, steps(database_url, "boss")) == ([], [])


async def test_a_crash_behind_the_effect_does_not_fork_or_rewind_twice(database_url: str) -> None:
    app = App("a", system_database_url=database_url)

    @app.workflow(name="boss")
    async def boss() -> list[str]:
        fork = await aio.client().fork_workflow("ended")
        forks = await aio.client().fork_workflows(["ended", "waiting"])
        rewound = await aio.client().rewind_workflow("ended", queue_name="elsewhere")
        await rewound.resume(queue_name="elsewhere")
        return [fork.workflow_id, *(each.workflow_id for each in forks), rewound.workflow_id]

    def managed() -> list[tuple[Any, ...]]:
        return rows(
            database_url,
            "SELECT workflow_uuid, status, forked_from, creator_xid FROM dbos.workflow_status "
            "WHERE workflow_uuid <> 'boss' ORDER BY 1",
        )

    async with app:
        for workflow_id in ("ended", "waiting"):
            enqueue(database_url, workflow_id, "idle", queue="elsewhere")
        rows(database_url, "UPDATE dbos.workflow_status SET status = 'ERROR' WHERE workflow_uuid = 'ended'")
        handle = await boss.options(workflow_id="boss").start()
        result = await handle.get_result()
        assert result == ["boss-1", "boss-3", "boss-3-2", "ended"]
        names = [(1, "DBOS.forkWorkflow"), (3, "DBOS.forkWorkflow"), (5, "DBOS.rewindWorkflow")]
        assert named(database_url, "boss") == [*names, (6, "DBOS.resumeWorkflow")]
        before = managed()
        last = "DELETE FROM dbos.operation_outputs WHERE workflow_uuid = 'boss' AND function_id = 6"
        rows(database_url, last)
        run_again(database_url, "boss")
        assert await app.client.retrieve_workflow("boss").get_result() == result
        assert managed() == before
        rows(database_url, last.replace("= 6", "< 5"))
        run_again(database_url, "boss")
        assert await app.client.retrieve_workflow("boss").get_result() == result
        assert managed() == before
    assert [row[:3] for row in before] == [
        ("boss-1", "ENQUEUED", "ended"),
        ("boss-3", "ENQUEUED", "ended"),
        ("boss-3-2", "ENQUEUED", "waiting"),
        ("ended", "ENQUEUED", None),
        ("waiting", "ENQUEUED", None),
    ]


async def test_a_fork_of_a_run_goes_on_with_edited_outcomes(database_url: str) -> None:
    app = App("a", system_database_url=database_url)
    bodies: list[str] = []

    @app.step(name="charge")
    async def charge(cents: int) -> str:
        bodies.append(f"charge {cents}")
        return f"receipt {cents}"

    @app.step(name="ship")
    async def ship(receipt: str) -> str:
        bodies.append(f"ship {receipt}")
        if receipt == "receipt 1":
            raise ValueError("no such receipt")
        return f"shipped {receipt}"

    @app.workflow(name="order")
    async def order(cents: int) -> str:
        return await ship(await charge(cents))

    async with app:
        handle = await order.options(workflow_id="order").start(1)
        with pytest.raises(ValueError, match="no such receipt"):
            await handle.get_result()
        fork = await handle.fork("failure", outputs={1: "receipt 2"})
        assert await fork.get_result() == "shipped receipt 2"
        assert bodies == ["charge 1", "ship receipt 1", "ship receipt 2"]
        await handle.rewind(arguments=order.arguments(3))
        assert await handle.get_result() == "shipped receipt 3"
        await handle.rewind(2, outputs={1: "receipt 4"})
        assert await handle.get_result() == "shipped receipt 4"
    assert bodies[3:] == ["charge 3", "ship receipt 3", "ship receipt 4"]


async def test_what_else_a_workflow_does_to_others_is_recorded(database_url: str) -> None:
    app = App("a", system_database_url=database_url)

    @app.workflow(name="boss")
    async def boss() -> list[Any]:
        handle = aio.client().retrieve_workflow("other")
        idle = WorkflowFilter(name="idle")
        await handle.pause(reason="wait")
        done: list[Any] = [await handle.unpause(), await handle.set_priority(3)]
        await handle.update_attributes({"a": 1})
        done += [await app.client.pause_workflows(idle), await app.client.unpause_workflows(idle)]
        done += [await handle.set_delay(delay=5), await app.client.cancel_workflows(idle)]
        done += [[each.workflow_id for each in await app.client.resume_workflows(idle)]]
        return [*done, await app.client.delete_workflows(["gone"]), await handle.delete()]

    recorded = [
        (1, "DBOS.pauseWorkflow"),
        (2, "DBOS.unpauseWorkflow"),
        (3, "DBOS.setWorkflowPriority"),
        (4, "DBOS.updateWorkflowAttributes"),
        (5, "DBOS.pauseWorkflow"),
        (6, "DBOS.unpauseWorkflow"),
        (7, "DBOS.setWorkflowDelay"),
        (8, "DBOS.cancelWorkflow"),
        (9, "DBOS.resumeWorkflow"),
        (10, "DBOS.deleteWorkflow"),
        (11, "DBOS.deleteWorkflow"),
    ]
    async with app:
        enqueue(database_url, "other", "idle", queue="elsewhere")
        enqueue(database_url, "gone", "other", queue="elsewhere")
        handle = await boss.options(workflow_id="boss").start()
        result = await handle.get_result()
        other = ["other"]
        assert result == [True, True, other, other, False, other, other, ["gone"], True]
        assert named(database_url, "boss") == recorded
        run_again(database_url, "boss")
        assert await app.client.retrieve_workflow("boss").get_result() == result
    assert named(database_url, "boss") == recorded


async def test_a_deleted_run_stops_at_once_and_records_nothing_more(database_url: str) -> None:
    app = App("a", system_database_url=database_url)
    seen: list[str] = []

    @app.step(name="first")
    async def first() -> None: ...

    @app.step(name="step")
    async def step() -> None:
        seen.append("began")
        try:
            await asyncio.Event().wait()
        finally:
            seen.append("stopped")

    @app.workflow(name="w")
    async def workflow() -> None:
        await first()
        await step()

    async with app, AsyncDBOSClient.create(system_database_url=database_url) as client:
        await workflow.options(workflow_id="w").start()
        await eventually(lambda: seen == ["began"])
        assert await client.delete_workflow("w")
        await eventually(lambda: seen == ["began", "stopped"], seconds=4)
        await eventually(lambda: "w" not in app._engine_running().executor.running)
    assert (status(database_url, "w"), steps(database_url, "w")) == (None, [])


async def test_what_a_run_records_while_it_is_deleted_does_not_stay(database_url: str) -> None:
    """However the two fall: records wait for the row's lock and are refused, or are seen and deleted."""
    app = App("a", system_database_url=database_url)

    @app.step(name="step")
    async def step(number: int) -> int:
        return number

    @app.workflow(name="w")
    async def workflow() -> None:
        for number in range(10_000):
            await step(number)

    ids = [f"w{n}" for n in range(12)]
    async with app, AsyncDBOSClient.create(system_database_url=database_url) as client:
        for each in ids:
            await workflow.options(workflow_id=each).start()
        for each in ids:
            await eventually(lambda each=each: len(steps(database_url, each)) > 3)  # type: ignore[misc]
            assert await client.delete_workflow(each)
        await eventually(lambda: not app._engine_running().executor.running)
    assert rows(database_url, "SELECT count(*) FROM dbos.operation_outputs") == [(0,)]
    assert rows(database_url, "SELECT count(*) FROM dbos.workflow_input") == [(0,)]


# -- resume ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("same_process", [True, False])
async def test_resuming_a_running_workflow_stops_its_first_execution_at_once(
    database_url: str, same_process: bool
) -> None:
    bodies: list[str] = []
    apps = []
    for name in ("one", "two"):
        app = App("a", system_database_url=database_url)
        apps.append(app)

        def register(app: App, name: str) -> None:
            @app.step(name="step")
            async def step() -> str:
                bodies.append(f"{name} began")
                try:
                    await (gate.wait() if len(bodies) > 1 else asyncio.Event().wait())
                except asyncio.CancelledError:
                    bodies.append(f"{name} stopped")
                    raise
                return f"{name} {bodies.count(f'{name} began')}"

            @app.workflow(name="w")
            async def workflow() -> str:
                return await step()

        register(app, name)
    gate = asyncio.Event()
    one, two = apps
    async with one, AsyncDBOSClient.create(system_database_url=database_url) as client:
        enqueue(database_url, "w", "w", queue="_dbos_internal_queue")
        await eventually(lambda: bodies)
        if not same_process:
            await two._begin()
            one._engine_running().dispatcher.capacity = 0  # the next execution is the other one's
        handle = await client.resume_workflow("w")
        await eventually(lambda: len(bodies) >= 3)
        second = "one" if same_process else "two"
        if same_process:
            assert bodies == ["one began", "one stopped", "one began"]  # in this order
        assert sorted(bodies) == sorted(["one began", "one stopped", f"{second} began"])
        gate.set()
        assert await handle.get_result() == ("one 2" if same_process else "two 1")
        await two._end()
    assert len(bodies) == 3
    assert [name for _, name in named(database_url, "w")] == ["step"]


async def test_a_blocking_step_of_a_resumed_workflow_is_asked_to_end(database_url: str) -> None:
    app = App("a", system_database_url=database_url)
    began, asked = threading.Event(), threading.Event()

    @app.workflow(name="w")
    def workflow() -> str:
        if not began.is_set():
            began.set()
            while not sync.cancel_requested():
                threading.Event().wait(0.002)
            asked.set()
            return "first"
        return "second"

    async with app, AsyncDBOSClient.create(system_database_url=database_url) as client:
        enqueue(database_url, "w", "w", queue="_dbos_internal_queue")
        assert await asyncio.to_thread(began.wait, 10)
        handle = await client.resume_workflow("w")
        assert await asyncio.to_thread(asked.wait, 5)
        assert await handle.get_result() == "second"


async def test_storms_of_cancel_and_resume_leave_one_outcome_and_one_execution(database_url: str) -> None:
    """However they fall: each body that lost its owner has ended, and no late notice stops the last one."""
    alive: dict[str, int] = {}
    calm = asyncio.Event()
    app = App("a", system_database_url=database_url)

    @app.step(name="step")
    async def step(name: str) -> str:
        alive[name] = alive.get(name, 0) + 1
        try:
            await calm.wait()
            return "done"
        finally:
            alive[name] -= 1

    @app.workflow(name="w")
    async def workflow(name: str) -> str:
        return await step(name)

    ids = [f"w{n}" for n in range(6)]
    async with app, AsyncDBOSClient.create(system_database_url=database_url) as client:
        for workflow_id in ids:
            enqueue(database_url, workflow_id, "w", workflow_id, queue="_dbos_internal_queue")
        for round_ in range(25):
            await asyncio.gather(
                *(client.cancel_workflow(each) for each in ids[: round_ % 7]),
                *(client.resume_workflow(each) for each in ids),
            )
        await client.resume_workflows(ids)
        await eventually(lambda: [alive.get(each) for each in ids] == [1] * 6)
        calm.set()
        assert [await client.retrieve_workflow(each).get_result(timeout=20) for each in ids] == ["done"] * 6
    assert [len(steps(database_url, each)) for each in ids] == [1] * 6
