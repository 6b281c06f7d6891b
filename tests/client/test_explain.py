"""The exact reason why a workflow is not running, one after the other."""

from __future__ import annotations

from collections.abc import AsyncIterator

import psycopg
import pytest

from durably import AsyncDBOSClient, RateLimit, aio
from durably.app import App
from durably.errors import NoSuchWorkflow
from tests.engine.support import enqueue, eventually, rows, status


@pytest.fixture
async def client(database_url: str) -> AsyncIterator[AsyncDBOSClient]:
    async with AsyncDBOSClient.create(system_database_url=database_url) as client:
        yield client


def application(url: str, **options: str) -> App:
    app = App("explained", system_database_url=url, version=options.get("version", "1"))

    @app.workflow(name="wait")
    async def wait() -> None:
        await aio.recv("go", timeout=None)

    @app.workflow(name="sleep")
    async def sleep() -> None:
        await aio.sleep(3600)

    @app.workflow(name="parent")
    async def parent() -> None:
        await wait()

    return app


async def reason(client: AsyncDBOSClient, workflow_id: str) -> tuple[str, str]:
    explained = await client.explain(workflow_id)
    assert explained.workflow_id == workflow_id
    return explained.reason, explained.message


async def test_a_full_queue_names_who_holds_it(client: AsyncDBOSClient, database_url: str) -> None:
    app = application(database_url)
    app.queue("q", concurrency=1)
    enqueue(database_url, "first", "wait", created_at=1)
    enqueue(database_url, "second", "wait", created_at=2)
    async with app:
        await eventually(lambda: status(database_url, "first") == "PENDING")
        assert await reason(client, "second") == (
            "concurrency",
            "queue 'q' runs 1 of at most 1: first",
        )
        kind, message = await reason(client, "first")
        assert kind == "running"
        assert app.executor_id in message


async def test_a_full_partition_names_who_holds_it(client: AsyncDBOSClient, database_url: str) -> None:
    app = application(database_url)
    app.queue("q", partition_concurrency=1)
    enqueue(database_url, "first", "wait", queue_partition_key="k", created_at=1)
    enqueue(database_url, "second", "wait", queue_partition_key="k", created_at=2)
    enqueue(database_url, "keyless", "wait")
    async with app:
        await eventually(lambda: status(database_url, "first") == "PENDING")
        assert await reason(client, "second") == (
            "partition_concurrency",
            "partition 'k' of queue 'q' runs 1 of at most 1: first",
        )
        assert (await reason(client, "keyless"))[0] == "no_partition_key"


async def test_a_rate_that_is_used_up(client: AsyncDBOSClient, database_url: str) -> None:
    app = application(database_url)
    app.queue("q", limiter=RateLimit(limit=1, period=60))
    enqueue(database_url, "first", "wait", created_at=1)
    enqueue(database_url, "second", "wait", created_at=2)
    async with app:
        await eventually(lambda: status(database_url, "first") == "PENDING")
        assert await reason(client, "second") == (
            "rate_limit",
            "queue 'q' has started 1 of at most 1 in the last 60 s",
        )


async def test_a_paused_queue_says_why(client: AsyncDBOSClient, database_url: str) -> None:
    await client.register_queue("q")
    enqueue(database_url, "w", "wait")
    await client.pause_queue("q", reason="night", paused_by="ada")
    word, told = await reason(client, "w")
    assert word == "paused" and told.startswith("queue 'q' is paused by ada since 20")
    assert told.endswith(": night; resume_queue lets it go on")


async def test_a_queue_is_paused_by_the_databases_role_unless_told(
    client: AsyncDBOSClient, database_url: str
) -> None:
    await client.register_queue("q")
    (pause,) = (await client.pause_queue("q")).pauses
    assert pause.paused_by == "postgres"


async def test_a_database_that_has_not_been_brought_up_forgets_who_paused_a_queue(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE durably.queue_controls DROP COLUMN paused_by")
        connection.execute("DELETE FROM durably.migrations WHERE version > 13")
    async with AsyncDBOSClient.create(system_database_url=database_url) as client:
        await client.register_queue("q")
        enqueue(database_url, "w", "wait")
        (pause,) = (await client.pause_queue("q", paused_by="ada")).pauses
        assert (pause.executor_id, pause.paused_by) == (None, None)
        assert (await reason(client, "w"))[1].startswith("queue 'q' is paused since 20")


async def test_who_could_run_it(client: AsyncDBOSClient, database_url: str) -> None:
    enqueue(database_url, "w", "unknown", queue="nowhere")
    assert await reason(client, "w") == (
        "unregistered_queue",
        "nobody has registered queue 'nowhere' in this database: it waits until then",
    )
    await client.register_queue("nowhere")
    assert (await reason(client, "w"))[0] == "no_worker"
    async with application(database_url):
        assert (await reason(client, "w"))[0] == "ready"
        rows(database_url, "UPDATE dbos.workflow_status SET application_version = '2'")
        assert await reason(client, "w") == (
            "no_version",
            "it is for workers of version '2' and none runs: there are 1; start one, or give it another "
            "version with move_workflows",
        )
    rows(database_url, "UPDATE dbos.workflow_status SET application_name = 'explained'")
    rows(database_url, "UPDATE dbos.queues SET application_name = 'theirs'")
    assert (await reason(client, "w"))[0] == "queue_owned"


async def test_what_a_running_workflow_waits_for(client: AsyncDBOSClient, database_url: str) -> None:
    app = application(database_url)
    app.queue("q")
    enqueue(database_url, "sleeps", "sleep")
    enqueue(database_url, "parent", "parent")
    async with app:
        sleeps = "SELECT 1 FROM dbos.operation_outputs WHERE workflow_uuid = 'sleeps'"
        children = "SELECT workflow_uuid FROM dbos.workflow_status WHERE parent_workflow_id = 'parent'"
        await eventually(lambda: rows(database_url, sleeps))
        [[child]] = await eventually(lambda: rows(database_url, children))
        assert (await reason(client, "sleeps"))[0] == "timer"
        kind, message = await reason(client, "parent")
        assert kind == "running"
        assert message.endswith(f"children that have not ended: {child}")


async def test_what_is_over_or_not_yet_due(client: AsyncDBOSClient, database_url: str) -> None:
    enqueue(database_url, "w", "wait")
    change = "UPDATE dbos.workflow_status SET status = '{}', recovery_attempts = 52"
    for ended, expected in (
        ("MAX_RECOVERY_ATTEMPTS_EXCEEDED", ("dead_letter", "it was set aside after 52 attempts")),
        ("CANCELLED", ("cancelled", "it was cancelled, or its deadline passed")),
        ("SUCCESS", ("ended", "it has ended: SUCCESS")),
    ):
        rows(database_url, change.format(ended))
        kind, message = await reason(client, "w")
        assert (kind, message[: len(expected[1])]) == expected
    rows(
        database_url,
        "UPDATE dbos.workflow_status SET status = 'DELAYED',"
        " delay_until_epoch_ms = (extract(epoch FROM now()) + 60) * 1000",
    )
    assert (await reason(client, "w"))[0] == "delayed"


async def test_who_died_holding_it(client: AsyncDBOSClient, database_url: str) -> None:
    enqueue(database_url, "w", "wait")
    async with application(database_url):
        pass
    rows(
        database_url,
        "UPDATE dbos.workflow_status SET status = 'PENDING',"
        " executor_id = (SELECT executor_id FROM durably.executors)",
    )
    assert (await reason(client, "w"))[0] == "executor_lost"


async def test_a_dead_letter_is_listed_and_goes_on(client: AsyncDBOSClient, database_url: str) -> None:
    enqueue(database_url, "w", "wait")
    rows(
        database_url,
        "UPDATE dbos.workflow_status SET status = 'MAX_RECOVERY_ATTEMPTS_EXCEEDED', recovery_attempts = 52",
    )
    [dead] = await client.list_dead_letters()
    assert (dead.workflow_id, dead.recovery_attempts) == ("w", 52)
    assert await client.requeue_dead_letters(dry_run=True) == ["w"]
    assert status(database_url, "w") == "MAX_RECOVERY_ATTEMPTS_EXCEEDED"
    assert await client.requeue_dead_letters(queue_name="q") == ["w"]
    assert status(database_url, "w") == "ENQUEUED"
    assert rows(database_url, "SELECT recovery_attempts, queue_name FROM dbos.workflow_status") == [(0, "q")]
    assert await client.list_dead_letters() == []


async def test_there_is_no_such_workflow(client: AsyncDBOSClient) -> None:
    with pytest.raises(NoSuchWorkflow, match="nothing"):
        await client.explain("nothing")
