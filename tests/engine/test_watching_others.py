"""What a workflow sees of others through its application's client is recorded, and the same at a replay."""

from __future__ import annotations

from typing import Any

import pytest

from durably import aio, sync
from durably.app import App
from tests.engine.support import enqueue, rows

RECORDED = "SELECT function_name FROM dbos.operation_outputs WHERE workflow_uuid = 'w' ORDER BY function_id"
WATCHED = [
    "DBOS.getEvent", "DBOS.sleep", "DBOS.readStreamOffset", "DBOS.readStream", "DBOS.readStream",
    "DBOS.readStream",
]  # fmt: skip


def application(url: str) -> App:
    app = App("watching", system_database_url=url, threads=4)
    app.queue("q")

    @app.workflow(name="talks")
    async def talks(event: str, words: list[str]) -> None:
        await aio.set_event("stage", event)
        for word in words:
            await aio.write_stream("words", word)

    @app.workflow(name="watches")
    async def watches() -> list[Any]:
        client = aio.client()
        stage = await client.get_event("talks", "stage", timeout_seconds=5)
        first = await client.read_stream_offset("talks", "words", 0, timeout=5)
        return [stage, first, [word async for word in client.read_stream("talks", "words", timeout=5)]]

    @app.workflow(name="watches_blocking")
    def watches_blocking() -> list[Any]:
        client = sync.client()
        stage = client.get_event("talks", "stage", timeout_seconds=5)
        first = client.read_stream_offset("talks", "words", 0, timeout=5)
        return [stage, first, list(client.read_stream("talks", "words", timeout=5))]

    return app


@pytest.mark.parametrize("watches", ["watches", "watches_blocking"])
async def test_events_and_streams_are_the_same_at_a_replay(database_url: str, watches: str) -> None:
    app = application(database_url)
    async with app:
        await started(app, database_url, "talks", "talks", "charged", ["a", "b"])
        assert await started(app, database_url, watches, "w") == ["charged", "a", ["a", "b"]]
        assert [name for [name] in rows(database_url, RECORDED)] == WATCHED
        rows(database_url, "DELETE FROM dbos.workflow_events")
        rows(database_url, "DELETE FROM dbos.streams")
        rows(database_url, "DELETE FROM dbos.workflow_output WHERE workflow_uuid = 'w'")
        rows(
            database_url,
            "UPDATE dbos.workflow_status SET status = 'ENQUEUED', queue_name = '_dbos_internal_queue' "
            "WHERE workflow_uuid = 'w'",
        )
        again = await app.client.retrieve_workflow("w").get_result(timeout=20)
    assert again == ["charged", "a", ["a", "b"]]


async def started(app: App, url: str, name: str, workflow_id: str, *args: Any) -> Any:
    enqueue(url, workflow_id, name, *args)
    return await app.client.retrieve_workflow(workflow_id).get_result(timeout=20)
