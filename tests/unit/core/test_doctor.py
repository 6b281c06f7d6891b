"""What a diagnosis makes of readings, those that no test can bring about included."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from durably.core.doctor import judge
from durably.core.doctor import readings as read
from durably.core.doctor.readings import Readings
from durably.types import Finding

NOW = 1_780_000_000.0
SERVER = read.Server(
    version="18.1",
    version_number=180001,
    now=NOW,
    role="app",
    database="shop_dbos_sys",
    backend_pid=7,
    is_standby=False,
    is_read_only=False,
    fsync=True,
    full_page_writes=True,
    synchronous_commit="on",
    autovacuum=True,
    track_counts=True,
    max_connections=100,
    reserved_connections=3,
    connections=10,
    database_connections=-1,
    role_connections=-1,
)
LINK = read.Link(asked=NOW - 0.001, answered=NOW + 0.001, pid=7, heard=0.002)
TABLE = read.Table(
    schema="dbos",
    name="workflow_status",
    live=100,
    dead=0,
    bytes=8192,
    vacuumed_ago=60.0,
    is_autovacuum_off=False,
    is_unlogged=False,
    xid_age=1000,
)
WORK = read.Queued(
    queue_name="q",
    application_name="shop",
    app_version="v1",
    workflows=3,
    oldest_seconds=5.0,
    example="w-1",
    is_registered=True,
)
ALIVE = read.Executor(
    executor_id="e1", application_name="shop", app_version="v1", is_open=True, expired_seconds=-10.0
)
SCHEDULE = read.ScheduleReading(
    schedule_name="nightly",
    schedule="* * * * *",
    cron_timezone=None,
    status="ACTIVE",
    last_fired_at=None,
    application_name="shop",
    jitter=0.0,
    problem=None,
)


def found(check: str, **parts: Any) -> list[Finding]:
    readings = Readings(place="postgresql://db/shop", **{"server": SERVER, "link": LINK, **parts})
    return [each for each in judge(readings) if each.check == check]


def one(check: str, **parts: Any) -> Finding:
    (finding,) = found(check, **parts)
    return finding


@pytest.mark.parametrize(
    ("said", "kind", "advice"),
    [
        ('could not translate host name "db"', "DNS", "host's name"),
        ("[Errno -2] Name or service not known", "DNS", "host's name"),
        ("connection failed: Connection refused", "refused", "is PostgreSQL running"),
        ('FATAL: password authentication failed for user "app"', "auth", "password"),
        ("FATAL: no pg_hba.conf entry for host", "auth", "pg_hba.conf"),
        ('FATAL: database "shop" does not exist', "no database", "db migrate"),
        ("FATAL: sorry, too many clients already", "full", "max_connections"),
        ("connection timeout expired", "network", "firewall"),
        ("FATAL: the database system is starting up", "the server is starting", "wait"),
        ("SSL error: certificate verify failed", "TLS", "sslmode"),
        ("the moon is full", "the moon is full", "postgresql://db/shop"),
    ],
)
def test_why_there_is_no_connection(said: str, kind: str, advice: str) -> None:
    (finding,) = judge(Readings(place="postgresql://db/shop", unreachable=said))
    assert (finding.check, finding.level) == ("connection", "error")
    assert finding.seen.startswith(kind)
    assert said in finding.seen
    assert advice in str(finding.advice)


@pytest.mark.parametrize(
    ("check", "level", "server", "link"),
    [
        ("connection", "ok", {}, {}),
        ("connection", "error", {"is_standby": True}, {}),
        ("connection", "error", {"is_read_only": True}, {}),
        ("connection", "warning", {}, {"asked": NOW - 0.5}),
        ("server", "error", {"version_number": 120001}, {}),
        ("clock", "ok", {"now": NOW + 0.5}, {}),
        ("clock", "warning", {"now": NOW + 3}, {}),
        ("clock", "error", {"now": NOW - 300}, {}),
        ("clock", "ok", {"now": NOW + 3}, {"asked": NOW - 5, "answered": NOW + 5}),  # the doubt is larger
        ("notices", "ok", {}, {"pid": 1}),
        ("notices", "warning", {}, {"heard": None}),
        ("notices", "warning", {}, {"heard": None, "pid": 1}),
        ("notices", "warning", {}, {"heard": None, "refused": "cannot LISTEN during recovery"}),
        ("durability", "error", {"fsync": False}, {}),
        ("durability", "error", {"full_page_writes": False}, {}),
        ("durability", "error", {"synchronous_commit": "off"}, {}),
        ("durability", "ok", {"synchronous_commit": "remote_apply"}, {}),
        ("connections", "ok", {"connections": 80}, {}),
        ("connections", "warning", {"connections": 90}, {}),
        ("connections", "error", {"connections": 96}, {}),
    ],
)
def test_the_server_is_judged(check: str, level: str, server: dict[str, Any], link: dict[str, Any]) -> None:
    finding = one(check, server=replace(SERVER, **server), link=replace(LINK, **link))
    assert (finding.level, finding.seen != "") == (level, True)
    assert level == "ok" or finding.advice


def test_a_pooler_is_named() -> None:
    assert "pooler in transaction" in one("notices", link=replace(LINK, heard=None, pid=1)).seen


@pytest.mark.parametrize(
    ("level", "server", "table"),
    [
        ("ok", {}, {}),
        ("ok", {}, {"dead": 20_000, "live": 1_000_000}),
        ("warning", {}, {"dead": 20_000, "live": 1000, "vacuumed_ago": None}),
        ("warning", {}, {"is_autovacuum_off": True}),
        ("error", {"autovacuum": False}, {}),
        ("error", {"track_counts": False}, {}),
        ("error", {}, {"xid_age": 1_900_000_000}),
    ],
)
def test_vacuum_is_judged(level: str, server: dict[str, Any], table: dict[str, Any]) -> None:
    finding = one("vacuum", server=replace(SERVER, **server), tables=[replace(TABLE, **table)])
    assert finding.level == level


def test_an_unlogged_table_is_an_error() -> None:
    finding = one("durability", tables=[replace(TABLE, is_unlogged=True)])
    assert (finding.level, "workflow_status" in finding.seen) == ("error", True)


def test_what_holds_vacuum_back_is_named_with_how_to_end_it() -> None:
    def holder(kind: str, name: str, seconds: float | None) -> read.Holder:
        return read.Holder(kind=kind, name=name, role="bi", state="idle", seconds=seconds, hidden=2)

    rows = [holder("transaction", "4711", 7200.0), holder("prepared", "gid-1", 400.0)]
    finding = one("transactions", holders=[*rows, holder("slot", "replica", None)])
    assert finding.level == "error"
    assert finding.examples[0] == "pid 4711 of bi (idle, 2 h)"
    assert "'gid-1'" in finding.examples[1]
    assert "pg_terminate_backend" in str(finding.advice)
    assert "2 sessions of other roles cannot be seen" in finding.seen


def test_nothing_holds_vacuum_back() -> None:
    none = read.Holder(kind=None, name=None, role=None, state=None, seconds=None, hidden=0)
    assert one("transactions", holders=[none]).level == "ok"


def state(**changes: Any) -> read.SchemaReading:
    given: dict[str, Any] = {
        "generation": 125,
        "extension": 9,
        "exists": True,
        "has_notify_trigger": True,
        "problems": (),
        "needed_generation": 123,
        "known_generation": 125,
        "known_extension": 9,
        "indexes": {"idx": "workflow_status"},
    }
    return read.SchemaReading(**given | changes)


@pytest.mark.parametrize(
    ("check", "level", "changes"),
    [
        ("schema", "ok", {}),
        ("schema", "ok", {"generation": 130}),
        ("schema", "warning", {"generation": 123}),
        ("schema", "error", {"generation": 100}),
        ("schema", "error", {"exists": False, "generation": None}),
        ("schema", "error", {"problems": ("table queues is missing",)}),
        ("schema", "warning", {"generation": None}),
        ("extension", "ok", {}),
        ("extension", "warning", {"extension": None}),
        ("extension", "warning", {"extension": 3}),
        ("extension", "warning", {"extension": 30}),
    ],
)
def test_the_tables_are_judged(check: str, level: str, changes: dict[str, Any]) -> None:
    assert one(check, schema=state(**changes)).level == level


def test_indexes_that_are_missing_or_broken() -> None:
    broken = read.Index(schema="dbos", table_name="workflow_status", name="idx", is_valid=False)
    assert one("indexes", schema=state(), indexes=[broken]).level == "error"
    assert one("indexes", schema=state(), indexes=[]).examples == ("idx on workflow_status",)
    assert (
        one("indexes", schema=state(generation=130), indexes=[]).level == "ok"
    )  # names may be others by then
    assert one("indexes", schema=state(), indexes=[replace(broken, is_valid=True)]).level == "ok"


@pytest.mark.parametrize(
    ("work", "executors", "says"),
    [
        ({}, [ALIVE], None),
        ({"is_registered": False}, [ALIVE], "no application has registered the queue 'q'"),
        ({"is_registered": False, "queue_name": "_dbos_internal_queue"}, [ALIVE], None),
        ({}, [replace(ALIVE, expired_seconds=30.0)], "no worker of shop runs"),
        ({}, [], None),  # DBOS's own processes may run it: they leave no trace
        ({"app_version": "v0"}, [ALIVE], None),  # a version of DBOS's, perhaps
        (
            {"app_version": "v0"},
            [ALIVE, replace(ALIVE, app_version="v0", is_open=False, expired_seconds=9.0)],
            "they are for version v0, and none of its workers runs",
        ),
        (
            {"app_version": None},
            [replace(ALIVE, app_version="v0"), replace(ALIVE, is_open=False, expired_seconds=9.0)],
            "they are for the latest version, version v1",
        ),
    ],
)
def test_work_that_nobody_can_start(
    work: dict[str, Any], executors: list[read.Executor], says: str | None
) -> None:
    findings = found(
        "queues",
        queued=[replace(WORK, **work)],
        executors=executors,
        versions=[read.Version(version_name="v1", application_name="shop")],
    )
    errors = [each for each in findings if each.level == "error"]
    assert len(errors) == (says is not None)
    if says is not None:
        assert says in errors[0].seen
        assert "3 workflows" in errors[0].seen
        assert "w-1" in errors[0].examples[0]


def test_a_backlog_says_whom_to_ask() -> None:
    finding = one("queues", queued=[replace(WORK, oldest_seconds=7200.0)], executors=[ALIVE])
    assert finding.level == "warning"
    assert "durably explain w-1" in str(finding.advice)


def test_work_of_a_lapsed_executor_that_nobody_adopts() -> None:
    running = [read.Running(executor_id="e1", workflows=2, example="w-7")]
    finding = one("executors", executors=[replace(ALIVE, expired_seconds=90.0)], running=running)
    assert finding.level == "error"
    assert "start a worker of shop" in str(finding.advice)
    assert "w-7" in finding.examples[0]
    assert one("executors", executors=[ALIVE], running=running).level == "ok"


def test_what_dbos_processes_run_is_not_guessed_at() -> None:
    running = [read.Running(executor_id="local", workflows=2, example="w-7")]
    finding = one("executors", executors=[], running=running)
    assert (finding.level, "hold no lease" in finding.seen) == ("ok", True)


def test_what_is_set_aside_is_counted_up_to_a_thousand() -> None:
    finding = one("dead_letters", dead_letters=read.Group(workflows=1001, examples=["w-1"]))
    assert finding.seen.startswith("more than 1,000 workflows")
    assert one("stranded", stranded=read.Group(workflows=1, examples=["w-1"])).level == "error"
    assert one("stranded", stranded=read.Group(workflows=0, examples=None)).level == "ok"


@pytest.mark.parametrize(
    ("level", "changes"),
    [
        ("ok", {}),
        ("ok", {"last_fired_at": "2026-05-28T20:26:00+00:00"}),  # NOW is 20 seconds past the minute after
        ("error", {"last_fired_at": "2026-05-28T20:20:00+00:00"}),
        ("ok", {"last_fired_at": "2026-05-28T20:20:00+00:00", "jitter": 3600.0}),
        ("ok", {"last_fired_at": "2026-05-28T20:20:00+00:00", "status": "PAUSED"}),
        ("ok", {"last_fired_at": "no time"}),
        ("error", {"last_fired_at": "2026-05-28T20:26:00+00:00", "schedule": "every day"}),
        ("error", {"problem": "no such workflow"}),
    ],
)
def test_schedules_that_are_late(level: str, changes: dict[str, Any]) -> None:
    assert one("schedules", schedules=[replace(SCHEDULE, **changes)]).level == level


def test_a_paused_queue_says_where_and_why() -> None:
    pause = read.Pause(queue_name="q", executor_id="", reason="deploy", seconds=7200.0)
    finding = one("queues", pauses=[pause])
    assert (finding.level, finding.examples) == ("warning", ("q everywhere for 2 h: deploy",))


def test_what_could_not_be_read_is_told_once_for_each_reason() -> None:
    finding = one("unread", unread={"queued": "permission denied", "running": "permission denied"})
    assert finding.seen == "queued, running could not be looked at: permission denied"
