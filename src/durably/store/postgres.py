"""The engine's store on PostgreSQL: each method is one transaction and one round trip."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from durably.core.ids import new_id
from durably.core.names import PAUSED_UNTIL_MS, STRANDED_UNTIL_MS
from durably.core.ports import (
    Beat,
    Claim,
    Claimed,
    Compared,
    ExecutorIdentity,
    Fired,
    Firing,
    HistoryRow,
    QueueRow,
    Ready,
    ResultRow,
    ScheduleRow,
    Stranding,
    StreamPage,
    Wait,
    Waiting,
    World,
)
from durably.core.records import Record, StoredArguments
from durably.core.schedules import NewSchedule
from durably.errors import ConfigurationError
from durably.store import queues, schedules, streams, workflows
from durably.store.batch import commit
from durably.store.database import Call, Database
from durably.store.failures import Contention

__all__ = ["PostgresStore", "poll_waits"]

CLAIM = ("queue_name", "executor_id", "application_name", "app_version", "owner", "most", "running", "code")
TRIES = 3  # at a claim that meets a DBOS executor's, which takes no lock on the queue
PAUSE = 0.01  # seconds between them

_encode = msgspec.json.Encoder().encode
_queue = msgspec.json.Decoder(QueueRow).decode


class PostgresStore:
    """See `durably.core.ports.Store`."""

    def __init__(self, database: Database, application_name: str, world: World) -> None:
        self._database = database
        self._application_name = application_name
        self._world = world

    async def commit(self, batch: Sequence[Record]) -> list[Any]:
        """Write the records together."""
        return await commit(self._database, self._application_name, batch)

    async def claim(self, claim: Claim) -> list[Claimed]:
        """Take work of a queue; nothing, when DBOS executors keep claiming there at this moment."""
        parameters = {field: getattr(claim, field) for field in CLAIM}
        parameters |= {"runnable": list(claim.runnable), "formats": list(claim.formats)}
        if not claim.limited:
            rows = await self._database.rows("workflows/claim", parameters)
        else:
            rows = await self._claim_limited(parameters, list(claim.keys))
        return [Claimed(**row._asdict()) for row in rows]

    async def _claim_limited(self, parameters: dict[str, Any], keys: list[str]) -> list[Any]:
        lock: Call = ("queues/lock", {"queue_name": parameters["queue_name"]})
        claim: Call = ("workflows/claim_limited", parameters)
        if keys:
            claim = ("workflows/claim_partitions", parameters | {"keys": keys})
        for _ in range(TRIES):
            with contextlib.suppress(Contention):
                return (await self._database.transaction([lock, claim]))[1]
            await self._world.sleep(self._world.random.uniform(0.5, 1.5) * PAUSE)
        return []

    async def untakable(self, claim: Claim) -> str | None:
        """One of the first workflows of a queue that this claim would leave, if there is one."""
        parameters = {
            field: getattr(claim, field) for field in ("queue_name", "application_name", "app_version")
        }
        parameters |= {"runnable": list(claim.runnable), "formats": list(claim.formats)}
        rows = await self._database.rows("queues/untakable", parameters)
        if not rows:
            return None
        what = f"{rows[0].workflow_id} of workflow {rows[0].name!r}"
        version = f"version {rows[0].app_version!r}" if rows[0].app_version else "no version"
        return f"{what}, {version}, serialization {rows[0].serialization or 'not named'}"

    async def partitions(
        self, queue_name: str, application_name: str, *, after: str, wanted: int, most: int
    ) -> list[tuple[str, bool]]:
        """The next partition keys with queued work behind `after`, and whether each seems to have room."""
        parameters = {
            "queue_name": queue_name,
            "application_name": application_name,
            "after": after,
            "wanted": wanted,
            "most": most,
        }
        rows = await self._database.rows("queues/partitions", parameters)
        return [(row.key, row.has_room) for row in rows]

    async def next_start(self, queue_name: str) -> float | None:
        """Seconds until a start leaves the window of a rate limit."""
        rows = await self._database.rows("queues/next_start", {"queue_name": queue_name})
        seconds: float | None = rows[0].seconds
        return seconds

    async def history(self, workflow_ids: Sequence[str]) -> list[HistoryRow]:
        """The recorded operations of these workflows, in order."""
        rows = await self._database.rows("workflows/history", {"workflow_ids": list(workflow_ids)})
        return [HistoryRow(**row._asdict()) for row in rows]

    async def poll(self, waits: Sequence[Wait], executor: ExecutorIdentity | None) -> Ready:
        """Which waits are over, and all else that time brings to an executor."""
        if executor is None:
            return await poll_waits(self._database, waits)
        rows = await self._database.rows(
            "hub/pulse",
            {
                "waits": _encode(waits).decode(),
                "application_name": executor.application_name,
                "executor_id": executor.executor_id,
                "paused_until": PAUSED_UNTIL_MS,
            },
        )
        return _ready(rows)

    async def stream(self, workflow_id: str, key: str, offset: int, most: int) -> StreamPage | None:
        """Up to `most` values of a stream from an offset on."""
        return await streams.read(self._database, workflow_id, key, offset, most)

    async def progress(self, workflow_id: str, function_id: int) -> tuple[str, str] | None:
        """What an attempt of a step saved, and its serialization."""
        key = {"workflow_id": workflow_id, "function_id": function_id}
        rows = await self._database.rows("steps/progress", key)
        return (rows[0].progress, rows[0].serialization) if rows else None

    async def owner(self, workflow_id: str) -> str | None:
        """The owner token of a workflow."""
        rows = await self._database.rows("workflows/owner", {"workflow_id": workflow_id})
        return rows[0].owner if rows else None

    async def arguments(self, workflow_id: str) -> StoredArguments | None:
        """The arguments of a workflow, as they are stored."""
        found = await workflows.arguments(self._database, [workflow_id])
        return found.get(workflow_id)

    async def register(self, executor: ExecutorIdentity) -> float:
        """Enter executor and version; ConfigurationError when another application owns the version."""
        owner = await self._version_owner(executor)
        if owner != executor.application_name:
            raise ConfigurationError(
                f"version {executor.app_version!r} belongs to application {owner!r} in this database, where "
                "version names are unique: choose another version for this application"
            )
        entered = await self._database.rows("executors/register", msgspec.structs.asdict(executor))
        return float(entered[0].database_now)

    async def _version_owner(self, executor: ExecutorIdentity) -> str:
        """Enter the version; who owns it then."""
        parameters = {
            "version_id": new_id(self._world.random),
            "app_version": executor.app_version,
            "application_name": executor.application_name,
        }
        while not (rows := await self._database.rows("executors/register_version", parameters)):
            pass  # somebody entered it at this moment: the next look sees who
        return str(rows[0].application_name)

    async def beat(self, executor: ExecutorIdentity) -> Beat:
        """Renew the lease; `alive=False` when it has been closed by another executor."""
        rows = await self._database.rows(
            "executors/beat",
            {
                "executor_id": executor.executor_id,
                "application_name": executor.application_name,
                "host": executor.host,
            },
        )
        beats = [row for row in rows if row.kind == "beat"]
        return Beat(
            alive=bool(beats),
            database_now=beats[0].database_now if beats else 0.0,
            neighbours=[(row.id, row.pid, row.token) for row in rows if row.kind == "neighbour"],
        )

    async def compare(
        self, executor_id: str, runs: Sequence[tuple[str, str]], after: int, most: int
    ) -> Compared:
        """Ask about these runs, and read the next PENDING rows."""
        parameters = {"executor_id": executor_id, "runs": _owned(runs), "after": after, "most": most}
        rows = await self._database.rows("executors/compare", parameters)
        return Compared(
            foreign=[(row.id, row.token) for row in rows if row.kind == "foreign"],
            owned=[(row.id, row.token) for row in rows if row.kind == "owned"],
            edge=next((row.edge for row in rows if row.kind == "edge"), None),
        )

    async def adopt(
        self, application_name: str, executor_ids: Sequence[str], *, only_expired: bool = False
    ) -> list[str]:
        """Close these leases and put the work of every closed lease back on its queues."""
        _, rows = await self._database.transaction(
            [
                (
                    "executors/close",
                    {
                        "executor_ids": list(executor_ids),
                        "application_name": application_name,
                        "only_expired": only_expired,
                    },
                ),
                ("executors/adopt", {"application_name": application_name}),
            ]
        )
        return [row.queue_name for row in rows]

    async def schedules(self, application_name: str) -> list[ScheduleRow]:
        """The active schedules of an application and of nobody."""
        return await schedules.active(self._database, application_name)

    async def fire(self, application_name: str, firings: Sequence[Firing]) -> list[Fired]:
        """Decide about ticks, at most one of a schedule, by the database's clock."""
        return await schedules.fire(self._database, application_name, firings)

    async def note_schedules(self, notes: Mapping[str, str | None]) -> None:
        """Tell what is wrong with schedules."""
        await schedules.note(self._database, notes)

    async def declare_schedule(self, new: NewSchedule) -> None:
        """Put a schedule as code has it, if the code has changed; ScheduleExists when another owns it."""
        await schedules.declare(self._database, new)

    async def publish_workflows(self, app_version: str, published: Sequence[Mapping[str, str]]) -> None:
        """Enter the workflows that the application has: name, class_name ('' for none), parameters (JSON)."""
        parameters = {
            "application_name": self._application_name,
            "app_version": app_version,
            "records": msgspec.json.encode(published).decode(),
        }
        await self._database.rows("workflows/publish", parameters)

    async def holder(self, queue_name: str, deduplication_id: str) -> str | None:
        """The workflow that holds a deduplication id on a queue."""
        key = (queue_name, deduplication_id)
        return (await workflows.deduplicated(self._database, [key])).get(key)

    async def note_waits(self, executor_id: str, new: Sequence[Waiting], over: Sequence[int]) -> None:
        """Tell what runs of an executor wait for, and which places of these are over."""
        parameters = {"executor_id": executor_id, "waits": _encode(new).decode(), "over": list(over)}
        await self._database.rows("waits/note", parameters)

    async def release(self, owned: Sequence[tuple[str, str]]) -> None:
        """Put back workflows that these tokens still own."""
        await self._database.rows("workflows/release", {"owned": _owned(owned)})

    async def put_on_trial(self, executor_id: str, blamed: str | None) -> None:
        """Say on whom alone a death of this executor is to be blamed: '' on nobody, None on all that run."""
        await self._database.rows("executors/try", {"executor_id": executor_id, "blamed": blamed})

    async def set_aside(self, owned: Sequence[tuple[str, str]]) -> None:
        """Mark workflows that these tokens own as MAX_RECOVERY_ATTEMPTS_EXCEEDED."""
        await self._database.rows("workflows/set_aside", {"owned": _owned(owned)})

    async def strand(self, stranding: Stranding) -> None:
        """Set a workflow aside that does not fit the code, if its token still owns it."""
        await self._database.rows(
            "stranded/strand", {**msgspec.structs.asdict(stranding), "until": STRANDED_UNTIL_MS}
        )

    async def release_stranded(self, executor: ExecutorIdentity, runnable: Sequence[str]) -> None:
        """Put back stranded workflows that the code of this executor has not met."""
        await self._database.rows(
            "stranded/release",
            {
                "application_name": executor.application_name,
                "app_version": executor.app_version,
                "code": executor.code,
                "runnable": list(runnable),
                "until": STRANDED_UNTIL_MS,
                "paused_until": PAUSED_UNTIL_MS,
            },
        )

    async def register_queue(self, queue: QueueRow, *, app_version: str = "", on_conflict: str) -> None:
        """Create the queue or set its limits; ConfigurationError when another application owns it."""
        await queues.register(
            self._database,
            queue,
            application_name=self._application_name,
            app_version=app_version,
            on_conflict=on_conflict,
        )


async def poll_waits(database: Database, waits: Sequence[Wait]) -> Ready:
    """Which of these waits are over."""
    return _ready(await database.rows("hub/poll", {"waits": _encode(waits).decode()}))


def _owned(owned: Sequence[tuple[str, str]]) -> str:
    return _encode([{"workflow_id": id_, "owner": token} for id_, token in owned]).decode()


def _ready(rows: Sequence[Any]) -> Ready:
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(row.kind, []).append(_READERS[row.kind](row))
    delays = [delay for delay in found.get("next", ()) if delay is not None]
    return Ready(
        results=found.get("result", ()),
        events=found.get("event", ()),
        messages=found.get("message", ()),
        streams=found.get("stream", ()),
        queues=found.get("queue", ()),
        cancelled=found.get("cancelled", ()),
        lost=found.get("lost", ()),
        dead=found.get("dead", ()),
        schedules=next(iter(found.get("schedules", ())), None),
        next_delay=float(delays[0]) if delays else None,
    )


_READERS: dict[str, Callable[[Any], Any]] = {
    "result": lambda r: ResultRow(r.id, r.key, r.value, r.error, r.serialization),
    "event": lambda r: (r.id, r.key, r.value, r.serialization),
    "message": lambda r: (r.id, r.key),
    "stream": lambda r: (r.id, r.key, int(r.value)),
    "queue": lambda r: _queue(r.value),
    "due": lambda r: r.id,
    "cancelled": lambda r: r.id,
    "lost": lambda r: (r.id, r.key),
    "dead": lambda r: r.id,
    "schedules": lambda r: r.id,
    "next": lambda r: r.d,
}
