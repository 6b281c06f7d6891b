"""Schedules through the client of either colour: rows, verbs, and every error."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from durably import DBOSClient, ScheduleSpec
from durably.app import App
from durably.codec import Pickle
from durably.errors import (
    DecodeError,
    EncodeError,
    InvalidOption,
    NoSuchSchedule,
    ScheduleExists,
)
from tests.client.conftest import NewId, Rows
from tests.engine.support import rows as look

HOURLY = "0 * * * *"


@pytest.fixture
def name(new_id: NewId) -> str:
    return new_id("schedule")


def make(client: DBOSClient, name: str, **options: Any) -> Any:
    return client.create_schedule(
        **{"schedule_name": name, "workflow_name": "report", "schedule": HOURLY} | options
    )


def test_a_schedule_has_dbos_row(client: DBOSClient, rows: Rows, name: str) -> None:
    made = make(client, name, context={"a": [1, None]}, cron_timezone="Europe/Berlin")
    (row,) = rows.run("SELECT * FROM dbos.workflow_schedules WHERE schedule_name = %s", name)
    assert row | {"schedule_id": "", "context": ""} == {
        "schedule_id": "",
        "schedule_name": name,
        "workflow_name": "report",
        "workflow_class_name": None,
        "schedule": HOURLY,
        "status": "ACTIVE",
        "context": "",
        "last_fired_at": None,
        "automatic_backfill": False,
        "cron_timezone": "Europe/Berlin",
        "queue_name": None,
        "application_name": None,
    }
    assert Pickle().decode(row["context"]) == {"a": [1, None]} == made.context
    assert (made.catch_up, made.jitter, made.overlap, made.problem) == (60, 0, "allow", None)
    assert made.next_fire_at is not None and made.next_fire_at > datetime.now(UTC)


def test_no_context_is_what_dbos_writes(client: DBOSClient, rows: Rows, name: str) -> None:
    make(client, name)
    assert rows.run("SELECT context FROM dbos.workflow_schedules WHERE schedule_name = %s", name) == [
        {"context": "gAROLg=="}
    ]


def test_pause_resume_delete(client: DBOSClient, name: str) -> None:
    make(client, name, overlap="skip", jitter=3)
    client.pause_schedule(name)
    paused = client.get_schedule(name)
    assert (paused.status, paused.next_fire_at, paused.overlap, paused.jitter) == ("PAUSED", None, "skip", 3)
    assert name in [each.schedule_name for each in client.list_schedules(status="PAUSED")]
    assert name not in [each.schedule_name for each in client.list_schedules(status="ACTIVE")]
    client.resume_schedule(name)
    assert client.get_schedule(name).status == "ACTIVE"
    assert client.delete_schedule(name)
    assert not client.delete_schedule(name)
    assert client.list_schedules(schedule_name_prefix=name) == []


def test_apply_replaces_what_it_does_and_keeps_its_state(client: DBOSClient, name: str) -> None:
    before = make(client, name)
    client.pause_schedule(name)
    spec = ScheduleSpec(schedule_name=name, workflow_name="other", schedule="5 4 * * *", overlap="buffer_one")
    (after,) = client.apply_schedules([spec])
    assert (after.workflow_name, after.schedule, after.overlap) == ("other", "5 4 * * *", "buffer_one")
    assert (after.schedule_id, after.status) == (before.schedule_id, "PAUSED")


def test_of_many_to_apply_one_that_is_wrong_writes_none(client: DBOSClient, name: str) -> None:
    good = ScheduleSpec(schedule_name=name, workflow_name="w", schedule=HOURLY)
    bad = ScheduleSpec(schedule_name=name + "2", workflow_name="w", schedule="nonsense")
    with pytest.raises(InvalidOption):
        client.apply_schedules([good, bad])
    with pytest.raises(NoSuchSchedule):
        client.get_schedule(name)


def test_a_trigger_is_dbos_row(client: DBOSClient, rows: Rows, name: str) -> None:
    make(client, name, context=7, queue_name="reports", application_name="shop")
    client.pause_schedule(name)
    id_ = client.trigger_schedule(name).workflow_id
    assert re.fullmatch(rf"sched-{name}-trigger-\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{6}}\+00:00", id_)
    row = rows.workflow(id_)
    shown = ("status", "name", "class_name", "queue_name", "serialization", "creator_xid", "executor_id")
    assert [row[column] for column in shown] == ["ENQUEUED", "report", None, "reports", None, None, None]
    assert (row["application_name"], row["schedule_name"], row["priority"]) == ("shop", name, 0)
    arguments = Pickle().decode(rows.inputs(id_))
    assert arguments["kwargs"] == {}
    assert (arguments["args"][0].isoformat(), arguments["args"][1]) == (id_.partition("trigger-")[2], 7)


def test_a_backfill_takes_both_ends_out_and_runs_no_time_twice(
    client: DBOSClient, rows: Rows, name: str
) -> None:
    make(client, name, cron_timezone="Europe/Berlin")
    first = client.backfill_schedule(name, datetime(2026, 10, 25, 0), datetime(2026, 10, 25, 3))
    expected = [f"sched-{name}-2026-10-25T02:00:00+01:00", f"sched-{name}-2026-10-25T03:00:00+01:00"]
    assert [handle.workflow_id for handle in first] == expected
    many = rows.count()
    again = client.backfill_schedule(name, datetime(2026, 10, 25, 0), datetime(2026, 10, 25, 4))
    assert [handle.workflow_id for handle in again][:2] == expected
    assert (len(again), rows.count()) == (3, many + 1)


def test_a_preview_shows_what_a_change_of_the_clock_does(client: DBOSClient, name: str) -> None:
    make(client, name, schedule="30 2 * * *", cron_timezone="Europe/Berlin")
    times = client.preview_schedule(name, 2, after=datetime(2027, 3, 27, 12))
    assert [time.isoformat() for time in times] == ["2027-03-28T03:00:00+02:00", "2027-03-29T02:30:00+02:00"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"schedule": "nonsense"}, "schedule='nonsense': not a cron expression"),
        ({"schedule": "0 0 31 2 *"}, "schedule='0 0 31 2 *': it never fires after"),
        ({"schedule": 5}, "schedule=5: expected a cron expression"),
        ({"cron_timezone": "Mars/Base"}, "cron_timezone='Mars/Base': no such time zone"),
        ({"overlap": "never"}, "overlap='never': "),
        ({"jitter": -1}, "jitter=-1: "),
        ({"catch_up": "long"}, "catch_up='long': "),
        ({"automatic_backfill": "yes"}, "automatic_backfill='yes': True or False"),
        ({"queue_name": "_dbos_mine"}, "queue_name='_dbos_mine': names that begin with _dbos_"),
        ({"workflow_name": ""}, "workflow_name='': "),
    ],
)
def test_what_cannot_work_is_refused(
    client: DBOSClient, rows: Rows, name: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidOption, match=re.escape(message)):
        make(client, name, **options)
    assert rows.run("SELECT FROM dbos.workflow_schedules WHERE schedule_name = %s", name) == []


class Mine:
    """Something that only this test can read."""


def test_a_context_that_others_cannot_read_is_refused(client: DBOSClient, name: str) -> None:
    with pytest.raises(EncodeError, match=rf"context of schedule '{name}'.*every process can read"):
        make(client, name, context=Mine())


def test_a_second_schedule_of_a_name_is_refused(client: DBOSClient, name: str) -> None:
    make(client, name)
    with pytest.raises(ScheduleExists, match=f"schedule '{name}' exists already: use apply_schedules"):
        make(client, name)


def test_another_applications_schedule_is_refused(client: DBOSClient, name: str) -> None:
    make(client, name, application_name="shop")
    spec = ScheduleSpec(schedule_name=name, workflow_name="w", schedule=HOURLY, application_name="bank")
    with pytest.raises(ScheduleExists, match=r"belongs to application 'shop', not to 'bank'.*another one"):
        client.apply_schedules([spec])
    assert client.get_schedule(name).workflow_name == "report"


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.get_schedule("gone"),
        lambda client: client.pause_schedule("gone"),
        lambda client: client.resume_schedule("gone"),
        lambda client: client.trigger_schedule("gone"),
        lambda client: client.preview_schedule("gone"),
        lambda client: client.backfill_schedule("gone", datetime(2026, 1, 1), datetime(2026, 1, 2)),
    ],
)
def test_a_schedule_that_is_not_there_is_told(client: DBOSClient, call: Callable[[DBOSClient], Any]) -> None:
    with pytest.raises(NoSuchSchedule, match="no schedule 'gone': create it"):
        call(client)


def test_a_range_that_is_none_is_refused(client: DBOSClient, name: str) -> None:
    make(client, name, schedule="* * * * * *")
    day = datetime(2026, 1, 2)
    with pytest.raises(InvalidOption, match=r"end=.*later than start"):
        client.backfill_schedule(name, day, day)
    with pytest.raises(InvalidOption, match="start='today': expected a datetime"):
        client.backfill_schedule(name, "today", day)  # type: ignore[arg-type]
    with pytest.raises(InvalidOption, match="more than 100,000 times: take a shorter range"):
        client.backfill_schedule(name, datetime(2025, 1, 1), day)


def test_a_schedule_of_dbos_typescript_is_told(client: DBOSClient, rows: Rows, name: str) -> None:
    make(client, name)
    rows.run(
        "UPDATE dbos.workflow_schedules SET context = %s WHERE schedule_name = %s",
        '{"json":null,"__dbos_serializer":"superjson"}',
        name,
    )
    problem = client.get_schedule(name).problem
    assert problem is not None and "DBOS TypeScript wrote it" in problem
    id_ = client.trigger_schedule(name).workflow_id
    assert re.fullmatch(rf"sched-{name}-trigger-\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{3}}Z", id_)
    assert rows.workflow(id_)["serialization"] == "js_superjson"
    with pytest.raises(InvalidOption, match=r"cron_timezone=None: DBOS TypeScript keeps .* local time zone"):
        client.backfill_schedule(name, datetime(2026, 1, 1), datetime(2026, 1, 2))
    both = "UPDATE dbos.workflow_schedules SET cron_timezone = 'UTC', schedule = %s WHERE schedule_name = %s"
    rows.run(both, "0 0 1 * MON", name)
    with pytest.raises(InvalidOption, match="it means both: fill it there"):
        client.backfill_schedule(name, datetime(2026, 1, 1), datetime(2026, 1, 2))
    rows.run(both, "0 * 1 * *", name)
    (filled,) = client.backfill_schedule(name, datetime(2026, 1, 1), datetime(2026, 1, 1, 2))
    assert filled.workflow_id == f"sched-{name}-2026-01-01T01:00:00.000Z"


def test_a_context_that_nobody_here_can_read_is_told(client: DBOSClient, rows: Rows, name: str) -> None:
    make(client, name)
    rows.run("UPDATE dbos.workflow_schedules SET context = 'secret' WHERE schedule_name = %s", name)
    with pytest.raises(DecodeError, match="it is not pickled"):
        client.trigger_schedule(name)


async def test_a_scheduled_run_runs_in_an_application_that_allows_no_pickles(database_url: str) -> None:
    app = App("reports", system_database_url=database_url)
    got: list[Any] = []

    @app.step(name="keep")
    def keep(value: list[int]) -> list[int]:
        return value

    @app.workflow(name="report")
    def report(time: datetime, context: dict[str, list[int]]) -> list[int]:
        got.extend([time, context])
        return keep(context["a"])

    async with app:
        await app.client.create_schedule(
            schedule_name="s", workflow_name="report", schedule=HOURLY, context={"a": [1]}
        )
        handle = await app.client.trigger_schedule("s")
        assert await asyncio.wait_for(handle.get_result(), 15) == [1]
    assert (got[0].tzinfo, got[1]) == (UTC, {"a": [1]})
    (version,) = look(database_url, "SELECT application_version FROM dbos.workflow_status")[0]
    assert version == app.version
    output = look(database_url, "SELECT output FROM dbos.workflow_output")[0][0]
    assert Pickle().decode(output) == [1]
