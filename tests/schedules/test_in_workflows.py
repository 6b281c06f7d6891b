"""What a workflow does with schedules, and what it debounces: recorded, and exactly once."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from durably import EnqueueOptions, ScheduleSpec, aio
from durably.app import App
from durably.errors import NoSuchSchedule
from tests.engine.support import eventually, rows, status
from tests.interop import harness
from tests.schedules.test_scheduler import HOURLY

PROGRAM = Path(__file__).with_name("dying.py")
STEPS = "SELECT function_name FROM dbos.operation_outputs WHERE workflow_uuid = %s ORDER BY function_id"
DAY = datetime(2026, 1, 1, 0, 30, tzinfo=UTC), datetime(2026, 1, 1, 2, 30, tzinfo=UTC)


def steps(url: str, workflow_id: str) -> list[str]:
    return [row[0] for row in rows(url, STEPS, workflow_id)]


def steering(url: str) -> App:
    app = App("steering", system_database_url=url)

    app.queue("q")

    @app.workflow(name="report")
    async def report(time: datetime, context: Any) -> None: ...

    @app.workflow(name="steer")
    async def steer() -> list[Any]:
        client = aio.client()
        made = await client.create_schedule(schedule_name="s", workflow_name="report", schedule=HOURLY)
        spec = ScheduleSpec(schedule_name="s", workflow_name="report", schedule="7 * * * *")
        (applied,) = await client.apply_schedules([spec])
        await client.pause_schedule("s")
        seen = await client.get_schedule("s")
        await client.resume_schedule("s")
        triggered = await client.trigger_schedule("s")
        filled = await client.backfill_schedule("s", *DAY)
        listed = await client.list_schedules()
        await aio.recv("go", timeout=None)
        deleted = await client.delete_schedule("s")
        with pytest.raises(NoSuchSchedule) as gone:
            await client.get_schedule("s")
        upcoming = None if applied.next_fire_at is None else applied.next_fire_at.isoformat()
        ids = [triggered.workflow_id, *(each.workflow_id for each in filled)]
        return [made.schedule, seen.status, len(listed), deleted, str(gone.value), upcoming, ids]

    return app


async def test_each_verb_is_recorded_and_done_once_over_a_replay(database_url: str) -> None:
    first = steering(database_url)
    async with first:
        options: EnqueueOptions[..., Any] = EnqueueOptions(workflow_name="steer", queue_name="q")
        id_ = (await first.client.enqueue(options)).workflow_id
        await eventually(lambda: "DBOS.listSchedules" in steps(database_url, id_))
        runs = "SELECT workflow_uuid FROM dbos.workflow_status WHERE schedule_name = 's' ORDER BY 1"
        made = rows(database_url, runs)
    async with steering(database_url) as again:
        await again.client.send(id_, None, "go")
        result = await asyncio.wait_for(again.client.retrieve_workflow(id_).get_result(), 20)
    assert result[:4] == [HOURLY, "PAUSED", 1, True]
    assert "no schedule 's'" in result[4]
    assert datetime.fromisoformat(result[5]).minute == 7
    assert rows(database_url, runs) == made == sorted((each,) for each in result[6])
    assert len(made) == 3
    assert [name for name in steps(database_url, id_) if "chedule" in name] == [
        "DBOS.createSchedule",
        "DBOS.applySchedules",
        "DBOS.pauseSchedule",
        "DBOS.getSchedule",
        "DBOS.resumeSchedule",
        "DBOS.triggerSchedule",
        "DBOS.backfillSchedule",
        "DBOS.listSchedules",
        "DBOS.deleteSchedule",
        "DBOS.getSchedule",
    ]


PEER = """
import sys
from dbos import DBOS, DBOSClient, Debouncer
DBOS(config={"name": "peer", "system_database_url": sys.argv[1], "run_admin_server": False})
@DBOS.workflow(name="report")
def report(time, context): return None
@DBOS.workflow(name="index")
def index(page): return page
debouncer = Debouncer.create(index)
@DBOS.workflow(name="steer")
def steer():
    DBOS.create_schedule(schedule_name="s", workflow_fn=report, schedule="0 * * * *")
    DBOS.pause_schedule("s")
    DBOS.get_schedule("s")
    DBOS.resume_schedule("s")
    DBOS.list_schedules()
    DBOS.delete_schedule("s")
    debouncer.debounce("k", 600.0, 1)
DBOS.launch()
print("id:" + DBOS.start_workflow(steer).get_workflow_id(), flush=True)
[DBOS.retrieve_workflow(w.workflow_id).get_result() for w in DBOS.list_workflows(name="steer")]
DBOS.destroy()
"""


def test_the_names_and_the_parent_are_those_that_dbos_records(database_url: str) -> None:
    command = [harness.peer_python(), "-c", PEER, harness.uri(database_url)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=50)
    assert done.returncode == 0, done.stderr
    id_ = next(line for line in done.stdout.splitlines() if line.startswith("id:"))[3:]
    theirs = steps(database_url, id_)
    assert theirs[:6] == [
        "DBOS.createSchedule",
        "DBOS.pauseSchedule",
        "DBOS.getSchedule",
        "DBOS.resumeSchedule",
        "DBOS.listSchedules",
        "DBOS.deleteSchedule",
    ]
    assert theirs[6] == "DBOS.debounce_delayed_workflow"
    parents = "SELECT parent_workflow_id FROM dbos.workflow_status WHERE name = 'index'"
    assert rows(database_url, parents) == [(id_,)]


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_crash_around_the_commit_doubles_nothing(database_url: str, when: str) -> None:
    command = [sys.executable, str(PROGRAM), database_url]
    dying = await asyncio.to_thread(
        subprocess.run, [*command, when], capture_output=True, text=True, check=False, timeout=50
    )
    assert dying.returncode == -9, dying.stderr
    indexes = "SELECT workflow_uuid, parent_workflow_id FROM dbos.workflow_status WHERE name = 'index'"
    assert len(rows(database_url, indexes)) == (0 if when == "before" else 1)
    assert steps(database_url, "edit-1") == ([] if when == "before" else ["DBOS.debounce_delayed_workflow"])
    done = await asyncio.to_thread(
        subprocess.run, [*command, "never"], capture_output=True, text=True, check=False, timeout=50
    )
    assert done.returncode == 0, done.stderr
    made = rows(database_url, indexes)
    assert [parent for _, parent in made] == ["edit-1"]
    assert done.stdout.splitlines() == ["ready", made[0][0]]
    assert status(database_url, "edit-1") == "SUCCESS"
