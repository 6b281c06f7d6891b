"""Patches, methods and children, compared with the rows that real DBOS for Python writes of the same code."""

from __future__ import annotations

import json
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from durably import EnqueueOptions, aio, sync
from durably.app import App
from tests.engine.support import eventually, rows, status
from tests.interop import harness
from tests.interop.conftest import Place

PROGRAM = harness.PYTHON_DBOS / "code_changes.py"
OPERATIONS = (
    "SELECT function_id, function_name FROM dbos.operation_outputs WHERE workflow_uuid = %s "
    "AND function_name <> 'DBOS.sleep' ORDER BY function_id"
)
ROW = (
    "SELECT name, class_name, config_name, authenticated_user, assumed_role, authenticated_roles "
    "FROM dbos.workflow_status WHERE workflow_uuid = %s"
)
NAMES = ("before", "patched", "patched_later", "deprecated", "removed")


@pytest.fixture(scope="module")
def peers(new_place: Callable[[], Place]) -> dict[str, Any]:
    """What DBOS came to."""
    try:
        python = harness.peer_python()
    except harness.PeerUnavailable as error:
        pytest.skip(str(error))
    done = subprocess.run(
        [python, PROGRAM, new_place().system_url], capture_output=True, text=True, timeout=100
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("FOUND ")]
    assert lines, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(lines[0].removeprefix("FOUND "))
    return found


class Asynchronous:
    """The five codes, for an `async def` workflow."""

    @staticmethod
    async def did(word: str) -> str:
        async def step() -> str:
            return word

        return await aio.run_step(word, step)

    async def before(self) -> list[Any]:
        return [await self.did("old"), await aio.recv("go", timeout=20), await self.did("end")]

    async def patched(self) -> list[Any]:
        first = await self.did("new") if await aio.patch("p") else await self.did("old")
        return [first, await aio.recv("go", timeout=20), await self.did("end")]

    async def patched_later(self) -> list[Any]:
        first = [await self.did("old"), await aio.recv("go", timeout=20)]
        return [*first, await self.did("new") if await aio.patch("p") else await self.did("end")]

    async def deprecated(self) -> list[Any]:
        await aio.deprecate_patch("p")
        return [await self.did("new"), await aio.recv("go", timeout=20), await self.did("end")]

    async def removed(self) -> list[Any]:
        return [await self.did("new"), await aio.recv("go", timeout=20), await self.did("end")]


class Blocking:
    """The same, for a `def` workflow."""

    @staticmethod
    def did(word: str) -> str:
        return sync.run_step(word, lambda: word)

    def before(self) -> list[Any]:
        return [self.did("old"), sync.recv("go", timeout=20), self.did("end")]

    def patched(self) -> list[Any]:
        first = self.did("new") if sync.patch("p") else self.did("old")
        return [first, sync.recv("go", timeout=20), self.did("end")]

    def patched_later(self) -> list[Any]:
        first = [self.did("old"), sync.recv("go", timeout=20)]
        return [*first, self.did("new") if sync.patch("p") else self.did("end")]

    def deprecated(self) -> list[Any]:
        sync.deprecate_patch("p")
        return [self.did("new"), sync.recv("go", timeout=20), self.did("end")]

    def removed(self) -> list[Any]:
        return [self.did("new"), sync.recv("go", timeout=20), self.did("end")]


def operations(url: str, workflow_id: str) -> list[list[Any]]:
    return [list(row) for row in rows(url, OPERATIONS, workflow_id)]


class Ours:
    """An application whose code changes while it runs, so that forks meet a record of the code before."""

    def __init__(self, url: str, colour: str) -> None:
        self.url = url
        self.app = App("changes", system_database_url=url)
        self.codes: Any = Asynchronous() if colour == "async" else Blocking()
        self.code = "before"
        if colour == "async":

            @self.app.workflow(name="w")
            async def w() -> Any:
                return await getattr(self.codes, self.code)()
        else:

            @self.app.workflow(name="w")
            def w() -> Any:
                return getattr(self.codes, self.code)()

        self.queue = self.app.queue("q")

    async def run(self, then: str) -> list[Any]:
        self.code = then
        handle = await self.app.client.enqueue(
            EnqueueOptions(workflow_name="w", queue_name="q", workflow_id=then)
        )
        await self.app.client.send(then, "went", topic="go")
        return [await handle.get_result(20), operations(self.url, then)]

    async def change(self, then: str, now: str, last: int) -> list[Any]:
        """A fork from the last operation on, by the other code; stranded where DBOS raises."""
        self.code = now
        id_ = f"{then}-{now}"
        fork = await self.app.client.fork_workflow(then, last, new_workflow_id=id_)
        state = await eventually(
            lambda: (found := status(self.url, id_)) in ("SUCCESS", "ERROR", "DELAYED") and found
        )
        result = "DBOSUnexpectedStepError" if state == "DELAYED" else await fork.get_result(20)
        return [result, operations(self.url, id_)]


@pytest.fixture(params=["async", "blocking"])
async def ours(request: pytest.FixtureRequest, database_url: str) -> AsyncIterator[Ours]:
    ours = Ours(database_url, request.param)
    async with ours.app:
        yield ours


@pytest.mark.parametrize("then", NAMES)
async def test_every_change_of_code_comes_to_what_dbos_makes_of_it(
    then: str, ours: Ours, peers: dict[str, Any]
) -> None:
    """Old runs and new ones, before and after a patch, deprecated and removed: results, numbers and names."""
    theirs = peers["changes"]
    assert await ours.run(then) == theirs[then]
    last = theirs[then][1][-1][0] - (then == "patched_later")
    for now in NAMES:
        assert await ours.change(then, now, last) == theirs[f"{then}-{now}"], f"{then}, then {now}"
    outcomes = {str(theirs[f"{then}-{now}"][0]) for now in NAMES}
    assert "DBOSUnexpectedStepError" in outcomes and len(outcomes) > 1


async def test_methods_and_children_have_the_rows_that_dbos_gives_them(
    database_url: str, peers: dict[str, Any]
) -> None:
    app = App("methods", system_database_url=database_url)

    class BoxOffice:
        def __init__(self, seats: int) -> None:
            self.seats = seats

        @app.workflow(name="sell")
        async def sell(self, count: int) -> int:
            return self.seats - count

        @app.workflow(name="open")
        @classmethod
        async def open(cls, hall: str) -> str:
            return f"{cls.__name__} of {hall}"

        @app.workflow(name="audit")
        @staticmethod
        async def audit(count: int) -> int:
            return count + 1

    @app.workflow(name="child")
    async def child() -> list[Any]:
        return [aio.context().authenticated_user, list(aio.context().authenticated_roles)]

    @app.workflow(name="parent")
    async def parent() -> list[Any]:
        return [await (await child.start()).get_result(), await child()]

    hall = app.register_instance("hall", BoxOffice(400))
    async with app:
        calls: dict[str, Callable[[], Awaitable[Any]]] = {
            "sell": lambda: hall.sell.options(workflow_id="sell")(1),
            "open": lambda: BoxOffice.open.options(workflow_id="open")("the hall"),
            "audit": lambda: BoxOffice.audit.options(workflow_id="audit")(1),
        }
        for call in calls.values():
            await call()
        roles = ["buyer", "admin"]
        told = await parent.options(
            workflow_id="parent", authenticated_user="ada", authenticated_roles=roles
        )()
    theirs = peers["methods"]
    assert told == theirs["told"]
    for each in ("sell", "open", "audit", "parent", "parent-1", "parent-3"):
        [found] = rows(database_url, ROW, each)
        roles_ = None if found[5] is None else json.loads(found[5])
        assert [*found[:5], roles_] == theirs[each], each
    assert operations(database_url, "parent") == theirs["steps"]
