"""Runs of a schedule that may not overlap: whoever started them, they count."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from durably import aio
from durably.app import App
from durably.store.database import PLANS
from durably.store.sql import Schemas, statement
from tests.engine.support import eventually, rows, status
from tests.schedules.test_scheduler import EVERY_SECOND, touch

PAST = datetime(2026, 1, 1, tzinfo=UTC)


def waiting(url: str) -> App:
    """An application whose runs of a schedule go on until they are told."""
    app = App("overlaps", system_database_url=url)

    @app.workflow(name="report")
    async def report(time: datetime, context: Any) -> None:
        await aio.recv("go", timeout=None)

    return app


async def create(app: App, url: str, overlap: Any = "skip") -> None:
    """A schedule that rests, so that nothing fires before its time."""
    await app.client.create_schedule(
        schedule_name="alone", workflow_name="report", schedule="0 0 1 1 *", overlap=overlap
    )
    await app.client.pause_schedule("alone")
    touch(url, "alone", schedule=EVERY_SECOND)


def fired(url: str) -> list[str]:
    """The runs of ticks of today."""
    query = (
        "SELECT workflow_uuid FROM dbos.workflow_status WHERE schedule_name = 'alone'"
        " AND workflow_uuid !~ 'trigger|theirs|2026-01-01' ORDER BY 1"
    )
    return [row[0] for row in rows(url, query)]


def decided(url: str) -> Callable[[], bool]:
    """Whether three more ticks have been decided about."""
    query = "SELECT last_fired_at FROM dbos.workflow_schedules WHERE schedule_name = 'alone'"
    since = datetime.now(UTC)

    def look() -> bool:
        last = rows(url, query)[0][0]
        return last is not None and datetime.fromisoformat(last) >= since + timedelta(seconds=3)

    return look


async def trigger(app: App, url: str) -> str:
    return (await app.client.trigger_schedule("alone")).workflow_id


async def backfill(app: App, url: str) -> str:
    ends = PAST - timedelta(seconds=1), PAST + timedelta(seconds=1)
    (handle,) = await app.client.backfill_schedule("alone", *ends)
    return handle.workflow_id


async def foreign(app: App, url: str) -> str:
    """As a DBOS process writes a run: nothing of ours knows of it."""
    query = (
        "INSERT INTO dbos.workflow_status (workflow_uuid, status, name, queue_name, application_name,"
        " schedule_name, priority, recovery_attempts) VALUES ('theirs', 'ENQUEUED', 'report',"
        " 'paused-queue', 'bank', 'alone', 0, 0)"
    )
    rows(url, query)
    return "theirs"


@pytest.mark.parametrize("start", [trigger, backfill, foreign])
async def test_a_tick_is_skipped_while_any_run_of_the_schedule_goes_on(
    database_url: str, start: Callable[[App, str], Any]
) -> None:
    app = waiting(database_url)
    async with app:
        await create(app, database_url)
        run = await start(app, database_url)
        await app.client.resume_schedule("alone")
        await eventually(decided(database_url))
        assert fired(database_url) == []
        await app.client.cancel_workflow(run)
        await eventually(lambda: fired(database_url))
        await eventually(decided(database_url))
        assert len(fired(database_url)) == 1


@pytest.mark.parametrize("looked", ["clock_timestamp()", "clock_timestamp() - interval '1 hour'", "NULL"])
async def test_a_new_process_skips_what_a_run_started_by_hand_before_it_forbids(
    database_url: str, looked: str
) -> None:
    app = waiting(database_url)
    async with app:
        await create(app, database_url)
        run = await trigger(app, database_url)
        await eventually(lambda: status(database_url, run) == "PENDING")
        await app.client.resume_schedule("alone")
    rows(database_url, f"UPDATE durably.schedule_options SET looked_at = {looked}")
    again = waiting(database_url)
    async with again:
        await eventually(decided(database_url))
        assert fired(database_url) == []
        await again.client.send(run, None, "go")
        await eventually(lambda: fired(database_url))


async def test_a_run_started_by_hand_is_the_one_that_may_wait(database_url: str) -> None:
    app = waiting(database_url)
    async with app:
        await create(app, database_url, "buffer_one")
        await trigger(app, database_url)
        await app.client.resume_schedule("alone")
        await eventually(lambda: fired(database_url))
        await eventually(decided(database_url))
        assert len(fired(database_url)) == 1


async def test_what_is_started_by_hand_runs_whatever_goes_on(database_url: str) -> None:
    app = waiting(database_url)
    async with app:
        await create(app, database_url)
        for _ in range(2):
            run = await trigger(app, database_url)
            await eventually(functools.partial(is_pending, database_url, run))


def is_pending(url: str, run: str) -> bool:
    return status(url, run) == "PENDING"


HISTORY = (
    "INSERT INTO dbos.workflow_status (workflow_uuid, status, name, queue_name, schedule_name, created_at)"
    " SELECT 'sched-alone-' || n, 'SUCCESS', 'report', 'q', 'alone', 1000 FROM generate_series(1, 30000) n"
)
RUNS_OF_OTHERS = (
    "INSERT INTO dbos.workflow_status (workflow_uuid, status, name, queue_name, created_at)"
    " SELECT 'o' || n, 'ENQUEUED', 'report', 'q', 1000 FROM generate_series(1, 30000) n"
)
RECORD = (
    '[{"schedule_id":"alone","schedule":"* * * * * *","cron_timezone":null,"workflow_id":"sched-alone-x",'
    '"tick":"2026-11-01T00:00:00+00:00","due":0,"overlap":"skip","inputs":"x"}]'
)


@pytest.mark.parametrize(
    ("looked", "history", "most"), [("clock_timestamp()", HISTORY, 300), ("NULL", RUNS_OF_OTHERS, 300)]
)
def test_looking_for_runs_reads_little_of_a_full_table(
    database_url: str, looked: str, history: str, most: int
) -> None:
    rows(
        database_url,
        "INSERT INTO dbos.workflow_schedules (schedule_id, schedule_name, workflow_name, schedule, context)"
        " VALUES ('alone', 'alone', 'report', '* * * * * *', 'gAROLg==')",
    )
    rows(
        database_url,
        "INSERT INTO durably.schedule_options (schedule_id, catch_up_seconds, jitter_seconds, overlap,"
        f" looked_at) VALUES ('alone', 0, 0, 'skip', {looked})",
    )
    query = statement("schedules/fire", Schemas()).decode()
    query = query.replace("%(records)s", "$1").replace("%(application_name)s", "$2").replace("%%", "%")
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(PLANS.encode())
        connection.execute(b"PREPARE fire (text, text) AS " + query.encode())
        connection.execute(f"EXPLAIN EXECUTE fire ('{RECORD}', 'a')".encode())  # planned while it is empty
        connection.execute(history.encode())
        explained = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE fire ('{RECORD}', 'a')"
        row = connection.execute(explained.encode()).fetchone()
    assert row is not None
    plan = row[0][0]["Plan"]
    assert "'Seq Scan', 'Relation Name': 'workflow_status'" not in str(plan)
    read = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
    assert read < most, read
