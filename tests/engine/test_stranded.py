"""Workflows whose record does not fit the code: set aside, told of, and taken up by code that fits."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from durably import WorkflowFilter, aio, sync
from durably.app import App
from durably.errors import NoSuchVersion
from tests.engine.support import enqueue, eventually, mutate, rows, status

Code = Callable[[], Awaitable[Any]]
FOR_EVER = 253402128000000
ROW = (
    "SELECT status, delay_until_epoch_ms, owner_xid, queue_name, recovery_attempts, application_version "
    "FROM dbos.workflow_status WHERE workflow_uuid = %s"
)
NOTED = (
    "SELECT function_id, asked, recorded, code_changed, cardinality(met), released_at IS NOT NULL "
    "FROM durably.stranded_workflows WHERE workflow_uuid = %s"
)
STEPS = "SELECT function_name FROM dbos.operation_outputs WHERE workflow_uuid = %s ORDER BY function_id"


async def did(word: str) -> str:
    async def step() -> str:
        return word

    return await aio.run_step(word, step)


async def wait() -> Any:
    return await aio.recv("go", timeout=None)


async def old() -> list[Any]:
    return [await did("reserve"), await wait(), await did("charge")]


async def new() -> list[Any]:
    return [await did("check"), await wait(), await did("charge")]


async def third() -> list[Any]:
    return [await did("verify"), await wait(), await did("charge")]


async def swallowing() -> list[Any]:
    try:
        return [await did("check")]
    except Exception:
        return ["swallowed"]


async def swallowing_all() -> list[Any]:
    try:
        return [await did("check")]
    except BaseException:
        return ["swallowed"]


async def side_by_side() -> list[Any]:
    return list(await asyncio.gather(did("check"), wait()))


async def in_a_task() -> list[Any]:
    async with asyncio.TaskGroup() as group:
        group.create_task(did("check"))
        await asyncio.sleep(60)
    return []


def application(url: str, code: Code, **options: Any) -> App:
    app = App("a", system_database_url=url, **options)
    app.queue("q", concurrency=1)

    @app.workflow(name="w")
    async def workflow() -> Any:
        return await code()

    @app.workflow(name="other")
    async def other() -> str:
        return "ran"

    return app


async def begin(url: str, code: Code = old, workflow_id: str = "w", **columns: Any) -> None:
    """Run until the wait, under an executor that ends then."""
    enqueue(url, workflow_id, "w", application_name="a", **columns)
    async with application(url, code):
        await eventually(lambda: rows(url, STEPS, workflow_id))


async def strand(url: str, code: Code = new) -> None:
    """Meet the record with other code, until the workflow is set aside."""
    await begin(url)
    async with application(url, code):
        await eventually(lambda: status(url, "w") == "DELAYED")


@pytest.mark.parametrize("code", [new, swallowing, swallowing_all, side_by_side, in_a_task])
async def test_a_run_that_does_not_fit_is_set_aside_and_has_no_outcome(database_url: str, code: Code) -> None:
    """Whatever the workflow's own code does with it."""
    await strand(database_url, code)
    assert rows(database_url, ROW, "w") == [("DELAYED", FOR_EVER, None, "q", 1, "a@stable")]
    assert rows(database_url, NOTED, "w") == [(1, "check", "reserve", True, 1, False)]
    assert rows(database_url, "SELECT 1 FROM dbos.workflow_output") == []
    assert [name for (name,) in rows(database_url, STEPS, "w")] == ["reserve"]


def test_a_blocking_run_that_does_not_fit_is_set_aside(database_url: str) -> None:
    def build(word: str, *, swallow: bool = False) -> tuple[App, Any]:
        app = App("a", system_database_url=database_url)

        @app.step(name=word)
        def step() -> str:
            return word

        @app.workflow(name="w")
        def workflow() -> Any:
            try:
                return [step(), sync.recv("go", timeout=None)]
            except BaseException:
                if swallow:
                    return "swallowed"
                raise

        return app, workflow

    app, workflow = build("reserve")
    with app:
        workflow.options(workflow_id="w").start()
        asyncio.run(_until(lambda: rows(database_url, STEPS, "w")))
    with build("check", swallow=True)[0]:
        asyncio.run(_until(lambda: status(database_url, "w") == "DELAYED"))
    assert rows(database_url, NOTED, "w") == [(1, "check", "reserve", True, 1, False)]
    with build("reserve")[0] as again:
        again._blocking(again.client.send, "w", "gone", "go")
        asyncio.run(_until(lambda: status(database_url, "w") == "SUCCESS"))


async def _until(check: Callable[[], Any]) -> None:
    await eventually(check)


async def test_it_holds_no_place_on_its_queue(database_url: str) -> None:
    """The queue takes one at a time."""
    await begin(database_url)
    enqueue(database_url, "behind", "other", application_name="a")
    async with application(database_url, new):
        await eventually(lambda: status(database_url, "behind") == "SUCCESS")
        assert status(database_url, "w") == "DELAYED"


async def test_the_same_code_does_not_try_again_and_other_code_does_at_once(database_url: str) -> None:
    await strand(database_url)
    async with application(database_url, new):
        enqueue(database_url, "behind", "other", application_name="a")
        await eventually(lambda: status(database_url, "behind") == "SUCCESS")
        assert rows(database_url, ROW, "w") == [("DELAYED", FOR_EVER, None, "q", 1, "a@stable")]
    async with application(database_url, third):
        await eventually(lambda: rows(database_url, NOTED, "w") == [(1, "verify", "reserve", True, 2, False)])
    async with application(database_url, old) as app:
        await app.client.send("w", "gone", topic="go")
        assert await app.client.retrieve_workflow("w").get_result(15) == ["reserve", "gone", "charge"]


async def test_executors_of_two_codes_side_by_side_hand_it_to_the_one_that_fits(database_url: str) -> None:
    """As in a rolling deploy: whoever strands it, the others take it up, and who met it lets it be."""
    await begin(database_url)
    async with application(database_url, new, lease=0.3):
        await eventually(lambda: status(database_url, "w") == "DELAYED")
        async with application(database_url, old, lease=0.3) as app:
            await app.client.send("w", "gone", topic="go")
            assert await app.client.retrieve_workflow("w").get_result(15) == ["reserve", "gone", "charge"]


async def test_executors_of_the_same_code_never_pass_it_round(database_url: str) -> None:
    await strand(database_url)
    async with application(database_url, new, lease=0.2), application(database_url, new, lease=0.2) as app:
        seen = "SELECT last_seen_at FROM durably.application_code ORDER BY last_seen_at DESC LIMIT 1"

        def differs(before: Any) -> bool:
            return bool(rows(database_url, seen) != before)

        for _ in range(3):  # sweeps
            await eventually(functools.partial(differs, rows(database_url, seen)))
        assert app.executor_id
    assert rows(database_url, ROW, "w") == [("DELAYED", FOR_EVER, None, "q", 1, "a@stable")]
    assert rows(database_url, NOTED, "w") == [(1, "check", "reserve", True, 1, False)]


async def test_code_that_depends_on_something_unrecorded_is_told_from_code_that_changed(
    database_url: str,
) -> None:
    words = iter(["reserve", "check"])

    async def fickle() -> Any:
        return [await did(next(words)), await wait()]

    await begin(database_url, fickle)
    async with application(database_url, fickle):
        await eventually(lambda: status(database_url, "w") == "DELAYED")
    assert rows(database_url, NOTED, "w") == [(1, "check", "reserve", False, 1, False)]


async def test_resumed_by_hand_it_is_tried_once_and_cancelled_it_is_forgotten(database_url: str) -> None:
    await strand(database_url)
    when = "SELECT stranded_at FROM durably.stranded_workflows"
    before = rows(database_url, when)
    async with application(database_url, new) as app:
        await app.client.resume_workflow("w", queue_name="q")
        await eventually(lambda: rows(database_url, when) != before)
        assert status(database_url, "w") == "DELAYED"
        assert await app.client.cancel_workflow("w")
    async with application(database_url, new):
        assert rows(database_url, NOTED, "w") == []


async def test_a_run_that_lost_its_token_is_not_set_aside(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fence: without it, this fails."""
    await begin(database_url)
    take = "UPDATE dbos.workflow_status SET owner_xid = 'another' WHERE workflow_uuid = 'w'"

    async def taken_over() -> Any:
        rows(database_url, take)
        return await did("check")

    async with application(database_url, taken_over):
        enqueue(database_url, "behind", "other", application_name="a", queue="_dbos_internal_queue")
        await eventually(lambda: status(database_url, "behind") == "SUCCESS")
        await eventually(lambda: rows(database_url, ROW, "w")[0][2] == "another")
        assert rows(database_url, NOTED, "w") == []
    mutate(monkeypatch, "stranded/strand", "AND s.owner_xid = %(owner)s::text", "")
    rows(database_url, "UPDATE dbos.workflow_status SET status = 'ENQUEUED' WHERE workflow_uuid = 'w'")
    async with application(database_url, taken_over):
        await eventually(lambda: rows(database_url, NOTED, "w"))


async def test_the_client_lists_and_explains_it(database_url: str) -> None:
    await strand(database_url)
    async with application(database_url, new) as app:
        client = app.client
        [stranded] = await client.list_stranded()
        assert (stranded.workflow_id, stranded.name, stranded.queue_name) == ("w", "w", "q")
        assert (stranded.function_id, stranded.asked, stranded.recorded) == (1, "check", "reserve")
        assert stranded.code_changed and len(stranded.code) == 16
        for words in (
            "stranded: workflow 'w', operation 1: the code asks for 'check', but 'reserve' is recorded there",
            "\n\noperation  recorded  the code asks for\n1          reserve   check\n\n",
            f"the code has changed since it began (it is {stranded.code} now)",
            "fork_workflow from operation 1 on",
        ):
            assert words in stranded.explanation
        assert (await client.get_workflow("w")).explanation == stranded.explanation
        assert await client.list_stranded(WorkflowFilter(name="w", limit=1)) == [stranded]
        for none in (
            WorkflowFilter(name="other"),
            WorkflowFilter(workflow_ids=["x"]),
            WorkflowFilter(application_name="b"),
            WorkflowFilter(offset=1),
            WorkflowFilter(limit=0),
        ):
            assert await client.list_stranded(none) == []


async def test_it_is_moved_to_a_version_that_fits(database_url: str) -> None:
    """Once that has been registered; the workers of its former version leave it alone from then on."""
    await strand(database_url)
    async with application(database_url, new) as app:
        with pytest.raises(NoSuchVersion, match="no application has registered the version 'a@old' here"):
            await app.client.move_workflows(["w"], "a@old")
        async with application(database_url, old, version="a@old") as former:
            assert await app.client.move_workflows(["w", "none"], "a@old") == ["w"]
            await former.client.send("w", "gone", topic="go")
            assert await former.client.retrieve_workflow("w").get_result(15) == ["reserve", "gone", "charge"]
            assert await app.client.move_workflows(["w"], "a@old") == []  # it has ended
        assert await app.client.list_stranded() == []


async def test_it_is_forked_from_the_operation_that_differs(database_url: str) -> None:
    await strand(database_url)
    async with application(database_url, new) as app:
        [stranded] = await app.client.list_stranded()
        fork = await app.client.fork_workflow("w", stranded.function_id, new_workflow_id="f")
        await app.client.send("f", "gone", topic="go")
        assert await fork.get_result(15) == ["check", "gone", "charge"]
        assert status(database_url, "w") == "DELAYED"


async def test_what_a_workflow_sees_and_moves_is_recorded(database_url: str) -> None:
    await strand(database_url)
    app = application(database_url, new)

    @app.workflow(name="operator")
    async def operator() -> Any:
        ids = [stranded.workflow_id for stranded in await aio.client().list_stranded()]
        return [ids, await aio.client().move_workflows(ids, None)]

    async with app:
        await eventually(lambda: rows(database_url, NOTED, "w")[0][4:] == (2, False))  # this code met it too
        assert await operator.options(workflow_id="o")() == [["w"], ["w"]]
    assert [name for (name,) in rows(database_url, STEPS, "o")] == ["DBOS.listStranded", "DBOS.moveWorkflows"]
