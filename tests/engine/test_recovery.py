"""Real processes that are killed, cut short, blocked and stopped; what they ran goes on."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from durably import aio
from durably.app import App
from tests.engine.support import enqueue, eventually, rows, status

RESULT = "SELECT output FROM dbos.workflow_output WHERE workflow_uuid = %s"


class Child:
    """A process of the application in program.py."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.pid = process.pid

    async def says(self, *words: str) -> None:
        """Wait until the process prints a line that begins so."""
        assert self._process.stdout is not None
        async with asyncio.timeout(20):
            while line := (await self._process.stdout.readline()).decode().split():
                if tuple(line[: len(words)]) == words:
                    return
        raise AssertionError(f"the process ended and did not say {words}")

    async def kill(self) -> None:
        """SIGKILL."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    async def terminate(self) -> int:
        """SIGTERM, and its exit status."""
        self._process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(20):
            return await self._process.wait()


Launch = Callable[..., Coroutine[Any, Any, Child]]


@pytest.fixture
async def launch(database_url: str) -> AsyncIterator[Launch]:
    """Starts processes, which the end of the test kills."""
    children: list[Child] = []

    async def start(**options: Any) -> Child:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "tests.engine.program", database_url, json.dumps(options)),
            cwd=Path(__file__).parents[2],
            stdout=asyncio.subprocess.PIPE,
        )
        children.append(Child(process))
        await children[-1].says("ready")
        return children[-1]

    yield start
    for child in children:
        await child.kill()


def tell(url: str, workflow_id: str) -> None:
    """Send the message that `gated` waits for."""
    rows(
        url,
        "INSERT INTO dbos.notifications (message_uuid, destination_uuid, topic, message, serialization)"
        " VALUES (gen_random_uuid()::text, %s, 'go', 'null', 'portable_json')",
        workflow_id,
    )


def result(url: str, workflow_id: str) -> Any:
    return json.loads(rows(url, RESULT, workflow_id)[0][0])


async def test_a_killed_processs_work_goes_on_at_once_on_the_same_host(
    database_url: str, launch: Launch
) -> None:
    """The lease is a minute; what takes over is the next process that starts here."""
    first = await launch(lease=60)
    enqueue(database_url, "w", "gated")
    await first.says("w", "first")
    await eventually(lambda: rows(database_url, "SELECT 1 FROM dbos.operation_outputs"))
    await first.kill()
    began = time.monotonic()
    second = await launch(lease=60)
    tell(database_url, "w")
    await second.says("w", "second")
    assert time.monotonic() - began < 15
    await eventually(lambda: status(database_url, "w") == "SUCCESS")
    assert result(database_url, "w") == [first.pid, second.pid]


async def test_another_hosts_work_goes_on_when_its_lease_is_over(database_url: str, launch: Launch) -> None:
    first = await launch(lease=1.5, host="elsewhere")
    enqueue(database_url, "w", "gated")
    await first.says("w", "first")
    second = await launch(lease=60)
    lease = "SELECT expires_at FROM durably.executors WHERE host = 'elsewhere'"
    await first.kill()
    [[expires]] = rows(database_url, lease)
    tell(database_url, "w")
    await second.says("w", "second")
    [[taken]] = rows(database_url, "SELECT stopped_at FROM durably.executors WHERE host = 'elsewhere'")
    assert taken >= expires
    await eventually(lambda: status(database_url, "w") == "SUCCESS")
    assert result(database_url, "w") == [first.pid, second.pid]


async def test_a_clean_end_hands_work_back_at_once(database_url: str, launch: Launch) -> None:
    first, second = await launch(lease=60), await launch(lease=60)
    enqueue(database_url, "w", "gated")
    await eventually(lambda: rows(database_url, "SELECT 1 FROM dbos.operation_outputs"))
    [[pid]] = rows(database_url, "SELECT output::int FROM dbos.operation_outputs")
    owner, other = (first, second) if first.pid == pid else (second, first)
    assert await owner.terminate() == 0
    tell(database_url, "w")
    await other.says("w", "second")
    await eventually(lambda: status(database_url, "w") == "SUCCESS")
    assert result(database_url, "w") == [owner.pid, other.pid]


async def test_a_clean_end_lets_what_runs_end(database_url: str, launch: Launch) -> None:
    first = await launch(lease=60)
    enqueue(database_url, "w", "busy", 0.5)
    await first.says("w", "first")
    assert await first.terminate() == 0
    assert status(database_url, "w") == "SUCCESS"


async def test_a_blocked_loop_is_not_dead(database_url: str, launch: Launch) -> None:
    """User code blocks the loop for more than twice its lease; nobody takes the work."""
    first = await launch(lease=2.0)
    enqueue(database_url, "w", "blocks", 4.5)
    await first.says("w", "first")
    await launch(lease=60, host="elsewhere")
    await first.says("w", "second")
    await eventually(lambda: status(database_url, "w") == "SUCCESS")
    assert result(database_url, "w") == first.pid
    assert rows(database_url, "SELECT recovery_attempts FROM dbos.workflow_status") == [(1,)]


# -- one process ends what it must not go on with ----------------------------------------------------------


class Stages:
    """An application that notes how far its workflows came."""

    def __init__(self, url: str) -> None:
        self.app = App("stages", system_database_url=url)
        self.app.queue("q")
        self.came: list[str] = []
        self.gate = asyncio.Event()

        @self.app.step(name="wait")
        async def wait() -> None:
            await self.gate.wait()

        @self.app.workflow(name="sleeps")
        async def sleeps() -> None:
            self.came.append("before")
            await aio.sleep(3600)
            self.came.append("after")

        @self.app.workflow(name="receives")
        async def receives() -> None:
            self.came.append("before")
            await aio.recv("never", timeout=None)
            self.came.append("after")

        @self.app.workflow(name="steps")
        async def steps() -> None:
            self.came.append("before")
            await wait()
            self.came.append("after")

    @property
    def running(self) -> dict[str, Any]:
        return self.app._engine_running().executor.running


@pytest.mark.parametrize("name", ["sleeps", "receives", "steps"])
async def test_a_cancelled_workflow_stops_where_it_stands(database_url: str, name: str) -> None:
    stages = Stages(database_url)
    async with stages.app:
        enqueue(database_url, "w", name)
        await eventually(lambda: "w" in stages.running and stages.came)
        assert await stages.app.client.cancel_workflow("w")
        await eventually(lambda: not stages.running)
    assert stages.came == ["before"]
    assert status(database_url, "w") == "CANCELLED"


async def test_who_lost_its_workflow_stops_and_writes_nothing(database_url: str) -> None:
    """Another owner takes the row behind our back: the step's outcome is refused, and the run stops."""
    stages = Stages(database_url)
    async with stages.app:
        enqueue(database_url, "w", "steps")
        await eventually(lambda: stages.came)
        rows(database_url, "UPDATE dbos.workflow_status SET owner_xid = 'another', executor_id = 'another'")
        stages.gate.set()
        await eventually(lambda: not stages.running)
    assert stages.came == ["before"]
    assert rows(database_url, "SELECT status, owner_xid FROM dbos.workflow_status") == [
        ("PENDING", "another")
    ]
    assert rows(database_url, "SELECT * FROM dbos.operation_outputs") == []


async def test_a_task_that_is_cancelled_from_outside_is_no_outcome(database_url: str) -> None:
    """As when a loop is torn down in a hurry; the workflow is given back, and goes on."""
    stages = Stages(database_url)
    stages.app._settings.lease = 2.0
    async with stages.app:
        enqueue(database_url, "w", "receives")
        await eventually(lambda: stages.came)
        task = stages.running["w"].task
        assert task is not None
        task.cancel()
        await eventually(lambda: len(stages.came) == 2)
    assert stages.came == ["before", "before"]
    assert rows(database_url, "SELECT * FROM dbos.workflow_output") == []


async def test_a_process_that_was_declared_dead_begins_anew(database_url: str) -> None:
    stages = Stages(database_url)
    stages.app._settings.lease = 2.0
    async with stages.app:
        enqueue(database_url, "w", "receives")
        await eventually(lambda: stages.came)
        former = stages.app.executor_id
        rows(database_url, "UPDATE durably.executors SET stopped_at = clock_timestamp()")
        await eventually(lambda: stages.app.executor_id != former)
        await eventually(lambda: len(stages.came) == 2)  # taken back from its former self
        await eventually(lambda: status(database_url, "w") == "PENDING")
        [[now]] = rows(database_url, "SELECT executor_id FROM dbos.workflow_status")
        assert now == stages.app.executor_id
    assert stages.came == ["before", "before"]
