"""What a client does with workflow_status and the tables beside it: rows in, rows out.

Each function is one transaction. Those that may be repeated after a lost answer say how that is safe.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from durably.core import limits
from durably.core.records import Create, StoredArguments
from durably.errors import DatabaseError, Deduplicated
from durably.store import batch
from durably.store.database import Call, Database
from durably.store.failures import first_line, is_ended_by_limit, is_refused
from durably.types import Status

__all__ = [
    "Violation",
    "arguments",
    "arguments_call",
    "cancel",
    "count",
    "create",
    "create_together",
    "deduplicated",
    "existing",
    "family",
    "get",
    "ids",
    "list_steps",
    "list_workflows",
    "resume",
    "stored_arguments",
]

CHUNK = 1000  # workflows in a statement
LIMIT = 30.0  # seconds that a list or a count may take
ENQUEUED = (
    "workflow_id",
    "creator",
    "name",
    "class_name",
    "config_name",
    "queue_name",
    "inputs",
    "serialization",
    "app_version",
    "application_name",
    "authenticated_user",
    "assumed_role",
    "authenticated_roles",
    "priority",
    "deduplication_id",
    "queue_partition_key",
    "delay_seconds",
    "timeout_ms",
    "attributes",
)

Row: TypeAlias = dict[str, Any]

_encode = msgspec.json.Encoder().encode


class Violation(Exception):
    """A deduplication id is held by another workflow; which one is for `deduplicated` to say."""


async def create(database: Database, record: Create) -> Any:
    """Enqueue a workflow in one round trip: a Created, or an exception. Repeating a record is safe."""
    calls: list[Call] = [("workflows/enqueue", {field: getattr(record, field) for field in ENQUEUED})]
    if record.max_recovery_attempts is not None:
        calls.append(batch.limits([record]))
    try:
        answers = await database.transaction(calls)
    except Exception as error:
        if not is_refused(error):
            raise
        return batch.refusal(record, error)
    if not answers[0]:
        return limits.key_is_missing(record.queue_name)
    return batch.created([record], answers[0])[0]


async def create_together(database: Database, records: Sequence[Create], judge: Any) -> list[Any]:
    """Create workflows, all or none: `judge` is given the Created of each and raises to undo them all.

    Raises Violation when one of them holds a deduplication id that is taken.
    """
    try:
        async with database.begun() as connection:
            replies: list[Any] = []
            for start in range(0, len(records), CHUNK):
                chunk = records[start : start + CHUNK]
                answers = [await database.rows_on(connection, *call) for call in batch.creation(chunk)]
                replies += batch.created(chunk, answers[0])
            judge(replies)
            return replies
    except Exception as error:
        if not is_refused(error):
            raise
        if isinstance(batch.refusal(records[0], error), Deduplicated):
            raise Violation from error
        raise DatabaseError(f"the database refused it: {first_line(error)}") from error


async def deduplicated(
    database: Database, wanted: Sequence[tuple[str | None, str | None]]
) -> dict[tuple[str, str], str]:
    """The ids of the workflows that hold these (queue, deduplication id)."""
    asked = _encode([{"queue_name": queue, "deduplication_id": key} for queue, key in wanted]).decode()
    rows = await database.rows("workflows/deduplicated", {"wanted": asked})
    return {(row.queue_name, row.deduplication_id): row.workflow_id for row in rows}


async def arguments(database: Database, workflow_ids: Sequence[str]) -> dict[str, StoredArguments]:
    """The arguments of these workflows, as they are stored."""
    return stored_arguments(await database.rows(*arguments_call(workflow_ids)))


def arguments_call(workflow_ids: Sequence[str]) -> Call:
    """The statement for `arguments`, for a transaction of the caller's own."""
    return "workflows/arguments", {"workflow_ids": _encode(list(workflow_ids)).decode()}


def stored_arguments(rows: Sequence[Any]) -> dict[str, StoredArguments]:
    """What the rows of `arguments_call` say."""
    return {
        row.workflow_id: StoredArguments(
            workflow_id=row.workflow_id, inputs=row.inputs, serialization=row.serialization
        )
        for row in rows
    }


async def existing(database: Database, workflow_ids: Sequence[str]) -> set[str]:
    """Which of these workflows there are."""
    rows = await database.rows("workflows/exist", {"workflow_ids": list(workflow_ids)})
    return {row.workflow_id for row in rows}


async def get(
    database: Database, workflow_id: str, *, load_input: bool = True, load_output: bool = True
) -> Row | None:
    """The row of a workflow, or None."""
    asked = {"workflow_id": workflow_id, "load_input": load_input, "load_output": load_output}
    rows = await database.rows("workflows/get", asked)
    return rows[0]._asdict() if rows else None


async def list_workflows(database: Database, conditions: Mapping[str, Any]) -> list[Row]:
    """The rows of a filter's page."""
    return [row._asdict() for row in await _query(database, "workflows/list", conditions)]


async def ids(database: Database, conditions: Mapping[str, Any]) -> list[str]:
    """The ids of a filter's page."""
    unused = ("load_input", "load_output")
    wanted = {name: value for name, value in conditions.items() if name not in unused}
    return [row.workflow_id for row in await _query(database, "workflows/ids", wanted)]


async def count(database: Database, conditions: Mapping[str, Any]) -> int:
    """How many workflows a filter has."""
    rows = await _query(database, "workflows/count", conditions)
    return int(rows[0].workflows)


async def list_steps(
    database: Database, workflow_id: str, *, load_output: bool, limit: int | None, offset: int
) -> list[Row]:
    """The recorded operations of a workflow."""
    parameters = {"workflow_id": workflow_id, "load_output": load_output, "limit": limit, "offset": offset}
    return [row._asdict() for row in await _query(database, "steps/list", parameters)]


async def cancel(
    database: Database,
    workflow_ids: Sequence[str],
    *,
    cancel_children: bool,
    statuses: Sequence[Status] | None = None,
) -> dict[str, bool]:
    """Cancel workflows: every one that was met, and whether it was changed. Repeating only re-stamps."""
    parameters = {
        "workflow_ids": list(workflow_ids),
        "children": cancel_children,
        "statuses": None if statuses is None else list(statuses),
    }
    rows = await database.rows("workflows/cancel", parameters)
    return {row.workflow_id: row.changed for row in rows}


async def resume(
    database: Database,
    workflow_ids: Sequence[str],
    *,
    queue_name: str,
    token: str,
    strict: bool = True,
    statuses: Sequence[Status] | None = None,
) -> dict[str, bool]:
    """Resume workflows, if all of them exist where `strict`: every one that was met, and whether it changed.

    Repeating it with the same token changes nothing more.
    """
    parameters = {
        "workflow_ids": list(workflow_ids),
        "queue_name": queue_name,
        "token": token,
        "strict": strict,
        "statuses": None if statuses is None else list(statuses),
    }
    rows = await database.rows("workflows/resume", parameters)
    return {row.workflow_id: row.changed for row in rows}


async def family(
    database: Database, workflow_ids: Sequence[str], *, children: bool, statuses: Sequence[Status]
) -> list[str]:
    """Those of these workflows, and of their descendants where asked, that have one of these statuses."""
    parameters = {"workflow_ids": list(workflow_ids), "children": children, "statuses": list(statuses)}
    return [row.workflow_id for row in await database.rows("workflows/family", parameters)]


async def _query(database: Database, name: str, parameters: Mapping[str, Any]) -> list[Any]:
    try:
        return await database.query(name, parameters, seconds=LIMIT)
    except Exception as error:
        if not is_ended_by_limit(error):
            raise
        raise DatabaseError(
            f"the database did not answer within {LIMIT:g} s: narrow the filter (a name, a status, a time), "
            "or ask for fewer at a time (limit)"
        ) from error
