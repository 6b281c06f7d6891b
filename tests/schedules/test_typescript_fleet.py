"""A fleet with a real DBOS TypeScript application: each keeps its own schedules, both steer theirs."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta

import pytest

from durably import AsyncDBOSClient
from tests.engine.support import eventually, rows, status
from tests.interop import harness
from tests.schedules.test_fleet import SETTINGS, ours, without_gaps
from tests.schedules.test_scheduler import EVERY_SECOND

OURS, THEIRS = r"sched-mine-(\S{19}\+00:00)", r"sched-theirs-(\S{19}\.000Z)"
MANY = 20
DAY = {"start": "2026-01-01T00:00:00Z", "end": "2026-01-01T00:00:03Z"}


def fired(url: str, name: str, form: str) -> list[datetime]:
    """The ticks that have a run, whose id has this form and no other, in order."""
    query = "SELECT workflow_uuid FROM dbos.workflow_status WHERE schedule_name = %s ORDER BY 1"
    matches = [re.fullmatch(form, id_) for (id_,) in rows(url, query, name)]
    assert None not in matches, rows(url, query, name)
    return [datetime.fromisoformat(match[1]) for match in matches if match]


def unfinished(url: str) -> list[tuple[str]]:
    """The runs that both can read: TypeScript claims those with Python's pickles, too, and fails them."""
    query = "SELECT workflow_uuid FROM dbos.workflow_status WHERE serialization = %s AND status <> 'SUCCESS'"
    return rows(url, query, "js_superjson")


@pytest.mark.timeout(150)
async def test_each_tick_has_one_run_and_either_side_steers_the_others_schedule(database_url: str) -> None:
    url = harness.uri(database_url)
    app = await asyncio.to_thread(harness.typescript_app, url, **SETTINGS)
    try:
        await asyncio.to_thread(app.read_line, "READY", harness.START_SECONDS)
        theirs = await asyncio.to_thread(harness.PeerClient, "typescript", url, application_name="shared")
        mine = AsyncDBOSClient.create(system_database_url=database_url, application_name="shared")
        async with mine as client:
            with ours(database_url):
                await fires_together(database_url, client, theirs)
            await steer(database_url, client, theirs)
        theirs.close()
    finally:
        app.stop()


async def fires_together(url: str, client: AsyncDBOSClient, theirs: harness.PeerClient) -> None:
    common = {"workflowName": "echoAll", "workflowClassName": "Interop", "schedule": EVERY_SECOND}
    schedule = {**common, "scheduleName": "theirs", "context": {"a": 1}, "options": {"cronTimezone": "UTC"}}
    await asyncio.to_thread(theirs.call, "createSchedule", schedule=schedule)
    await client.create_schedule(
        schedule_name="mine", workflow_name="echoAll", workflow_class_name="Interop", schedule=EVERY_SECOND
    )
    await eventually(lambda: len(fired(url, "theirs", THEIRS)) >= MANY, seconds=60)
    assert len(fired(url, "mine", OURS)) >= MANY
    await asyncio.to_thread(theirs.call, "pauseSchedule", name="mine")
    await client.pause_schedule("theirs")
    await eventually(lambda: not unfinished(url), seconds=30)
    for name, form in (("mine", OURS), ("theirs", THEIRS)):
        assert without_gaps(ticks := fired(url, name, form)), ticks
        assert ticks[-1] < datetime.now(UTC) + timedelta(seconds=1)


async def steer(url: str, client: AsyncDBOSClient, theirs: harness.PeerClient) -> None:
    handle = await client.trigger_schedule("theirs")
    assert re.fullmatch(r"sched-theirs-trigger-\S{19}\.\d{3}Z", handle.workflow_id)
    instant, context = await asyncio.wait_for(handle.get_result(), 20)
    assert context == {"a": 1}
    assert handle.workflow_id.endswith(instant.isoformat(timespec="milliseconds").replace("+00:00", "Z"))
    day = [datetime.fromisoformat(DAY[end]) for end in ("start", "end")]
    filled = [each.workflow_id for each in await client.backfill_schedule("theirs", *day)]
    again = await asyncio.to_thread(theirs.call, "backfillSchedule", name="theirs", **DAY)
    assert filled == again == [f"sched-theirs-2026-01-01T00:00:0{n}.000Z" for n in (1, 2)]
    other = await asyncio.to_thread(theirs.call, "triggerSchedule", name="theirs")
    for id_ in (*filled, other):
        await eventually(lambda id_=id_: status(url, id_) == "SUCCESS", seconds=20)  # type: ignore[misc]
    query = "SELECT to_jsonb(s) - %s::text[] FROM dbos.workflow_status s WHERE workflow_uuid = %s"
    own = ["workflow_uuid", "created_at", "updated_at", "started_at_epoch_ms", "completed_at", "owner_xid"]
    ((made,),), ((peers,),) = rows(url, query, own, handle.workflow_id), rows(url, query, own, other)
    told = {name: (made[name], peers[name]) for name in peers if made[name] != peers[name]}
    assert told == {  # what says that there is none
        "application_id": (None, ""),
        "assumed_role": (None, ""),
        "authenticated_roles": (None, "[]"),
        "authenticated_user": (None, ""),
    }
