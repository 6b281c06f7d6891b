"""The engine's store on PostgreSQL: each method is one transaction and one round trip."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from durably.core.ids import new_id
from durably.core.names import STRANDED_UNTIL_MS
from durably.core.ports import (
    Beat,
    Claim,
    Claimed,
    ExecutorIdentity,
    HistoryRow,
    QueueRow,
    Ready,
    ResultRow,
    Stranding,
    Wait,
    World,
)
from durably.core.records import Record
from durably.errors import ConfigurationError
from durably.store import workflows
from durably.store.batch import commit
from durably.store.database import Database
from durably.store.failures import Contention

__all__ = ["PostgresStore", "poll_waits"]

_encode = msgspec.json.Encoder().encode


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
        """Take work of a queue; nothing, when a DBOS executor is claiming there at this moment."""
        parameters = {
            field: getattr(claim, field)
            for field in (
                "queue_name",
                "executor_id",
                "application_name",
                "app_version",
                "owner",
                "most",
                "code",
            )
        }
        parameters |= {"runnable": list(claim.runnable), "formats": list(claim.formats)}
        if not claim.limited:
            rows = await self._database.rows("workflows/claim", parameters)
        else:
            try:
                _, rows = await self._database.transaction(
                    [
                        ("queues/lock", {"queue_name": claim.queue_name}),
                        ("workflows/claim_limited", parameters),
                    ]
                )
            except Contention:
                return []
        return [Claimed(**row._asdict()) for row in rows]

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
            {"waits": _encode(waits).decode(), "application_name": executor.application_name},
        )
        return _ready(rows)

    async def register(self, executor: ExecutorIdentity) -> float:
        """Enter executor and version; ConfigurationError when another application owns the version."""
        version, entered = await self._database.transaction(
            [
                (
                    "executors/register_version",
                    {
                        "version_id": new_id(self._world.random),
                        "app_version": executor.app_version,
                        "application_name": executor.application_name,
                    },
                ),
                ("executors/register", msgspec.structs.asdict(executor)),
            ]
        )
        owner = version[0].application_name
        if owner != executor.application_name:
            raise ConfigurationError(
                f"version {executor.app_version!r} belongs to application {owner!r} in this database, where "
                "version names are unique: choose another version for this application"
            )
        return float(entered[0].database_now)

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
            owned=[(row.id, row.token) for row in rows if row.kind == "owned"],
            neighbours=[(row.id, row.pid, row.token) for row in rows if row.kind == "neighbour"],
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

    async def holder(self, queue_name: str, deduplication_id: str) -> str | None:
        """The workflow that holds a deduplication id on a queue."""
        key = (queue_name, deduplication_id)
        return (await workflows.deduplicated(self._database, [key])).get(key)

    async def release(self, owned: Sequence[tuple[str, str]]) -> None:
        """Put back workflows that these tokens still own."""
        await self._database.rows("workflows/release", {"owned": _owned(owned)})

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
            },
        )

    async def register_queue(self, queue: QueueRow) -> None:
        """Create the queue or set its limits; ConfigurationError when another application owns it."""
        parameters = msgspec.structs.asdict(queue) | {
            "polling_interval_sec": 1.0,
            "application_name": self._application_name,
        }
        if not await self._database.rows("queues/register", parameters):
            raise ConfigurationError(
                f"queue {queue.name!r} belongs to another application of this database: choose another name"
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
        queues=found.get("queue", ()),
        cancelled=found.get("cancelled", ()),
        lost=found.get("lost", ()),
        dead=found.get("dead", ()),
        next_delay=float(delays[0]) if delays else None,
    )


_READERS: dict[str, Callable[[Any], Any]] = {
    "result": lambda r: ResultRow(r.id, r.key, r.value, r.error, r.serialization),
    "event": lambda r: (r.id, r.key, r.value, r.serialization),
    "message": lambda r: (r.id, r.key),
    "queue": lambda r: QueueRow(
        name=r.id,
        concurrency=r.a,
        worker_concurrency=r.b,
        rate_limit_max=r.c,
        rate_limit_period_sec=r.d,
        partitioned=bool(r.e),
    ),
    "due": lambda r: r.id,
    "cancelled": lambda r: r.id,
    "lost": lambda r: (r.id, r.key),
    "dead": lambda r: r.id,
    "next": lambda r: r.d,
}
