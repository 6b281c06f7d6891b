"""What fires when: one process, or several in one, on a real PostgreSQL."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from durably import ScheduleSpec, aio
from durably.app import App
from durably.errors import InvalidOption, ScheduleExists
from tests.engine.support import Statements, eventually, rows

EVERY_SECOND = "* * * * * *"
HOURLY = "0 * * * *"


def ticks(url: str, name: str) -> list[datetime]:
    """The times that have a run, in order."""
    query = "SELECT workflow_uuid FROM dbos.workflow_status WHERE schedule_name = %s ORDER BY 1"
    ids = [str(row[0]) for row in rows(url, query, name)]
    return [datetime.fromisoformat(id_.removeprefix(f"sched-{name}-")) for id_ in ids]


def ended(url: str, name: str) -> int:
    query = "SELECT count(*) FROM dbos.workflow_status WHERE schedule_name = %s AND status = 'SUCCESS'"
    return int(rows(url, query, name)[0][0])


def worker(url: str, got: list[Any], *, hold: asyncio.Event | None = None, name: str = "clockwork") -> App:
    app = App(name, system_database_url=url)

    @app.workflow(name="report")
    async def report(time: datetime, context: Any) -> None:
        got.append((time, context))
        if hold is not None:
            await aio.recv("go", timeout=None)

    app.schedule("every", report, EVERY_SECOND, context={"a": 1}, cron_timezone="Europe/Berlin")
    return app


def touch(url: str, name: str, **columns: Any) -> None:
    """Alter a schedule as a DBOS client would, without a notice."""
    changes = ", ".join(f"{column} = %s" for column in columns)
    query = f"UPDATE dbos.workflow_schedules SET {changes} WHERE schedule_name = %s"
    rows(url, query, *columns.values(), name)


def add(url: str, name: str, **columns: Any) -> None:
    """Write a schedule as a DBOS client would."""
    columns = {
        "schedule_id": name,
        "schedule_name": name,
        "workflow_name": "report",
        "schedule": EVERY_SECOND,
        "context": "gAROLg==",
    } | columns
    names, marks = ", ".join(columns), ", ".join(["%s"] * len(columns))
    rows(url, f"INSERT INTO dbos.workflow_schedules ({names}) VALUES ({marks})", *columns.values())


async def test_executors_together_fire_each_tick_once_and_none_is_left_out(database_url: str) -> None:
    got: list[Any] = []
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(3):
            await stack.enter_async_context(worker(database_url, got))
        await eventually(lambda: ended(database_url, "every") >= 4)
    fired = ticks(database_url, "every")
    assert fired == [fired[0] + timedelta(seconds=n) for n in range(len(fired))]
    assert len(got) == len({time for time, _ in got})
    assert got[0][1] == {"a": 1}
    assert str(got[0][0].tzinfo) == "Europe/Berlin"
    last = rows(database_url, "SELECT last_fired_at FROM dbos.workflow_schedules")[0][0]
    assert datetime.fromisoformat(last) == fired[-1]


async def test_a_fired_row_is_dbos_own(database_url: str) -> None:
    async with worker(database_url, []) as app:
        await eventually(lambda: ticks(database_url, "every"))
        columns = "serialization, creator_xid, schedule_name, priority, queue_name, application_name, "
        query = f"SELECT {columns} application_version FROM dbos.workflow_status LIMIT 1"
        internal = "_dbos_internal_queue"
        assert rows(database_url, query) == [
            (None, None, "every", 0, internal, "clockwork", app.version),
        ]


async def test_pause_and_resume_are_followed(database_url: str) -> None:
    async with worker(database_url, []) as app:
        await eventually(lambda: ticks(database_url, "every"))
        await app.client.pause_schedule("every")
        before = len(await stable(functools.partial(ticks, database_url, "every")))
        await app.client.resume_schedule("every")
        await eventually(lambda: len(ticks(database_url, "every")) > before)
        fired = ticks(database_url, "every")
    gaps = [b - a for a, b in itertools.pairwise(fired)]
    assert max(gaps) >= timedelta(seconds=2), "what was missed in the pause is not caught up"


async def stable(look: Callable[[], list[Any]]) -> list[Any]:
    """What does not change for longer than any tick needs."""
    seen, since = look(), asyncio.get_running_loop().time()
    while asyncio.get_running_loop().time() - since < 2.2:
        await asyncio.sleep(0.1)
        if (now := look()) != seen:
            seen, since = now, asyncio.get_running_loop().time()
    return seen


async def test_what_a_dbos_client_changes_is_followed_without_a_notice(database_url: str) -> None:
    async with worker(database_url, []):
        add(database_url, "foreign")
        await eventually(lambda: ticks(database_url, "foreign"))
        touch(database_url, "foreign", status="PAUSED")
        await stable(functools.partial(ticks, database_url, "foreign"))


async def test_runs_that_may_not_overlap_are_skipped(database_url: str) -> None:
    got: list[Any] = []
    app = worker(database_url, got, hold=asyncio.Event())
    async with app:
        await app.client.pause_schedule("every")
        await app.client.create_schedule(
            schedule_name="alone", workflow_name="report", schedule=EVERY_SECOND, overlap="skip"
        )
        await app.client.create_schedule(
            schedule_name="two", workflow_name="report", schedule=EVERY_SECOND, overlap="buffer_one"
        )
        query = "SELECT last_fired_at FROM dbos.workflow_schedules WHERE schedule_name = %s"

        def moved(name: str) -> Callable[[], bool]:
            def check() -> bool:
                fired, last = ticks(database_url, name), rows(database_url, query, name)[0][0]
                return bool(fired) and datetime.fromisoformat(last) >= fired[0] + timedelta(seconds=3)

            return check

        await eventually(moved("alone"))
        await eventually(moved("two"))
        assert len(ticks(database_url, "alone")) == 1
        assert len(ticks(database_url, "two")) == 2
        first = ticks(database_url, "alone")[0]
        await app.client.send(f"sched-alone-{first.isoformat()}", None, "go")
        await eventually(lambda: len(ticks(database_url, "alone")) == 2)
        await app.client.cancel_workflow(f"sched-two-{ticks(database_url, 'two')[0].isoformat()}")
        await eventually(lambda: len(ticks(database_url, "two")) == 3)


@pytest.mark.parametrize(("catch_up", "backfill"), [(0, False), (40, False), (0, True)])
async def test_what_was_missed_is_caught_up_as_far_as_asked(
    database_url: str, catch_up: int, backfill: bool
) -> None:
    app = worker(database_url, [])
    async with app:
        await app.client.delete_schedule("every")
        await app.client.create_schedule(
            schedule_name="missed",
            workflow_name="report",
            schedule=EVERY_SECOND,
            catch_up=catch_up,
            automatic_backfill=backfill,
        )
        await app.client.pause_schedule("missed")
    ago = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=60)
    rows(database_url, "DELETE FROM dbos.workflow_status")
    rows(database_url, "UPDATE durably.schedule_options SET since = %s", ago - timedelta(hours=1))
    touch(database_url, "missed", status="ACTIVE", last_fired_at=ago.isoformat())
    began = datetime.now(UTC)
    again = App("clockwork", system_database_url=database_url)
    async with again:
        await eventually(lambda: ended_or_waiting(database_url))
    fired = ticks(database_url, "missed")
    if backfill:
        assert fired[0] == ago + timedelta(seconds=1)
    elif catch_up:
        assert began - timedelta(seconds=catch_up + 1) < fired[0] < began
    else:
        assert fired[0] > began - timedelta(seconds=1)
    assert fired == [fired[0] + timedelta(seconds=n) for n in range(len(fired))]


def ended_or_waiting(url: str) -> bool:
    now = datetime.now(UTC) - timedelta(seconds=2)
    return any(tick >= now for tick in ticks(url, "missed"))


async def test_jitter_delays_a_run_and_not_its_time(database_url: str) -> None:
    app = worker(database_url, [])
    async with app:
        await app.client.create_schedule(
            schedule_name="late", workflow_name="report", schedule=EVERY_SECOND, jitter=1
        )
        await eventually(lambda: len(ticks(database_url, "late")) >= 6)
    query = "SELECT created_at, workflow_uuid FROM dbos.workflow_status WHERE schedule_name = 'late'"
    behind = [
        at / 1000 - datetime.fromisoformat(id_.removeprefix("sched-late-")).timestamp()
        for at, id_ in rows(database_url, query)
    ]
    assert min(behind) >= 0 and max(behind) - min(behind) > 0.1


async def test_rows_that_cannot_be_kept_are_told_and_skipped(database_url: str) -> None:
    async with worker(database_url, []) as app:
        add(database_url, "typescript", context='{"json":1,"__dbos_serializer":"superjson"}')
        add(database_url, "broken", schedule="61 * * * *")
        add(database_url, "nowhere", cron_timezone="Mars/Base")
        add(database_url, "code", context="gASVHgAAAAAAAACMBXBvc2l4lIwGc3lzdGVtlJOUjAR0cnVllIWUUpQu")
        expected = {
            "typescript": "DBOS TypeScript wrote it",
            "broken": "not a cron expression",
            "nowhere": "no such time zone",
            "code": "posix.system is no plain value",
        }

        def noted() -> dict[str, str]:
            return dict(rows(database_url, "SELECT schedule_id, note FROM durably.schedule_notes"))

        await eventually(lambda: len(noted()) == len(expected))
        notes = noted()
        assert {name: text in notes[name] for name, text in expected.items()} == dict.fromkeys(expected, True)
        many = len(ticks(database_url, "every"))
        await eventually(lambda: len(ticks(database_url, "every")) > many)
        assert [ticks(database_url, name) for name in expected] == [[]] * len(expected)
        problem = (await app.client.get_schedule("typescript")).problem
        assert problem is not None and "only its own processes fire" in problem
        touch(database_url, "typescript", context="gAROLg==")
        await eventually(lambda: "typescript" not in noted())


async def test_a_schedule_of_an_unknown_workflow_is_explained(database_url: str) -> None:
    async with worker(database_url, []) as app:
        await app.client.create_schedule(schedule_name="odd", workflow_name="nobody", schedule=EVERY_SECOND)
        await eventually(lambda: ticks(database_url, "odd"))
        await eventually(lambda: rows(database_url, "SELECT 1 FROM durably.schedule_notes"))
        problem = (await app.client.get_schedule("odd")).problem
    assert problem is not None
    assert "application 'clockwork' has no workflow 'nobody'" in problem and "its runs wait" in problem


async def test_other_applications_schedules_are_theirs(database_url: str) -> None:
    async with worker(database_url, []):
        add(database_url, "theirs", application_name="bank")
        await eventually(lambda: len(ticks(database_url, "every")) >= 3)
        assert ticks(database_url, "theirs") == []


async def test_a_machine_whose_clock_is_ahead_fires_at_the_databases_time(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from durably.engine.engine import Engine

    def ahead(self: Engine, database_now: float, seen: float | None = None) -> None:
        self.resources.clock_offset = 30.0

    monkeypatch.setattr(Engine, "_set_clock", ahead)
    async with worker(database_url, []):
        await eventually(lambda: ticks(database_url, "every"), seconds=45)
    query = "SELECT created_at, workflow_uuid FROM dbos.workflow_status"
    for at, id_ in rows(database_url, query):
        assert datetime.fromisoformat(id_.removeprefix("sched-every-")).timestamp() <= at / 1000


async def test_applying_again_keeps_what_an_operator_did(database_url: str) -> None:
    async with worker(database_url, []) as app:
        await app.client.pause_schedule("every")
        first = await app.client.get_schedule("every")
    async with worker(database_url, []) as app:
        again = await app.client.get_schedule("every")
    assert (again.schedule_id, again.status) == (first.schedule_id, "PAUSED")


def declaring(url: str, schedule: str) -> App:
    app = App("clockwork", system_database_url=url)

    @app.workflow(name="report")
    async def report(time: datetime, context: Any) -> None: ...

    app.schedule("declared", report, schedule, context={"a": [1]}, overlap="skip")
    return app


async def test_what_was_changed_at_run_time_outlives_a_restart_and_not_new_code(database_url: str) -> None:
    async with declaring(database_url, HOURLY) as app:
        told = await app.client.get_schedule("declared")
        assert (told.declared, told.changed) == (True, ())
        edited = ScheduleSpec(
            schedule_name="declared", workflow_name="report", schedule="7 * * * *", jitter=2
        )
        await app.client.apply_schedules([edited])
        await app.client.pause_schedule("declared")
    async with declaring(database_url, HOURLY) as app:
        told = await app.client.get_schedule("declared")
        assert (told.schedule, told.status, told.jitter) == ("7 * * * *", "PAUSED", 2)
        assert (told.declared, set(told.changed)) == (
            True,
            {"schedule", "context", "jitter", "overlap", "status"},
        )
    async with declaring(database_url, "9 * * * *") as app:
        told = await app.client.get_schedule("declared")
        assert (told.schedule, told.status, told.overlap) == ("9 * * * *", "PAUSED", "skip")
        assert told.changed == ("status",)


async def test_a_declared_schedule_that_was_deleted_is_created_again(database_url: str) -> None:
    async with declaring(database_url, HOURLY) as app:
        await app.client.delete_schedule("declared")
        assert rows(database_url, "SELECT 1 FROM durably.declared_schedules") == []
    async with declaring(database_url, HOURLY) as app:
        assert (await app.client.get_schedule("declared")).declared
        made = await app.client.create_schedule(
            schedule_name="by-hand", workflow_name="report", schedule=HOURLY
        )
        assert (made.declared, made.changed) == (False, ())


async def test_another_applications_name_is_refused_at_launch(database_url: str) -> None:
    async with worker(database_url, []):
        pass
    with pytest.raises(ScheduleExists, match="belongs to application 'clockwork', not to 'other'"):
        async with worker(database_url, [], name="other"):
            pass


def test_an_expression_that_cannot_be_read_is_refused_where_it_is_written() -> None:
    app = App("a")

    @app.workflow(name="w")
    async def w(time: datetime, context: Any) -> None: ...

    with pytest.raises(InvalidOption, match="schedule='nonsense': not a cron expression"):
        app.schedule("s", w, "nonsense")


async def test_a_thousand_idle_schedules_cost_one_query_a_second(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for statement in (
        "INSERT INTO dbos.workflow_schedules (schedule_id, schedule_name, workflow_name, schedule, context)"
        " SELECT 's' || n, 's' || n, 'report', '0 0 1 1 *', 'gAROLg==' FROM generate_series(1, 1000) n",
    ):
        rows(database_url, statement)
    app = App("idle", system_database_url=database_url)

    @app.workflow(name="report")
    async def report(time: datetime, context: Any) -> None: ...

    asked = Statements(monkeypatch)
    async with app:
        await asyncio.sleep(3)  # until the pulse has slowed down; nothing tells of it
        assert ("schedules/load",) in [trip[:1] for trip in asked.trips]
        asked.trips.clear()
        await asyncio.sleep(6)
        assert {trip[0] for trip in asked.trips} >= {"hub/pulse", "executors/beat"}
        assert len(asked.trips) <= 7, asked.trips


async def test_a_schedule_that_has_come_to_its_end_is_no_error(database_url: str) -> None:
    async with worker(database_url, []) as app:
        add(database_url, "ended", schedule="0 0 0 1 1 * 2020")
        await eventually(lambda: len(ticks(database_url, "every")) >= 3)
        ended = await app.client.get_schedule("ended")
        assert (ended.status, ended.next_fire_at, ended.problem) == ("ACTIVE", None, None)
        assert await app.client.preview_schedule("ended") == []
