"""Schedules as rows: put, listed, paused, deleted; and runs of theirs out of turn.

A database that only DBOS has used keeps no options: such schedules are kept as DBOS keeps them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import msgspec

from durably.core.ports import Fired, Firing, ScheduleRow
from durably.core.schedules import NewSchedule, ScheduledRun, changed_by_hand, declaration
from durably.errors import InvalidOption, ScheduleExists
from durably.store.database import Call, Database

__all__ = ["Ours", "active", "declare", "delete", "enqueue", "fire", "listed", "note", "put", "set_status"]

OPTIONS = 6  # the migration of the extension schema that has tables for them
DECLARED = 13  # and the one that knows what code declared
CHUNK = 500  # runs in a statement
PLAIN = {
    "catch_up": 0.0,
    "jitter": 0.0,
    "overlap": "allow",
    "problem": None,
    "declared": False,
    "changed": (),
}

Row: TypeAlias = dict[str, Any]

_encode = msgspec.json.Encoder().encode


class Opened(Protocol):
    """A database, and what of the extension schema it has."""

    database: Database
    extension: int


@dataclass
class Ours:
    """The database of an application of ours: it has all of the extension schema."""

    database: Database
    extension: int = DECLARED


async def put(opened: Opened, new: NewSchedule, *, replace: bool) -> None:
    """Create a schedule, or replace one of the same owner; ScheduleExists. Repeating it is safe."""
    await _put(opened, new, {"replace": replace}, [])


async def declare(database: Database, new: NewSchedule) -> None:
    """Put a schedule as code has it, unless the code said the same last time; ScheduleExists.

    So what was changed at run time since then stays, until the code says something else.
    """
    said = {"declaration": _encode(declaration(new)).decode()}
    known = {"schedule_name": new.schedule_name, "application_name": new.application_name} | said
    if not await database.rows("schedules/declared", known):
        await _put(Ours(database), new, {"replace": True}, [("schedules/declare", known)])


async def _put(opened: Opened, new: NewSchedule, how: Row, then: Sequence[Call]) -> None:
    parameters = msgspec.structs.asdict(new) | how
    calls: list[Call] = [("schedules/put", parameters)]
    if opened.extension >= OPTIONS:
        calls.append(("schedules/set_options", parameters))
    elif new.overlap != "allow" or new.jitter:
        option = "overlap" if new.overlap != "allow" else "jitter"
        hint = "only durably's own tables can keep it, and this database has none: run `durably db migrate`"
        raise InvalidOption(option, getattr(new, option), hint)
    while not (rows := (await opened.database.transaction([*calls, *then]))[0]):
        pass  # another has just created it, and this statement does not see it yet
    if not rows[0].is_written and rows[0].schedule_id != new.schedule_id:  # else an earlier attempt has
        owner = rows[0].application_name
        raise ScheduleExists(new.schedule_name, owner=owner, application_name=new.application_name)


async def listed(
    opened: Opened,
    *,
    schedule_name: str | None = None,
    status: str | None = None,
    workflow_name: str | None = None,
    prefix: str | None = None,
    application_name: str | None = None,
) -> list[Row]:
    """Schedules by name, with their options."""
    filters = {
        "schedule_name": schedule_name,
        "status": status,
        "workflow_name": workflow_name,
        "prefix": prefix,
        "application_name": application_name,
    }
    rows = [row._asdict() for row in await opened.database.rows("schedules/list", filters)]
    ids = {"schedule_ids": [row["schedule_id"] for row in rows]}
    options: dict[str, Row] = {}
    if rows and opened.extension >= OPTIONS:
        found = await opened.database.rows("schedules/options", ids)
        options = {row.schedule_id: row._asdict() for row in found}
    whole = [PLAIN | row | options.get(row["schedule_id"], {}) for row in rows]
    if not rows or opened.extension < DECLARED:
        return whole
    declared = {
        row.schedule_id: msgspec.json.decode(row.declaration)
        for row in await opened.database.rows("schedules/declarations", ids)
    }
    return [row | _standing(declared.get(row["schedule_id"]), row) for row in whole]


def _standing(declared: Row | None, row: Row) -> Row:
    return {} if declared is None else {"declared": True, "changed": changed_by_hand(declared, row)}


async def set_status(opened: Opened, schedule_name: str, status: str) -> bool:
    """Pause or resume a schedule; whether there is one."""
    calls: list[Call] = [("schedules/set_status", {"schedule_name": schedule_name, "status": status})]
    if status == "ACTIVE" and opened.extension >= OPTIONS:
        calls.insert(0, ("schedules/resumed", {"schedule_name": schedule_name}))
    return bool((await opened.database.transaction(calls))[-1])


async def delete(opened: Opened, schedule_name: str) -> bool:
    """Delete a schedule; whether there was one."""
    calls: list[Call] = [("schedules/delete", {"schedule_name": schedule_name})]
    if opened.extension >= OPTIONS:
        calls.append(("schedules/forget", {}))
    if opened.extension >= DECLARED:
        calls.append(("schedules/undeclare", {}))
    return bool((await opened.database.transaction(calls))[0])


async def enqueue(
    database: Database, schedule_name: str, runs: Sequence[ScheduledRun], *, application_name: str | None
) -> bool:
    """Enqueue runs of a schedule, all or none; those that exist are left alone. False: no such schedule."""
    calls: list[Call] = [
        (
            "schedules/enqueue",
            {
                "records": _encode(runs[start : start + CHUNK]).decode(),
                "schedule_name": schedule_name,
                "application_name": application_name,
            },
        )
        for start in range(0, len(runs), CHUNK)
    ]
    return all(await database.transaction(calls))


async def active(database: Database, application_name: str) -> list[ScheduleRow]:
    """The schedules that an application's executors keep."""
    rows = await database.rows("schedules/load", {"application_name": application_name})
    return [ScheduleRow(**row._asdict()) for row in rows]


async def fire(database: Database, application_name: str, firings: Sequence[Firing]) -> list[Fired]:
    """Decide about ticks, at most one of a schedule; repeating it after a lost answer is safe."""
    lock: Call = ("schedules/lock", {"schedule_ids": [firing.schedule_id for firing in firings]})
    records = _encode(firings).decode()
    decide: Call = ("schedules/fire", {"records": records, "application_name": application_name})
    rows = (await database.transaction([lock, decide]))[1]
    return [Fired(row.schedule_id, row.outcome, row.wait) for row in rows]


async def note(database: Database, notes: Mapping[str, str | None]) -> None:
    """Tell what is wrong with schedules, by id."""
    listed_ = [{"schedule_id": id_, "note": text} for id_, text in notes.items()]
    await database.rows("schedules/note", {"notes": _encode(listed_).decode()})
