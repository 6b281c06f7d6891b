"""Debounced workflows as rows: one call of one."""

from __future__ import annotations

import msgspec

from durably.core.limits import key_is_missing
from durably.core.records import Create
from durably.errors import Deduplicated, InvalidOption, WorkflowConflict
from durably.store.callers import is_deduplication
from durably.store.database import Database

__all__ = ["debounce"]

FIELDS = (
    "workflow_id",
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
    "deduplication_id",
    "timeout_ms",
    "attributes",
    "parent_workflow_id",
)


async def debounce(
    database: Database, record: Create, *, period_ms: int, deadline_ms: int | None
) -> str | None:
    """The id of the workflow that will run with these inputs; None: ask again, a key was let go just now.

    Raises Deduplicated where the key is held by what may not be bounced, WorkflowConflict, and InvalidOption
    for a partitioned queue. Repeating it is safe while the workflow is delayed.
    """
    values = msgspec.structs.asdict(record)
    parameters = {name: values[name] for name in FIELDS}
    parameters |= {"period_ms": period_ms, "deadline_ms": deadline_ms}
    try:
        (row,) = await database.rows("debounce/debounce", parameters)
    except Exception as error:
        if not is_deduplication(error):
            raise
        return None
    if (id_ := row.bounced or row.made) is not None:
        return str(id_)
    if row.holder_id is not None:
        theirs = row.holder_application not in (None, record.application_name)
        if not row.holder_is_debounced or row.holder_name != record.name or theirs:
            raise Deduplicated(
                record.workflow_id,
                queue_name=record.queue_name,
                deduplication_id=record.deduplication_id,
            )
        return None
    if row.met_id is None:
        raise _partitioned(record)
    if row.met_name != record.name:
        raise WorkflowConflict(record.workflow_id, what="the name", found=row.met_name, given=record.name)
    return record.workflow_id


def _partitioned(record: Create) -> InvalidOption:
    why = key_is_missing(record.queue_name).hint.partition(",")[0]
    return InvalidOption("queue_name", record.queue_name, f"{why}, and cannot be debounced on: take another")
