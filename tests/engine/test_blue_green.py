"""Deploys with real processes of two versions: who runs what, and what becomes of the latest one."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from durably import AsyncDBOSClient, EnqueueOptions
from tests.engine.support import eventually, rows, status

Deploy = Callable[[str, str], Coroutine[Any, Any, asyncio.subprocess.Process]]
BEGUN = "SELECT 1 FROM dbos.operation_outputs WHERE workflow_uuid = %s"
PATIENCE = 20.0  # seconds


@pytest.fixture
async def deploy(database_url: str) -> AsyncIterator[Deploy]:
    """Starts a process of a version with some code; the end of the test kills it."""
    processes: list[asyncio.subprocess.Process] = []

    async def start(version: str, word: str) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "tests.engine.deploy", database_url, version, word),
            cwd=Path(__file__).parents[2],
            stdout=asyncio.subprocess.PIPE,
        )
        processes.append(process)
        await says(process, "ready")
        return process

    yield start
    for process in processes:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def says(process: asyncio.subprocess.Process, word: str) -> None:
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE):
        assert (await process.stdout.readline()).decode().strip() == word


@pytest.fixture
async def client(database_url: str) -> AsyncIterator[AsyncDBOSClient]:
    async with AsyncDBOSClient.create(system_database_url=database_url, application_name="deploys") as client:
        yield client


async def begin(client: AsyncDBOSClient, url: str, workflow_id: str, app_version: str | None = None) -> None:
    """Enqueue, and wait until its first step is done."""
    await enqueue(client, workflow_id, app_version)
    await eventually(lambda: rows(url, BEGUN, workflow_id))


async def enqueue(client: AsyncDBOSClient, workflow_id: str, app_version: str | None = None) -> None:
    await client.enqueue(
        EnqueueOptions(workflow_name="w", queue_name="q", workflow_id=workflow_id, app_version=app_version)
    )


async def end(client: AsyncDBOSClient, workflow_id: str) -> Any:
    """Let it go on; its result."""
    await client.send(workflow_id, None, topic="go")
    return await client.retrieve_workflow(workflow_id).get_result(PATIENCE)


async def test_old_runs_end_on_old_workers_and_new_ones_begin_on_the_latest(
    database_url: str, deploy: Deploy, client: AsyncDBOSClient
) -> None:
    await deploy("blue", "blue")
    await begin(client, database_url, "old")
    await deploy("green", "green")
    await begin(client, database_url, "new")
    await begin(client, database_url, "pinned", "blue")
    assert await end(client, "old") == ["blue", "blue", "blue"]
    assert await end(client, "new") == ["green", "green", "green"]
    assert await end(client, "pinned") == ["blue", "blue", "blue"]
    versions = [v.version_name for v in await client.list_application_versions()]
    assert versions == ["green", "blue"]
    await client.set_latest_application_version("blue")  # the deploy is taken back
    await begin(client, database_url, "back")
    assert await end(client, "back") == ["blue", "blue", "blue"]


async def test_what_waits_for_a_version_without_workers_says_so_and_is_moved(
    database_url: str, deploy: Deploy, client: AsyncDBOSClient
) -> None:
    blue = await deploy("blue", "blue")
    blue.send_signal(signal.SIGTERM)
    await says(blue, "stopped")
    await deploy("green", "green")
    await enqueue(client, "pinned", "blue")
    explanation = (await client.get_workflow("pinned")).explanation
    assert explanation is not None
    assert "for workers of version 'blue', and none runs at the moment" in explanation
    assert await client.move_workflows(["pinned"], "green") == ["pinned"]
    assert await end(client, "pinned") == ["green", "green", "green"]


async def test_a_deploy_under_the_same_version_strands_what_does_not_fit_until_it_is_taken_back(
    database_url: str, deploy: Deploy, client: AsyncDBOSClient
) -> None:
    """The version is the same by default; a rollback goes on with the run by itself."""
    first = await deploy("stable", "one")
    await begin(client, database_url, "w")
    first.send_signal(signal.SIGTERM)
    await says(first, "stopped")
    second = await deploy("stable", "two")
    await eventually(lambda: status(database_url, "w") == "DELAYED")
    [stranded] = await client.list_stranded()
    assert (stranded.workflow_id, stranded.recorded, stranded.asked) == ("w", "one-step", "two-step")
    assert stranded.code_changed
    second.kill()
    await second.wait()
    await deploy("stable", "one")
    assert await end(client, "w") == ["one", "one", "stable"]
    assert await client.list_stranded() == []
