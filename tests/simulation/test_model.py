"""The model is honest: it answers the same calls as PostgreSQL does, and is left with the same rows."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import msgspec
import psycopg
import pytest

from durably.concurrency.world import RealWorld
from durably.core import records
from durably.core.names import INTERNAL_QUEUE
from durably.core.ports import (
    Beat,
    Claim,
    Claimed,
    Compared,
    ExecutorIdentity,
    HistoryRow,
    QueueRow,
    Ready,
    Wait,
)
from durably.core.records import (
    Append,
    Create,
    Created,
    Finish,
    Receive,
    Received,
    Send,
    SetEvent,
    Step,
    Timer,
    TryAgain,
)
from durably.engine.comparison import START
from durably.store.database import Database
from durably.store.postgres import PostgresStore
from tests.simulation.model import Model

SEQUENCES, GROUPS, CALLS = 60, 4, 40


@dataclass
class Caller:
    """Makes random calls that make some sense: on few ids, with tokens that are, were or never were valid."""

    random: Random
    prefix: str
    tokens: list[tuple[str, str]] = field(default_factory=lambda: [("w0", "bogus")])
    made: int = 0
    claims: int = 0
    executors: list[ExecutorIdentity] = field(default_factory=list)

    def call(self) -> tuple[str, tuple[Any, ...]]:
        """The name of a method of the store, and its arguments."""
        kinds = (
            ["commit"] * 10
            + ["claim"] * 3
            + ["history", "poll", "pulse", "pulse", "beat", "compare", "adopt", "stream"]
        )
        kind = self.random.choice([*kinds, "register", "release", "set_aside", "put_on_trial"])
        if not self.executors:
            kind = "register"
        return kind, getattr(self, f"_{kind}")()

    def workflow(self) -> str:
        return f"{self.prefix}w{self.random.randint(0, 4)}"

    def queue(self) -> str:
        return f"{self.prefix}{self.random.choice(['free', 'narrow'])}"

    def owned(self) -> tuple[str, str]:
        if self.random.random() < 0.2:
            return self.workflow(), self.random.choice(self.tokens)[1]
        return self.random.choice(self.tokens[-6:])

    # -- one method's arguments each ----------------------------------------------------------------------

    def _register(self) -> tuple[Any, ...]:
        self.made += 1
        self.executors.append(
            ExecutorIdentity(
                executor_id=f"{self.prefix}e{self.made}",
                application_name=f"{self.prefix}app",
                app_version=f"{self.prefix}v{self.random.randint(1, 2)}",
                host=self.random.choice(["one", "two"]),
                pid=self.made,
                process_start=str(self.made),
                lease_seconds=self.random.choice([0.0, 1000.0, 1000.0]),
            )
        )
        return (self.executors[-1],)

    def executor(self) -> ExecutorIdentity:
        return self.random.choice(self.executors[-3:])

    def _claim(self) -> tuple[Any, ...]:
        self.claims += 1
        executor = self.executor()
        queue = self.random.choice([self.queue(), self.queue(), INTERNAL_QUEUE])
        return (
            Claim(
                queue_name=queue,
                executor_id=executor.executor_id,
                application_name=executor.application_name,
                app_version=executor.app_version,
                owner=f"{self.prefix}token{self.claims}",
                most=self.random.randint(1, 4),
                runnable=["f\x1f\x1f", "g\x1fC\x1f"],
                formats=["portable_json"],
                limited=queue != INTERNAL_QUEUE and self.random.random() < 0.5,
            ),
        )

    def _history(self) -> tuple[Any, ...]:
        return (sorted({self.workflow(), self.workflow()}),)

    def _poll(self) -> tuple[Any, ...]:
        return self._waits(), None

    def _pulse(self) -> tuple[Any, ...]:
        return self._waits(), self.executor()

    def _waits(self) -> list[Wait]:
        ids = sorted({self.workflow(), self.workflow()})
        waits = [Wait(kind, id_, "a") for kind in ("result", "event", "message") for id_ in ids]
        return waits + [Wait("stream", id_, "a", self.random.randint(0, 3)) for id_ in ids]

    def _stream(self) -> tuple[Any, ...]:
        return self.workflow(), self.random.choice("ab"), self.random.randint(0, 2), self.random.randint(1, 3)

    def _beat(self) -> tuple[Any, ...]:
        return (self.executor(),)

    def _compare(self) -> tuple[Any, ...]:
        return self.executor().executor_id, [self.owned() for _ in range(3)], START, 1000

    def _adopt(self) -> tuple[Any, ...]:
        executor = self.executor()
        ids = self.random.choice([[], [executor.executor_id], [executor.executor_id]])
        return executor.application_name, ids, self.random.random() < 0.5

    def _put_on_trial(self) -> tuple[Any, ...]:
        workflow_id, owner = self.owned()
        blamed = self.random.choice([None, "", workflow_id, f"{owner}:{workflow_id}"])
        return self.executor().executor_id, blamed

    def _release(self) -> tuple[Any, ...]:
        return ([self.owned()],)

    def _set_aside(self) -> tuple[Any, ...]:
        return ([self.owned()],)

    def _commit(self) -> tuple[Any, ...]:
        made = [self._record() for _ in range(self.random.randint(1, 5))]
        batch: dict[Any, records.Record] = {}
        for record in made:  # one of a kind for each workflow, except steps: their collision is a case
            key: Any = (type(record), record.workflow_id)
            if isinstance(record, Step):
                key = (record.workflow_id, self.random.random() if record.owner == self._only(made) else 0)
            elif isinstance(record, Send):
                key = record.message_uuid
            batch.setdefault(key, record)
        self.tokens += [(r.workflow_id, r.creator) for r in batch.values() if isinstance(r, Create)]
        return (list(batch.values()),)

    def _only(self, batch: Sequence[records.Record]) -> str | None:
        """The owner, when all steps have one: what two owners in one batch are told is not modelled."""
        owners = {record.owner for record in batch if isinstance(record, Step)}
        return owners.pop() if len(owners) == 1 else None

    def _record(self) -> records.Record:
        makers: list[Callable[[], records.Record]] = [self._step] * 2 + [self._create] * 3
        makers += [
            self._timer,
            self._event,
            self._append,
            self._append,
            self._send,
            self._receive,
            self._finish,
            self._try_again,
        ]
        return self.random.choice(makers)()

    def _step(self) -> Step:
        workflow_id, owner = self.owned()
        return Step(
            workflow_id=workflow_id,
            owner=owner,
            function_id=self.random.randint(1, 3),
            function_name=self.random.choice(["s", "t"]),
            output=self._text(),
            error=self.random.choice([None, "{}"]),
            serialization="portable_json",
            started_at=1,
            completed_at=self.random.randint(1, 2),
        )

    def _timer(self) -> Timer:
        workflow_id, owner = self.owned()
        return Timer(
            workflow_id=workflow_id,
            owner=owner,
            function_id=self.random.randint(11, 12),
            seconds=self.random.choice([0.0, 100.0]),
            started_at=1,
        )

    def _event(self) -> SetEvent:
        workflow_id, owner = self.owned()
        return SetEvent(
            workflow_id=workflow_id,
            owner=owner,
            function_id=self.random.randint(31, 32),
            key=self.random.choice("ab"),
            value=self._text(),
            serialization="portable_json",
            in_step=self.random.random() < 0.3,
            started_at=1,
            completed_at=self.random.randint(1, 2),
        )

    def _append(self) -> Append:
        workflow_id, owner = self.owned()
        in_step = self.random.random() < 0.6
        return Append(
            workflow_id=workflow_id,
            owner=owner,
            function_id=self.random.randint(61, 62),
            key=self.random.choice("ab"),
            value=self.random.choice(["1", "2"]),
            serialization="portable_json",
            in_step=in_step,
            after=self.random.randint(-1, 3) if in_step else -1,
            place=self.random.randint(0, 2) if in_step else 0,
            resent=in_step and self.random.random() < 0.3,
            function_name=self.random.choice(["DBOS.writeStream", "DBOS.closeStream"]),
            started_at=1,
            completed_at=self.random.randint(1, 2),
        )

    def _send(self) -> Send:
        workflow_id, owner = self.owned()
        from_outside = self.random.random() < 0.4
        self.made += 1
        repeated = self.random.random() < 0.2
        return Send(
            message_uuid=f"{self.prefix}m{self.made - repeated:05}",
            destination=self.workflow(),
            topic=self.random.choice("ab"),
            message=self._text(),
            serialization="portable_json",
            workflow_id=None if from_outside else workflow_id,
            owner=None if from_outside else owner,
            function_id=self.random.randint(41, 42),
            in_step=self.random.random() < 0.3,
            started_at=1,
            completed_at=self.random.randint(1, 2),
        )

    def _receive(self) -> Receive:
        workflow_id, owner = self.owned()
        return Receive(
            workflow_id=workflow_id,
            owner=owner,
            function_id=self.random.choice([21, 23]),
            topic=self.random.choice("ab"),
            wait_seconds=self.random.choice([None, 100.0]),
            give_up=self.random.random() < 0.3,
            none_text="null",
            none_serialization="portable_json",
            started_at=1,
            completed_at=1,
        )

    def _create(self) -> Create:
        self.made += 1
        workflow_id, caller = self.workflow(), self.random.choice([None, None, self.owned()])
        run_now, token = self.random.random() < 0.3, f"{self.prefix}creator{self.made}"
        name, class_name = self.random.choice([("f", None), ("g", "C"), ("unknown", None)])
        return Create(
            workflow_id=workflow_id,
            creator=token,
            owner=token,
            name=name,
            class_name=class_name,
            queue_name=None if run_now else self.queue(),
            inputs=self._text(),
            serialization=self.random.choice(["portable_json", "portable_json", "py_pickle"]),
            run_now=run_now,
            reject=self.random.random() < 0.3,
            executor_id=self.executor().executor_id if run_now else None,
            app_version=self.random.choice([None, f"{self.prefix}v1"]),
            application_name=self.random.choice([None, f"{self.prefix}app"])
            if not run_now
            else f"{self.prefix}app",
            priority=self.made,
            deduplication_id=None if run_now else self.random.choice([None, None, "d"]),
            delay_seconds=None if run_now else self.random.choice([None, None, 0.0, 100.0]),
            timeout_ms=self.random.choice([None, None, 0, 1_000_000]),
            caller_id=caller[0] if caller else None,
            caller_owner=caller[1] if caller else None,
            function_id=self.random.randint(51, 52),
            started_at=1,
        )

    def _finish(self) -> Finish:
        workflow_id, owner = self.owned()
        if self.random.random() < 0.5:
            return Finish(workflow_id=workflow_id, owner=owner, status="SUCCESS", output=self._text())
        return Finish(workflow_id=workflow_id, owner=owner, status="ERROR", error="{}")

    def _try_again(self) -> TryAgain:
        workflow_id, owner = self.owned()
        seconds = self.random.choice([0.0, 100.0])
        return TryAgain(workflow_id=workflow_id, owner=owner, error="{}", seconds=seconds)

    def _text(self) -> str:
        return str(self.random.randint(0, 9))


# -- comparing ---------------------------------------------------------------------------------------------


def comparable(reply: Any) -> Any:
    """A reply without what the two clocks and the order of rows decide."""
    match reply:
        case Exception() | BaseException():
            return type(reply).__name__
        case (float(), float()):
            return "a timer"
        case Received():
            return reply.found, reply.message, reply.serialization, reply.wake is not None
        case Created():
            return msgspec.structs.replace(reply, deadline_ms=None), reply.deadline_ms is not None
        case Claimed():
            timeless = msgspec.structs.replace(reply, deadline_ms=None, waited=None)
            return timeless, reply.deadline_ms is not None
        case Ready():
            found = {name: sorted(map(repr, getattr(reply, name))) for name in LISTS}
            return found, reply.next_delay is not None
        case Beat():
            return reply.alive, sorted(reply.neighbours)
        case Compared():
            return sorted(reply.foreign), sorted(reply.owned), reply.edge
        case HistoryRow():
            return msgspec.structs.replace(reply, output=_hidden(reply.function_name, reply.output))
        case float():
            return "an instant"
        case list():
            return [comparable(each) for each in reply]
    return reply


LISTS = ("results", "events", "messages", "streams", "queues", "cancelled", "dead")


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[tuple[PostgresStore, str]]:
    database = Database(database_url, max_size=2)
    await database.open()
    yield PostgresStore(database, "unused", RealWorld()), database_url
    await database.close()


@pytest.mark.parametrize("group", range(GROUPS))
async def test_the_model_answers_as_postgresql(group: int, store: tuple[PostgresStore, str]) -> None:
    postgres, url = store
    for seed in range(group * SEQUENCES // GROUPS, (group + 1) * SEQUENCES // GROUPS):
        prefix = f"s{seed}-"
        caller = Caller(Random(seed), prefix)
        model = Model(clock=time.time)
        for name, concurrency in (("free", None), ("narrow", 2)):
            queue = QueueRow(name=prefix + name, concurrency=concurrency)
            model.queues[queue.name] = queue
            await PostgresStore(postgres._database, f"{prefix}app", RealWorld()).register_queue(
                queue, on_conflict="always_update"
            )
        store_of = PostgresStore(postgres._database, f"{prefix}app", RealWorld())
        for number in range(CALLS):
            await _step_both(caller, model, store_of, f"seed {seed}, call {number}")
        assert _rows_of_model(model) == await _rows_of_postgres(url, prefix), f"seed {seed}"


async def _step_both(caller: Caller, model: Model, postgres: PostgresStore, where: str) -> None:
    kind, args = caller.call()
    keywords = {"only_expired": args[-1]} if kind == "adopt" else {}
    args = args[:-1] if kind == "adopt" else args
    method = "poll" if kind == "pulse" else kind
    if kind == "register":
        _let_a_millisecond_pass()
    theirs = await getattr(postgres, method)(*args, **keywords)
    ours = getattr(model, method)(*args, **keywords)
    if kind == "adopt":
        ours, theirs = sorted(set(ours)), sorted(set(theirs))
    if kind == "claim":
        caller.tokens += [(each.workflow_id, args[0].owner) for each in theirs]
    assert comparable(ours) == comparable(theirs), f"{where}: {kind}{args}"


def _let_a_millisecond_pass() -> None:
    """Which of two versions is the latest is told by milliseconds: no two may be of one."""
    now = time.time_ns() // 1_000_000
    while time.time_ns() // 1_000_000 <= now + 1:
        pass


def _rows_of_model(model: Model) -> Any:
    workflows = sorted(
        (
            r.workflow_id,
            r.status,
            r.owner,
            r.queue_name,
            r.recovery_attempts,
            r.app_version,
            r.output,
            r.error,
        )
        for r in model.workflows.values()
    )
    operations = sorted(
        (w, number, row.name, _hidden(row.name, row.output), row.error, row.child)
        for w, rows in model.operations.items()
        for number, row in rows.items()
    )
    events = sorted((w, key, value) for (w, key), (value, _) in model.events.items())
    messages = sorted((m.uuid, m.destination, m.consumed_by) for m in model.messages.values())
    streams = sorted(
        (w, key, offset, value, function_id)
        for (w, key), values in model.streams.items()
        for offset, (function_id, value, _) in enumerate(values)
    )
    return workflows, operations, events, messages, streams


async def _rows_of_postgres(url: str, prefix: str) -> Any:
    async with await psycopg.AsyncConnection.connect(url) as connection:

        async def rows(query: str) -> list[tuple[Any, ...]]:
            cursor = await connection.execute(query, {"prefix": prefix + "%"})
            return await cursor.fetchall()

        workflows = await rows(
            "SELECT s.workflow_uuid, status, owner_xid, queue_name, recovery_attempts, application_version,"
            " o.output, o.error FROM dbos.workflow_status s LEFT JOIN dbos.workflow_output o"
            " USING (workflow_uuid) WHERE s.workflow_uuid LIKE %(prefix)s"
        )
        operations = await rows(
            "SELECT workflow_uuid, function_id, function_name, output, error, child_workflow_id"
            " FROM dbos.operation_outputs WHERE workflow_uuid LIKE %(prefix)s"
        )
        events = await rows(
            "SELECT workflow_uuid, key, value FROM dbos.workflow_events WHERE workflow_uuid LIKE %(prefix)s"
        )
        messages = await rows(
            "SELECT message_uuid, destination_uuid, consumed_by_function_id FROM dbos.notifications"
            " WHERE destination_uuid LIKE %(prefix)s"
        )
        streams = await rows(
            'SELECT workflow_uuid, key, "offset", value, function_id FROM dbos.streams'
            " WHERE workflow_uuid LIKE %(prefix)s"
        )
        for table in ("streams", "notifications", "workflow_events", "operation_outputs", "workflow_status"):
            await connection.execute(f"DELETE FROM dbos.{table}")
    shown = [(w, number, name, _hidden(name, output), *rest) for w, number, name, output, *rest in operations]
    return _sorted(workflows), _sorted(shown), _sorted(events), _sorted(messages), _sorted(streams)


def _sorted(rows: Sequence[Any]) -> list[Any]:
    return sorted(map(tuple, rows))


def _hidden(name: str, output: str | None) -> str | None:
    return "an instant" if name == "DBOS.sleep" else output
