"""Streams inside an application: written in workflows and steps, read in both, replayed."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from typing import Any

import pytest

from durably import aio, sync
from durably.app import App
from durably.errors import InvalidOption, NoSuchWorkflow, StreamEnded, StreamTimeout, WrongContext
from durably.types import Retry
from tests.engine.support import eventually, rows

VALUES = 'SELECT value FROM dbos.streams WHERE workflow_uuid = %s AND key = %s ORDER BY "offset"'
STREAM = (
    'SELECT "offset", value, function_id, serialization FROM dbos.streams WHERE workflow_uuid = %s'
    ' ORDER BY key, "offset"'
)
RECORDED = "SELECT function_id, function_name, output FROM dbos.operation_outputs"
NAMES = f"{RECORDED} WHERE workflow_uuid = %s ORDER BY 1"
FAILED = "SELECT 1 FROM dbos.operation_outputs WHERE error IS NOT NULL"


@pytest.fixture
def app(database_url: str) -> App:
    app = App("streams", system_database_url=database_url, threads=4)
    app.queue("q")
    return app


def values(url: str, workflow_id: str, key: str = "out") -> list[Any]:
    return [json.loads(text) for (text,) in rows(url, VALUES, workflow_id, key)]


def define_writers(app: App) -> tuple[Any, Any]:
    @app.workflow(name="writes")
    async def writes(count: int) -> int:
        for number in range(count):
            await aio.write_stream("out", {"n": number})
        await aio.close_stream("out")
        return count

    @app.workflow(name="writes_blocking")
    def writes_blocking(count: int) -> int:
        for number in range(count):
            sync.write_stream("out", {"n": number})
        sync.close_stream("out")
        return count

    return writes, writes_blocking


# --- writing ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("colour", [0, 1], ids=["async", "def"])
async def test_values_have_dense_offsets_and_an_operation_each(
    app: App, database_url: str, colour: int
) -> None:
    workflow = define_writers(app)[colour].options(workflow_id="w")
    async with app:
        assert (await asyncio.to_thread(workflow, 2) if colour else await workflow(2)) == 2
    assert rows(database_url, STREAM, "w") == [
        (0, '{"n":0}', 1, "portable_json"),
        (1, '{"n":1}', 2, "portable_json"),
        (2, '"__DBOS_STREAM_CLOSED__"', 3, "portable_json"),
    ]
    assert rows(database_url, NAMES, "w") == [
        (1, "DBOS.writeStream", None),
        (2, "DBOS.writeStream", None),
        (3, "DBOS.closeStream", None),
    ]


async def test_values_written_at_once_keep_the_order_of_the_calls(app: App, database_url: str) -> None:
    @app.workflow(name="gathers")
    async def gathers() -> None:
        await asyncio.gather(*(aio.write_stream("out", number) for number in range(50)))

    async with app:
        await gathers.options(workflow_id="w")()
    assert values(database_url, "w") == list(range(50))


async def test_a_step_that_is_retried_does_not_append_twice(app: App, database_url: str) -> None:
    tries: list[int] = []

    @app.step(name="talks", retry=Retry(attempts=3, interval=0.001))
    async def talks() -> int:
        tries.append(len(tries))
        for number in range(2 + len(tries)):
            await aio.write_stream("out", number)
        if len(tries) < 3:
            raise ConnectionError("cut")
        return len(tries)

    @app.workflow(name="speaks")
    async def speaks() -> int:
        await aio.write_stream("out", "before")
        return await talks()

    async with app:
        assert await speaks.options(workflow_id="w")() == 3
    assert values(database_url, "w") == ["before", 0, 1, 2, 3, 4]
    assert {number for (number,) in rows(database_url, "SELECT function_id FROM dbos.streams")} == {1, 2}
    assert [name for _, name, _ in rows(database_url, NAMES, "w")] == ["DBOS.writeStream", "talks"]


async def test_a_blocking_step_appends_from_its_thread(app: App, database_url: str) -> None:
    tries: list[int] = []

    @app.step(name="talks", retry=Retry(attempts=2, interval=0.001))
    def talks() -> None:
        tries.append(1)
        for word in ("a", "b", "c"):
            sync.write_stream("out", word)
            if word == "b" and len(tries) == 1:
                raise ConnectionError("cut")
        sync.close_stream("out")

    @app.workflow(name="speaks")
    def speaks() -> None:
        talks()

    async with app:
        await asyncio.to_thread(speaks.options(workflow_id="w"))
    assert values(database_url, "w") == ["a", "b", "c", "__DBOS_STREAM_CLOSED__"]


async def test_an_attempt_that_says_something_else_appends_it_behind(app: App, database_url: str) -> None:
    """What readers have seen cannot be taken back; what is new is not lost."""
    tries: list[int] = []

    @app.step(name="talks", retry=Retry(attempts=2, interval=0.001))
    async def talks() -> None:
        tries.append(1)
        for word in ("a", f"b{len(tries)}", "c"):
            await aio.write_stream("out", word)
        if len(tries) == 1:
            raise ConnectionError("cut")

    @app.workflow(name="speaks")
    async def speaks() -> None:
        await talks()

    async with app:
        await speaks.options(workflow_id="w")()
    assert values(database_url, "w") == ["a", "b1", "c", "b2", "c"]


async def test_a_value_that_the_former_attempt_ended_with_is_appended_when_it_comes_earlier(
    app: App, database_url: str
) -> None:
    tries: list[int] = []

    @app.step(name="talks", retry=Retry(attempts=2, interval=0.001))
    async def talks() -> None:
        tries.append(1)
        for word in ("ab", "bc")[len(tries) - 1]:
            await aio.write_stream("out", word)
        if len(tries) == 1:
            raise ConnectionError("cut")

    @app.workflow(name="speaks")
    async def speaks() -> None:
        await talks()

    async with app:
        await speaks.options(workflow_id="w")()
    assert values(database_url, "w") == ["a", "b", "b", "c"]


async def test_equal_values_in_a_row_are_all_appended(app: App, database_url: str) -> None:
    @app.step(name="talks")
    async def talks() -> None:
        for _ in range(5):
            await aio.write_stream("out", "ha")

    @app.workflow(name="speaks")
    async def speaks() -> None:
        await talks()

    async with app:
        await speaks.options(workflow_id="w")()
    assert values(database_url, "w") == ["ha"] * 5


async def test_a_former_owner_appends_nothing(app: App, database_url: str) -> None:
    gate = asyncio.Event()

    @app.workflow(name="writes")
    async def writes() -> None:
        await gate.wait()
        await aio.write_stream("out", 1)

    async with app:
        await writes.options(workflow_id="w").start()
        await eventually(lambda: rows(database_url, "SELECT 1 FROM dbos.workflow_status"))
        rows(database_url, "UPDATE dbos.workflow_status SET owner_xid = 'another', executor_id = 'another'")
        gate.set()
        await eventually(lambda: not app._engine_running().executor.running)
    assert values(database_url, "w") == []


# --- reading ----------------------------------------------------------------------------------------------


async def test_reading_is_recorded_value_by_value(app: App, database_url: str) -> None:
    writes, _ = define_writers(app)

    @app.workflow(name="reads")
    async def reads(id_: str) -> list[Any]:
        return [value async for value in aio.read_stream(id_, "out", offset=1)]

    async with app:
        await writes.options(workflow_id="w")(3)
        assert await reads.options(workflow_id="r")("w") == [{"n": 1}, {"n": 2}]
    assert rows(database_url, NAMES, "r") == [
        (1, "DBOS.readStream", '{"n":1}'),
        (2, "DBOS.readStream", '{"n":2}'),
        (3, "DBOS.readStream", '"__DBOS_STREAM_CLOSED__"'),
    ]


async def test_a_reader_wakes_with_each_value_and_ends_with_the_workflow(app: App) -> None:
    """Without a close: the end of the workflow ends it, at once."""
    seen: list[Any] = []

    def came(count: int) -> bool:
        return seen == list(range(count))

    @app.workflow(name="paced")
    async def paced() -> None:
        for number in range(3):
            await aio.write_stream("out", number)
            await aio.recv("go", timeout=20)

    @app.workflow(name="reads")
    async def reads(id_: str) -> None:
        async for value in aio.read_stream(id_, "out"):
            seen.append(value)

    async with app:
        writer = await paced.options(workflow_id="w").start()
        reader = await reads.options(workflow_id="r").start("w")
        for number in range(3):
            await eventually(partial(came, number + 1))
            await writer.send(None, "go")
        async with asyncio.timeout(5):
            await reader.get_result()


async def test_a_blocking_workflow_reads(app: App) -> None:
    _, writes = define_writers(app)

    @app.workflow(name="reads")
    def reads(id_: str) -> list[Any]:
        return [*sync.read_stream(id_, "out"), sync.read_stream_offset(id_, "out", 1)]

    async with app:
        await asyncio.to_thread(writes.options(workflow_id="w"), 2)
        assert await asyncio.to_thread(reads, "w") == [{"n": 0}, {"n": 1}, {"n": 1}]


async def test_a_step_reads_without_a_record(app: App, database_url: str) -> None:
    writes, _ = define_writers(app)

    @app.step(name="collect")
    async def collect(id_: str) -> int:
        return len([value async for value in aio.read_stream(id_, "out")])

    @app.workflow(name="reads")
    async def reads(id_: str) -> int:
        return await collect(id_)

    async with app:
        await writes.options(workflow_id="w")(4)
        assert await reads.options(workflow_id="r")("w") == 4
    assert [name for _, name, _ in rows(database_url, NAMES, "r")] == ["collect"]


async def test_one_offset_is_waited_for_and_its_absence_an_error(app: App) -> None:
    writes, _ = define_writers(app)

    @app.workflow(name="reads")
    async def reads(id_: str) -> list[str]:
        errors = []
        for offset, timeout in ((9, None), (0, None)):
            try:
                errors.append(str(await aio.read_stream_offset(id_, "out", offset, timeout=timeout)))
            except StreamEnded as error:
                errors.append(str(error))
        return errors

    async with app:
        await writes.options(workflow_id="w")(1)
        assert await reads("w") == [
            "stream 'out' of workflow 'w' ended before offset 9: it was closed, or its workflow ended",
            "{'n': 0}",
        ]


async def test_a_timeout_is_recorded_and_raised_again_at_replay(app: App, database_url: str) -> None:
    gate = asyncio.Event()

    @app.workflow(name="silent")
    async def silent() -> None:
        await gate.wait()

    @app.workflow(name="reads")
    async def reads(id_: str) -> str:
        try:
            async for _ in aio.read_stream(id_, "out", timeout=0.05):
                pass
        except StreamTimeout as error:
            await aio.recv("go", timeout=20)
            return f"{error} {error.key} {error.timeout}"
        return ""

    async with app:
        await silent.options(workflow_id="w").start()
        reader = await reads.options(workflow_id="r", queue_name="q").start("w")
        await eventually(
            lambda: rows(database_url, "SELECT error FROM dbos.operation_outputs WHERE error IS NOT NULL")
        )
        await app.client.cancel_workflow("r")
        await app.client.resume_workflow("r")
        await reader.send(None, "go")
        assert (
            await reader.get_result()
            == "no value came on stream 'out' of workflow 'w' within 0.05 s out 0.05"
        )
        gate.set()


# --- mistakes ---------------------------------------------------------------------------------------------


async def test_two_streams_at_once_are_refused(app: App) -> None:
    writes, _ = define_writers(app)

    @app.workflow(name="reads")
    async def reads() -> None:
        async def collect(key: str) -> list[Any]:
            return [value async for value in aio.read_stream("w", key)]

        await asyncio.gather(collect("out"), collect("more"))

    async with app:
        await writes.options(workflow_id="w")(1)
        with pytest.raises(
            WrongContext, match=r"'reads' calls DBOS\.readStream while another .* is under way"
        ):
            await reads()


async def test_a_stream_of_nobody(app: App) -> None:
    @app.workflow(name="reads")
    async def reads() -> None:
        async for _ in aio.read_stream("nobody", "out"):
            pass

    async with app:
        with pytest.raises(NoSuchWorkflow, match="no workflow has the id 'nobody'"):
            await reads()


async def test_streams_outside_a_workflow_and_bad_options() -> None:
    for call in (
        lambda: aio.write_stream("out", 1),
        lambda: aio.close_stream("out"),
        lambda: aio.read_stream("w", "out"),
        lambda: aio.read_stream_offset("w", "out", 0),
    ):
        with pytest.raises(WrongContext, match="works inside a workflow only"):
            call()
    with pytest.raises(InvalidOption, match="offset"):
        aio.read_stream("w", "out", offset=-1)
    with pytest.raises(InvalidOption, match="timeout"):
        aio.read_stream("w", "out", timeout=-1)
    with pytest.raises(InvalidOption, match="key"):
        await aio.read_stream_offset("w", "", 0)
