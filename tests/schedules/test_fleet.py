"""A fleet: real DBOS Python processes and ours keep the same schedules; processes are killed."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from durably import AsyncDBOSClient
from durably.codec import Pickle
from tests.engine.support import eventually, rows
from tests.interop import harness
from tests.schedules.test_scheduler import add, ticks

PROGRAM = Path(__file__).with_name("program.py")
SETTINGS = {"APP_NAME": "shared", "APP_VERSION": "1", "EXECUTOR_ID": "peer-1"}


@contextlib.contextmanager
def ours(url: str) -> Iterator[subprocess.Popen[str]]:
    """One of our executors as a process; killed at the end."""
    command = [sys.executable, str(PROGRAM), url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None and process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.send_signal(signal.SIGKILL)


def without_gaps(fired: list[datetime]) -> bool:
    return fired == [fired[0] + timedelta(seconds=n) for n in range(len(fired))]


async def test_a_fleet_with_dbos_python_fires_each_tick_once_and_both_run_them(database_url: str) -> None:
    add(
        database_url,
        "mixed",
        workflow_name="echoAll",
        workflow_class_name="Interop",
        application_name="shared",
        cron_timezone="Europe/Berlin",
        schedule="* * * * * *",
    )
    peer = await asyncio.to_thread(harness.python_app, harness.uri(database_url), **SETTINGS)
    query = "SELECT status, executor_id FROM dbos.workflow_status WHERE schedule_name = 'mixed' ORDER BY 1, 2"
    try:
        await asyncio.to_thread(peer.read_line, "READY", harness.START_SECONDS)
        await eventually(lambda: len(ticks(database_url, "mixed")) >= 2, seconds=30)  # by the peer alone
        with ours(database_url):

            def both() -> bool:
                executors = {row[1] for row in rows(database_url, query) if row[0] == "SUCCESS"}
                return "peer-1" in executors and len(executors - {"peer-1", None}) > 0

            await eventually(both, seconds=30)
            await eventually(lambda: len(ticks(database_url, "mixed")) >= 8, seconds=30)
    finally:
        peer.stop()
    ids = rows(database_url, "SELECT workflow_uuid FROM dbos.workflow_status WHERE schedule_name = 'mixed'")
    assert len(ids) == len({datetime.fromisoformat(id_.removeprefix("sched-mixed-")) for (id_,) in ids})
    assert {row[0] for row in rows(database_url, query)} <= {"SUCCESS", "ENQUEUED", "PENDING"}
    async with AsyncDBOSClient.create(system_database_url=database_url) as client:
        done = rows(
            database_url,
            "SELECT workflow_uuid FROM dbos.workflow_status"
            " WHERE status = 'SUCCESS' AND schedule_name = 'mixed'",
        )
        for (id_,) in done:
            result = await client.retrieve_workflow(id_).get_result()
            assert str(result[0]).replace(" ", "T") == id_.removeprefix("sched-mixed-")


async def test_dbos_python_triggers_fills_and_pauses_a_schedule_of_ours(database_url: str) -> None:
    """With the ids that we give, so that whoever comes second finds the run there."""
    theirs = await asyncio.to_thread(
        harness.PeerClient, "python", harness.uri(database_url), application_name="shared"
    )
    async with AsyncDBOSClient.create(system_database_url=database_url, application_name="shared") as client:
        await client.create_schedule(
            schedule_name="mine",
            workflow_name="echoAll",
            workflow_class_name="Interop",
            schedule="0 0 1 1 *",
            context={"a": 1},
        )
        span = {"start": "2020-06-01T00:00:00+00:00", "end": "2022-06-01T00:00:00+00:00"}
        with ours(database_url):  # which enters its version, without which DBOS starts nothing
            filled = await asyncio.to_thread(theirs.call, "backfillSchedule", name="mine", **span)
            again = await client.backfill_schedule("mine", *map(datetime.fromisoformat, span.values()))
            assert filled == [each.workflow_id for each in again]
            assert filled == [f"sched-mine-{year}-01-01T00:00:00+00:00" for year in (2021, 2022)]
            triggered = await asyncio.to_thread(theirs.call, "triggerSchedule", name="mine")
            ours_too = await client.trigger_schedule("mine")
            for id_ in (*filled, triggered, ours_too.workflow_id):
                instant, context = await client.retrieve_workflow(id_).get_result(30)
                assert id_.endswith(instant)
                assert context == {"a": 1}
        await asyncio.to_thread(theirs.call, "pauseSchedule", name="mine")
        assert (await client.get_schedule("mine")).status == "PAUSED"
    theirs.close()


def at_least(url: str, many: int) -> bool:
    return len(ticks(url, "killed")) >= many


async def test_ticks_go_on_when_processes_are_killed_between_them(database_url: str) -> None:
    add(
        database_url,
        "killed",
        workflow_name="echoAll",
        workflow_class_name="Interop",
        application_name="shared",
    )
    rows(database_url, "INSERT INTO durably.schedule_options VALUES ('killed', 60, 0, 'allow', now())")
    for round_ in range(3):
        with ours(database_url):
            await eventually(functools.partial(at_least, database_url, 2 * round_ + 2))
    fired = ticks(database_url, "killed")
    assert without_gaps(fired), fired


def first_row(url: str, name: str) -> dict[str, Any]:
    """Every column of a schedule's first run, but what tells one instant and one schedule from another."""
    with psycopg.connect(url, row_factory=dict_row) as connection:
        query = (
            "SELECT s.*, i.inputs AS input FROM dbos.workflow_status s JOIN dbos.workflow_input i"
            " USING (workflow_uuid) WHERE schedule_name = %s ORDER BY workflow_uuid LIMIT 1"
        )
        row = connection.execute(query, (name,)).fetchone()
    assert row is not None
    arguments = Pickle().decode(row.pop("input"))
    id_ = row.pop("workflow_uuid")
    assert id_ == f"sched-{name}-{arguments['args'][0].isoformat()}"
    assert row.pop("schedule_name") == name
    for column in ("created_at", "updated_at"):
        row.pop(column)
    return row | {"zone": str(arguments["args"][0].tzinfo), "arguments": [*arguments["args"][1:]]}


async def test_a_fired_row_is_the_one_that_dbos_python_writes(database_url: str) -> None:
    columns = {
        "workflow_name": "echoAll",
        "workflow_class_name": "Interop",
        "application_name": "shared",
        "cron_timezone": "America/New_York",
        "queue_name": "ticketQueue",
    }
    add(database_url, "theirs", **columns)
    peer = await asyncio.to_thread(harness.python_app, harness.uri(database_url), **SETTINGS)
    try:
        await asyncio.to_thread(peer.read_line, "READY", harness.START_SECONDS)
        await eventually(lambda: ticks(database_url, "theirs"), seconds=30)
    finally:
        peer.stop()
    add(database_url, "mine", **columns)
    with ours(database_url):
        await eventually(lambda: ticks(database_url, "mine"))
    theirs, mine = first_row(database_url, "theirs"), first_row(database_url, "mine")
    ran = {"status", "executor_id", "owner_xid", "started_at_epoch_ms", "completed_at", "recovery_attempts"}
    assert {k: v for k, v in mine.items() if k not in ran} == {
        k: v for k, v in theirs.items() if k not in ran
    }
