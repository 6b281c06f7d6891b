"""The ten invariants of the engine. Each is checked twice: as it is, and broken on purpose, which shows."""

from __future__ import annotations

import asyncio
import base64
import os
import pickle
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from durably import aio
from durably.app import App
from durably.concurrency.ticket import Ticket
from durably.concurrency.world import RealWorld
from durably.core.ports import Claim, ExecutorIdentity
from durably.core.records import Create, Finish, Record, Step
from durably.engine.claims import Claims
from durably.engine.engine import Engine
from durably.engine.registry import Registry
from durably.engine.run import Run
from durably.errors import RunInterrupted
from durably.store import connections, hub
from durably.store import writer as writer_module
from durably.store.database import Database
from durably.store.postgres import PostgresStore
from durably.store.writer import Writer
from tests.engine.support import Statements, enqueue, eventually, mutate, rows, status

broken = pytest.mark.parametrize("is_broken", [False, True], ids=["as it is", "broken on purpose"])


def operations(url: str, workflow_id: str) -> int:
    query = "SELECT count(*) FROM dbos.operation_outputs WHERE workflow_uuid = %s"
    return int(rows(url, query, workflow_id)[0][0])


# -- 1 -----------------------------------------------------------------------------------------------------


class Environment:
    """An application whose steps read what changes from one process to the next."""

    def __init__(self, url: str) -> None:
        self.app = App("one", system_database_url=url)
        self.app.queue("q")
        self.value = ""
        self.bodies = 0

        @self.app.step(name="read")
        async def read() -> str:
            self.bodies += 1
            return self.value

        @self.app.workflow(name="reader")
        async def reader() -> list[Any]:
            seen = [await read(), str(await aio.now()), await aio.random(), str(await aio.uuid4())]
            await aio.set_event("seen", seen)
            await aio.recv("go", timeout=None)
            return [*seen, await read()]


@broken
async def test_1_the_future_depends_on_inputs_and_records_only(
    database_url: str, is_broken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if is_broken:

        async def no_history(self: Claims, claimed: Any) -> dict[str, list[Any]]:
            return {}

        monkeypatch.setattr(Claims, "_history", no_history)
    first, second = Environment(database_url), Environment(database_url)
    first.value, second.value = "before", "after"
    query = "SELECT value FROM dbos.workflow_events WHERE workflow_uuid = 'w'"
    async with first.app:
        enqueue(database_url, "w", "reader")
        await eventually(lambda: rows(database_url, query))
    async with second.app:
        await eventually(lambda: second.bodies or second.app._engine_running().executor._parked)
        if is_broken:
            assert second.bodies, "the broken engine runs a recorded step again"
            return
        await second.app.client.send("w", None, "go")
        *replayed, last = await second.app.client.retrieve_workflow("w").get_result(timeout=10)
    assert (first.bodies, second.bodies) == (1, 1)
    assert replayed[0] == "before"
    assert last == "after"
    assert rows(database_url, query) == [(_json(replayed),)]


def _json(value: Any) -> str:
    import msgspec

    return msgspec.json.encode(value).decode()


# -- 2 -----------------------------------------------------------------------------------------------------


class EagerWriter(Writer):
    """Says that a step is recorded before it is."""

    def submit(self, record: Record) -> Ticket:
        ticket = super().submit(record)
        if isinstance(record, Step):
            ticket.resolve(None)
        return ticket


@broken
async def test_2_an_outcome_is_durable_before_control_returns(
    database_url: str, is_broken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if is_broken:
        monkeypatch.setattr("durably.engine.engine.Writer", EagerWriter)
    app = App("two", system_database_url=database_url)

    @app.step(name="one")
    async def one() -> int:
        return 1

    @app.workflow(name="witness")
    async def witness() -> list[int]:
        seen = []
        for _ in range(5):
            await one()
            seen.append(
                operations(database_url, aio.workflow_id())
            )  # from another connection, at this moment
        return seen

    async with app:
        seen = await witness()
    assert (seen != [1, 2, 3, 4, 5]) == is_broken


# -- 3 and 4: the store, with two owners -------------------------------------------------------------------


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[PostgresStore]:
    pool = Database(database_url, max_size=4)
    await pool.open()
    yield PostgresStore(pool, "app", RealWorld())
    await pool.close()


def executor(name: str) -> ExecutorIdentity:
    return ExecutorIdentity(
        executor_id=name,
        application_name="app",
        app_version="1",
        host="here",
        pid=1,
        process_start="1",
        lease_seconds=60.0,
    )


def started(owner: str) -> Create:
    return Create(
        workflow_id="w",
        creator=owner,
        owner=owner,
        name="f",
        inputs="{}",
        serialization="portable_json",
        run_now=True,
        executor_id="e",
        app_version="1",
        application_name="app",
    )


def outcome(owner: str, output: str, at: int) -> Step:
    return Step(
        workflow_id="w",
        owner=owner,
        function_id=1,
        function_name="s",
        output=output,
        serialization="portable_json",
        started_at=at,
        completed_at=at,
    )


@broken
async def test_3_an_operation_has_one_outcome(
    database_url: str, store: PostgresStore, is_broken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if is_broken:
        kept = "DO UPDATE SET completed_at_epoch_ms = operation_outputs.completed_at_epoch_ms"
        overwritten = kept.replace("operation_outputs.", "EXCLUDED.").replace(
            "SET", "SET output = EXCLUDED.output,"
        )
        for statement in ("steps/record", "steps/record_one"):
            mutate(monkeypatch, statement, kept, overwritten)
    await store.commit([started("a")])
    racing = [store.commit([outcome("a", str(n), n)]) for n in range(1, 9)]
    replies = [reply for [reply] in await asyncio.gather(*racing)]
    winners = [str(n) for n, reply in enumerate(replies, 1) if reply is None]
    recorded = [row.output for row in await store.history(["w"])]
    assert (len(winners) == 1 and winners == recorded) != is_broken
    await store.commit([outcome("a", "late", 99)])
    assert ([row.output for row in await store.history(["w"])] == recorded) != is_broken


@broken
async def test_4_a_former_owner_changes_nothing(
    database_url: str, store: PostgresStore, is_broken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if is_broken:
        mutate(monkeypatch, "workflows/finish", "AND s.owner_xid = a.owner", "")
        mutate(monkeypatch, "workflows/finish_one", "AND owner_xid = %(owner)s", "")
    await store.register(executor("e"))
    await store.commit([started("former")])
    await store.adopt("app", ["e"])
    await store.register(executor("f"))
    claim = Claim(
        queue_name="_dbos_internal_queue",
        executor_id="f",
        application_name="app",
        app_version="1",
        owner="current",
        most=1,
        runnable=["f\x1f\x1f"],
        formats=["portable_json"],
        limited=False,
    )
    assert [claimed.workflow_id for claimed in await store.claim(claim)] == ["w"]
    [step] = await store.commit([outcome("former", "1", 1)])
    [end] = await store.commit([Finish(workflow_id="w", owner="former", status="SUCCESS", output="1")])
    assert isinstance(step, RunInterrupted)
    assert operations(database_url, "w") == 0
    assert (isinstance(end, RunInterrupted) and status(database_url, "w") == "PENDING") != is_broken


# -- 5 -----------------------------------------------------------------------------------------------------


class Colour(Enum):
    RED = "red"


@dataclass(frozen=True)
class Seat:
    row: int
    at: datetime
    tags: frozenset[str]


VALUES: list[tuple[Any, Any]] = [
    (tuple[int, str], (1, "a")),
    (set[int], {1, 2}),
    (datetime, datetime(2025, 5, 1, 12, 0, 0, 123456, tzinfo=UTC)),
    (date, date(2025, 5, 1)),
    (timedelta, timedelta(days=1, microseconds=1)),
    (Decimal, Decimal("1.10")),
    (UUID, UUID(int=7)),
    (bytes, b"\x00\xff"),
    (Colour, Colour.RED),
    (Seat, Seat(1, datetime(2025, 5, 1, tzinfo=UTC), frozenset({"x"}))),
    (dict[int, list[Decimal]], {1: [Decimal("0.1")]}),
    (float, 0.1),
    (float, 1),
    (int, 2**50),
    (str, "\u2028 é 😀"),
    (None, None),
    (Any, (1, (2, 3))),
    (Any, {"a": (1,)}),
    (Any, [True, None, 1.5]),
]


class Values:
    """An application whose workflow notes what it got from each step."""

    def __init__(self, url: str) -> None:
        self.app = App("five", system_database_url=url)
        self.app.queue("q")
        self.seen: list[str] = []

        @self.app.workflow(name="values")
        async def values() -> None:
            for number, (annotation, value) in enumerate(VALUES):

                async def give(value: Any = value) -> Any:
                    return value

                give.__annotations__["return"] = annotation
                got = await self.app.step(name=f"give {number}")(give)()
                self.seen.append(f"{type(got).__name__} {got!r}")
            await aio.recv("never", timeout=None)


@broken
async def test_5_the_first_execution_sees_what_a_replay_sees(
    database_url: str, is_broken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if is_broken:
        monkeypatch.setattr(Run, "as_recorded", lambda self, record, value, type_: value)
    first, second = Values(database_url), Values(database_url)
    async with first.app:
        enqueue(database_url, "w", "values")
        await eventually(lambda: len(first.seen) == len(VALUES) or status(database_url, "w") == "ERROR")
        assert len(first.seen) == len(VALUES), rows(database_url, "SELECT error FROM dbos.workflow_output")
        await eventually(lambda: first.app._engine_running().executor._parked)
    async with second.app:
        await eventually(lambda: len(second.seen) == len(VALUES))
    assert (first.seen == second.seen) != is_broken
    if not is_broken:
        typed = [f"{type(v).__name__} {v!r}" for a, v in VALUES if a is not Any and v != 1]
        assert [
            seen for seen, (a, v) in zip(first.seen, VALUES, strict=True) if a is not Any and v != 1
        ] == typed


# -- 6 -----------------------------------------------------------------------------------------------------


class WrongClock(RealWorld):
    """A machine whose clock is an hour ahead."""

    def now(self) -> float:
        return super().now() + 3600


class Sleeper:
    """An application that sleeps, and can be stopped while it does."""

    def __init__(self, url: str) -> None:
        self.app = App("six", system_database_url=url, lease=60)
        self.app.queue("q")

        @self.app.workflow(name="sleeper")
        async def sleeper(seconds: float) -> None:
            await aio.sleep(seconds)

        @self.app.workflow(name="nothing")
        async def nothing() -> None:
            pass


@broken
async def test_6_shared_time_is_the_databases(
    database_url: str, is_broken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("durably.running.RealWorld", WrongClock)
    if is_broken:
        monkeypatch.setattr(Engine, "_set_clock", lambda *_, **__: None)
    first, second = Sleeper(database_url), Sleeper(database_url)
    async with first.app:
        enqueue(database_url, "w", "sleeper", 1.0)
        await eventually(lambda: operations(database_url, "w"))
    async with second.app:
        await eventually(lambda: status(database_url, "w") == "SUCCESS")
        left_of_lease = "SELECT extract(epoch FROM expires_at - clock_timestamp()) FROM durably.executors"
        [[left]] = rows(database_url, f"{left_of_lease} WHERE stopped_at IS NULL")
        assert 0 < left <= 60
        delay = "UPDATE dbos.workflow_status SET status = 'DELAYED', queue_name = 'q'"
        now = rows(database_url, "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")[0][0]
        enqueue(database_url, "d", "nothing", queue="elsewhere")
        rows(database_url, f"{delay}, delay_until_epoch_ms = %s WHERE workflow_uuid = 'd'", now + 500)
        await eventually(lambda: status(database_url, "d") == "SUCCESS")
    [[slept]] = rows(
        database_url,
        "SELECT s.completed_at / 1000.0 - o.output::float8 FROM dbos.workflow_status s"
        " JOIN dbos.operation_outputs o USING (workflow_uuid) WHERE workflow_uuid = 'w'",
    )
    [[waited]] = rows(
        database_url,
        "SELECT started_at_epoch_ms - delay_until_epoch_ms FROM dbos.workflow_status"
        " WHERE workflow_uuid = 'd'",
    )
    assert waited >= 0
    assert (slept >= -0.002) != is_broken, f"woke {slept} s after the recorded instant"


# -- 7 -----------------------------------------------------------------------------------------------------


@broken
async def test_7_one_round_trip_per_operation_and_shared_commits(
    database_url: str, is_broken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if is_broken:
        monkeypatch.setattr(writer_module, "MOST", 1)
    app, statements = App("seven", system_database_url=database_url), Statements(monkeypatch)

    @app.step(name="one")
    async def one() -> None:
        pass

    @app.workflow(name="many")
    async def many(times: int) -> None:
        for _ in range(times):
            await one()

    @app.workflow(name="wide")
    async def wide(times: int) -> None:
        await asyncio.gather(*(one() for _ in range(times)))

    async with app:
        statements.trips.clear()
        await many(20)
        assert statements.with_("steps/record") == 20
        written = [trip for trip in statements.trips if not trip[0].startswith(("hub/", "executors/"))]
        assert len(written) == 22  # its creation, 20 steps, its end
        statements.trips.clear()
        await wide(40)
        alone = statements.with_("steps/record")
        statements.trips.clear()
        await asyncio.gather(*(many(5) for _ in range(40)))
        together = statements.with_("steps/record")
    assert (alone <= 2 and together <= 200 / 4) != is_broken, f"{alone} and {together} commits"


# -- 8 -----------------------------------------------------------------------------------------------------

WINDOW = 4.0  # seconds that an idle process is watched
CONNECTIONS = (
    "SELECT application_name, query FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
)


class Idler:
    """An application with nothing to do."""

    def __init__(self, url: str, *, queues: int) -> None:
        self.app = App("eight", system_database_url=url, max_running=2000)
        for n in range(queues):
            self.app.queue(f"q{n or ''}")

        @self.app.workflow(name="waiter")
        async def waiter() -> None:
            await aio.recv("never", timeout=None)


@pytest.mark.parametrize(
    ("queues", "waiters", "is_broken"), [(1, 0, False), (100, 1000, False), (1, 0, True)]
)
async def test_8_an_idle_process_costs_a_query_a_second(
    database_url: str, queues: int, waiters: int, is_broken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if is_broken:
        monkeypatch.setattr(hub, "IDLE", 0.2)
    monkeypatch.setattr(connections, "KEEP", 1.0)  # closes what it does not need after a second
    before, statements = threading.active_count(), Statements(monkeypatch)
    idler = Idler(database_url, queues=queues)
    async with idler.app:
        engine = idler.app._engine_running()
        if waiters:
            _enqueue_waiters(database_url, waiters)
            await eventually(lambda: engine.executor._parked == waiters, seconds=40)
            await eventually(lambda: engine.hub._poll_pace >= hub.SLOWEST)
            await eventually(lambda: ("waits/note",) in statements.trips, seconds=20)  # told once
        await eventually(lambda: engine.hub._pulse_pace >= hub.IDLE)
        statements.trips.clear()
        await asyncio.sleep(WINDOW)
        asked = len(statements.trips)
        threads = threading.active_count() - before
        await eventually(lambda: len(rows(database_url, CONNECTIONS)) <= 3)
    assert (asked <= WINDOW + 1) != is_broken, statements.trips
    assert threads <= 2  # the heartbeat's, and one of the loop that was needed at the start


def _enqueue_waiters(url: str, many: int) -> None:
    rows(
        url,
        "WITH made AS (INSERT INTO dbos.workflow_status"
        " (workflow_uuid, name, queue_name, status, serialization)"
        " SELECT 'w' || n, 'waiter', 'q', 'ENQUEUED', 'portable_json' FROM generate_series(1, %s) n"
        " RETURNING workflow_uuid) INSERT INTO dbos.workflow_input (workflow_uuid, inputs)"
        """ SELECT workflow_uuid, '{"positionalArgs": [], "namedArgs": {}}' FROM made""",
        many,
    )
    rows(url, "SELECT pg_notify('durably', 'q::q')")


# -- 9 -----------------------------------------------------------------------------------------------------


class Payload:
    """What runs when it is unpickled."""

    def __init__(self, marker: str) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return os.mkdir, (self.marker,)


@broken
async def test_9_nothing_executable_is_decoded_unasked(
    database_url: str, is_broken: bool, tmp_path: Path
) -> None:
    """The switch is the user's own: who allows py_pickle by name gets what it says."""
    marker = tmp_path / "executed"
    allowed = ["py_pickle"] if is_broken else []
    app = App("nine", system_database_url=database_url, allow_serializations=allowed)
    app.queue("q")

    @app.workflow(name="nothing")
    async def nothing(*args: Any) -> None:
        pass

    pickled = base64.b64encode(pickle.dumps({"args": (Payload(str(marker)),), "kwargs": {}})).decode()
    rows_of = "SELECT status, recovery_attempts FROM dbos.workflow_status WHERE workflow_uuid = 'pickled'"
    enqueue(database_url, "pickled", "nothing", inputs=pickled, serialization="py_pickle", priority=0)
    enqueue(database_url, "good", "nothing", priority=1)
    async with app:
        await eventually(lambda: status(database_url, "good") == "SUCCESS")
        if is_broken:
            await eventually(marker.exists)
        assert marker.exists() == is_broken
        assert (rows(database_url, rows_of) == [("ENQUEUED", 0)]) != is_broken


# -- 10 ----------------------------------------------------------------------------------------------------


@broken
async def test_10_what_cannot_run_here_is_left_or_fails_with_a_reason(
    database_url: str, is_broken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if is_broken:
        real = Registry.runnable
        monkeypatch.setattr(Registry, "runnable", lambda self: [*real(self), "unknown\x1f\x1f"])
    app = App("ten", system_database_url=database_url, version="1")
    app.queue("q", worker_concurrency=1)

    @app.workflow(name="typed")
    async def typed(number: int) -> int:
        return number

    cases: dict[str, Any] = {
        "unknown": {"name": "unknown"},
        "elsewhere": {"name": "typed", "application_version": "2"},
        "undecodable": {"name": "typed", "inputs": "{ nonsense"},
        "mistyped": {"name": "typed", "inputs": '{"positionalArgs": ["x"], "namedArgs": {}}'},
        "without": {"name": "typed", "inputs": None},
    }
    for priority, (workflow_id, case) in enumerate(cases.items()):
        enqueue(database_url, workflow_id, case.pop("name"), priority=priority, **case)
    enqueue(database_url, "good", "typed", 7, priority=9)
    async with app:
        if is_broken:
            attempts = "SELECT recovery_attempts FROM dbos.workflow_status WHERE workflow_uuid = 'unknown'"
            await eventually(lambda: rows(database_url, attempts) > [(0,)])
            return
        await eventually(lambda: status(database_url, "good") == "SUCCESS")
    for workflow_id in ("unknown", "elsewhere"):
        assert status(database_url, workflow_id) == "ENQUEUED"
    for workflow_id in ("undecodable", "mistyped", "without"):
        query = "SELECT error FROM dbos.workflow_output WHERE workflow_uuid = %s"
        [[reason]] = rows(database_url, query, workflow_id)
        assert "DecodeError" in reason
