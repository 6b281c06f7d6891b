"""Reads all that a diagnosis is made of: each part by itself, so that a refused one hides nothing else."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import asdict
from typing import Any, TypeVar

import psycopg

from durably.config import redact
from durably.core.doctor import readings as read
from durably.core.doctor.readings import Readings
from durably.core.doctor.server import LONG_TRANSACTION
from durably.core.names import STRANDED_UNTIL_MS
from durably.core.ports import World
from durably.errors import DatabaseError, DatabaseUnavailable
from durably.store import migrate, schedules
from durably.store.database import Connection, Database
from durably.store.failures import first_line
from durably.store.sql import statement

__all__ = ["examine"]

T = TypeVar("T")

PATIENCE = 10.0  # seconds for one statement
NOTICE_PATIENCE = 2.0  # seconds for a notice
CHANNEL = "durably_doctor"
FIRST = 1  # the migration of the extension schema that has executors
CONTROLS = 4  # and the one that has pauses of queues


async def examine(url: str, *, schema: str, world: World) -> Readings:
    """All that can be read of a system database; raises nothing that has to do with its state."""
    database = Database(url, schema=schema, max_size=1, label="durably-doctor", pool_timeout=PATIENCE)
    examination = _Examination(database, world)
    try:
        await examination.look()
    except (DatabaseUnavailable, TimeoutError) as error:
        if examination.found.get("server") is None:
            said = " ".join(str(error.__cause__ or error).split()) or type(error).__name__
            return Readings(place=redact(url), unreachable=said)
        examination.unread["the rest"] = str(error)
    finally:
        await database.close()
    return Readings(place=redact(url), unread=examination.unread, **examination.found)


class _Examination:
    """What was found so far, by the names of Readings."""

    def __init__(self, database: Database, world: World) -> None:
        self.found: dict[str, Any] = {}
        self.unread: dict[str, str] = {}
        self._database = database
        self._world = world
        self._names = {"schema": database.schemas.system, "extension": database.schemas.extension}

    async def look(self) -> None:
        """Everything, the server first."""
        await self._database.open()
        await self._server()
        await self._part("schema", self._schema())
        await self._many("access", read.Access, "doctor/access", self._names)
        await self._many("tables", read.Table, "doctor/tables", self._names)
        await self._many("indexes", read.Index, "doctor/indexes", self._names)
        await self._many("holders", read.Holder, "doctor/transactions", {"seconds": LONG_TRANSACTION})
        state = self.found.get("schema")
        if state is not None and state.exists and not state.problems:
            await self._work(state.extension or 0)

    async def _work(self, extension: int) -> None:
        await self._many("queued", read.Queued, "doctor/queued", {})
        await self._many("running", read.Running, "doctor/running", {})
        await self._many("versions", read.Version, "versions/list", {"application_name": None})
        await self._one("dead_letters", read.Group, "doctor/set_aside", {})
        await self._one("stranded", read.Group, "doctor/stranded", {"until": STRANDED_UNTIL_MS})
        await self._part("schedules", self._schedules(extension))
        if extension >= FIRST:
            await self._many("executors", read.Executor, "doctor/executors", {})
        if extension >= CONTROLS:
            await self._many("pauses", read.Pause, "doctor/paused", {})

    # -- parts ---------------------------------------------------------------------------------------------

    async def _server(self) -> None:
        """Twice: the first one opens the connection and warms it up, the second is measured."""
        await self._database.query("doctor/server", {}, seconds=PATIENCE)
        asked = self._world.now()
        rows = await self._database.query("doctor/server", {}, seconds=PATIENCE)
        answered = self._world.now()
        self.found["server"] = _as(read.Server, rows[0])
        await self._part("link", self._link(asked, answered))

    async def _link(self, asked: float, answered: float) -> read.Link:
        """Whether a notice comes back that another connection sends: the same one would hear itself."""
        async with self._database.dedicated() as listening:
            pid, heard, refused = listening.info.backend_pid, None, None
            rows = await self._database.rows_on(listening, "doctor/server", {})
            self.found["server"] = _as(read.Server, rows[0])
            try:
                await listening.execute(statement("doctor/listen", self._database.schemas), prepare=False)
                heard = await self._heard(listening)
            except psycopg.Error as error:
                refused = first_line(error)
        return read.Link(asked=asked, answered=answered, pid=pid, heard=heard, refused=refused)

    async def _heard(self, listening: Connection) -> float | None:
        payload, sent = str(listening.info.backend_pid), self._world.monotonic()
        await self._database.query("doctor/notify", {"payload": payload}, seconds=PATIENCE)
        async for notice in listening.notifies(timeout=NOTICE_PATIENCE):
            if (notice.channel, notice.payload) == (CHANNEL, payload):
                return self._world.monotonic() - sent
        return None

    async def _schema(self) -> read.SchemaReading:
        async with self._database.dedicated() as connection:
            state = await migrate.inspect(connection, self._database.schemas.system)
        return read.SchemaReading(
            **asdict(state),
            needed_generation=migrate.NEEDED_GENERATION,
            known_generation=migrate.KNOWN_GENERATION,
            known_extension=migrate.KNOWN_EXTENSION,
            indexes=migrate.indexes(),
        )

    async def _schedules(self, extension: int) -> list[read.ScheduleReading]:
        rows = await schedules.listed(schedules.Ours(self._database, extension))
        fields = read.ScheduleReading.__struct_fields__
        return [read.ScheduleReading(**{name: row[name] for name in fields}) for row in rows]

    # -- how -----------------------------------------------------------------------------------------------

    async def _many(
        self, part: str, kind: Callable[..., Any], query: str, parameters: dict[str, Any]
    ) -> None:
        await self._part(part, self._rows(kind, query, parameters))

    async def _one(self, part: str, kind: Callable[..., Any], query: str, parameters: dict[str, Any]) -> None:
        async def first() -> Any:
            return (await self._rows(kind, query, parameters))[0]

        await self._part(part, first())

    async def _rows(self, kind: Callable[..., Any], query: str, parameters: dict[str, Any]) -> list[Any]:
        rows = await self._database.query(query, parameters, seconds=PATIENCE)
        fields = kind.__struct_fields__  # type: ignore[attr-defined]
        return [kind(**{name: getattr(row, name) for name in fields}) for row in rows]

    async def _part(self, part: str, reading: Coroutine[Any, Any, Any]) -> None:
        try:
            self.found[part] = await reading
        except DatabaseUnavailable:
            raise
        except (psycopg.Error, DatabaseError) as error:
            self.unread[part] = first_line(error)


def _as(kind: Callable[..., T], row: Any) -> T:
    return kind(**row._asdict())
