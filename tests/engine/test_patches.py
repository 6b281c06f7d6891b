"""Code that changes while workflows are under way: which branch a run takes, by what its record says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from durably import aio, sync
from durably.app import App
from durably.errors import InvalidOption, WrongContext
from tests.engine.support import eventually, rows

Code = Callable[[], Awaitable[Any]]
OPERATIONS = (
    "SELECT function_id, function_name FROM dbos.operation_outputs WHERE workflow_uuid = %s "
    "AND function_name NOT IN ('DBOS.recv', 'DBOS.sleep') ORDER BY function_id"
)


async def did(word: str) -> str:
    async def step() -> str:
        return word

    return await aio.run_step(word, step)


async def pause() -> Any:
    """Where a process ends and the next one, with other code, goes on."""
    return await aio.recv("go", timeout=None)


async def before() -> list[Any]:
    return [await did("old"), await pause(), await did("end")]


async def patched() -> list[Any]:
    first = await did("new") if await aio.patch("p") else await did("old")
    return [first, await pause(), await did("end")]


async def patched_later() -> list[Any]:
    first = [await did("old"), await pause()]
    return [*first, await did("new") if await aio.patch("p") else await did("end")]


async def deprecated() -> list[Any]:
    await aio.deprecate_patch("p")
    return [await did("new"), await pause(), await did("end")]


async def removed() -> list[Any]:
    return [await did("new"), await pause(), await did("end")]


def application(url: str, code: Code) -> tuple[App, Any]:
    app = App("a", system_database_url=url)

    @app.workflow(name="w")
    async def workflow() -> Any:
        return await code()

    return app, workflow


async def begin(url: str, code: Code) -> None:
    """Run until the pause."""
    app, workflow = application(url, code)
    async with app:
        await workflow.options(workflow_id="w").start()
        pausing = "SELECT 1 FROM dbos.operation_outputs WHERE function_name = 'old' OR function_name = 'new'"
        await eventually(lambda: rows(url, pausing))


async def go_on(url: str, code: Code) -> Any:
    """The result, after the pause."""
    app, _ = application(url, code)
    async with app:
        await app.client.send("w", None, topic="go")
        return await app.client.retrieve_workflow("w").get_result(15)


@pytest.mark.parametrize(
    ("then", "now", "result", "record"),
    [
        (before, patched, ["old", None, "end"], [(1, "old"), (4, "end")]),
        (patched, patched, ["new", None, "end"], [(1, "DBOS.patch-p"), (2, "new"), (5, "end")]),
        (patched, deprecated, ["new", None, "end"], [(1, "DBOS.patch-p"), (2, "new"), (5, "end")]),
        (deprecated, removed, ["new", None, "end"], [(1, "new"), (4, "end")]),
        (before, patched_later, ["old", None, "new"], [(1, "old"), (4, "DBOS.patch-p"), (5, "new")]),
    ],
)
async def test_a_run_takes_the_branch_that_its_record_has(
    database_url: str, then: Code, now: Code, result: Any, record: Any
) -> None:
    """With the numbers that DBOS gives them: a marker takes one only where it is."""
    await begin(database_url, then)
    assert await go_on(database_url, now) == result
    assert rows(database_url, OPERATIONS, "w") == record


async def test_a_marker_is_a_row_as_dbos_writes_it(database_url: str) -> None:
    app, workflow = application(database_url, lambda: aio.patch("p"))
    async with app:
        assert await workflow.options(workflow_id="w")() is True
    marker = "SELECT function_id, function_name, output, error, serialization, child_workflow_id,"
    marker += " completed_at_epoch_ms - started_at_epoch_ms FROM dbos.operation_outputs"
    [row] = rows(database_url, marker)
    assert row[:6] == (1, "DBOS.patch-p", None, None, None, None)
    assert 0 <= row[6] <= 1


async def test_a_patch_among_operations_that_overlap_is_refused(database_url: str) -> None:
    """Its place, and with it the branch, would depend on how long they take."""

    async def overlapping() -> None:
        sleeping = aio.sleep(0.01)
        with pytest.raises(WrongContext, match=r"calls DBOS\.patch-p while 'DBOS\.sleep' is under way"):
            await aio.patch("p")
        with pytest.raises(WrongContext, match=r"DBOS\.patch-p"):
            await aio.deprecate_patch("p")
        await sleeping
        assert await aio.patch("p")

    app, workflow = application(database_url, overlapping)
    async with app:
        await workflow()


async def test_a_patch_has_a_name_and_is_not_inside_a_step(database_url: str) -> None:
    async def wrong() -> None:
        with pytest.raises(InvalidOption, match="name='': it must not be empty"):
            await aio.patch("")
        with pytest.raises(WrongContext, match=r"DBOS\.patch-p does not work inside a step"):
            await aio.run_step("s", aio.patch, "p")

    app, workflow = application(database_url, wrong)
    async with app:
        await workflow()


def test_blocking_workflows_have_patches(database_url: str) -> None:
    app = App("a", system_database_url=database_url)

    @app.workflow(name="w")
    def workflow() -> list[bool]:
        return [sync.patch("p"), sync.deprecate_patch("p"), sync.patch("q")]

    with app:
        assert workflow() == [True, True, True]
    names = "SELECT function_name FROM dbos.operation_outputs ORDER BY function_id"
    assert rows(database_url, names) == [("DBOS.patch-p",), ("DBOS.patch-q",)]
