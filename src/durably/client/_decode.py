"""Rows to what users see; a payload that cannot be decoded here stays the text that it is."""

from __future__ import annotations

import json
from typing import Any, TypeAlias

from durably.client._explain import explanation
from durably.codec import Codecs
from durably.core.ports import ResultRow
from durably.errors import CodecError, RecoveryAttemptsExceeded, WorkflowCancelled
from durably.types import StepInfo, WorkflowStatus

__all__ = ["outcome", "shown", "step", "workflow"]

Row: TypeAlias = dict[str, Any]  # as JSON would hold it: a workflow that asks records it

_PAYLOADS = frozenset(
    {
        "inputs",
        "output",
        "error",
        "authenticated_roles",
        "attributes",
        "queue_is_unknown",
        "note",
        "served",
        "pause",
    }
)


def outcome(codecs: Codecs, row: ResultRow, result_type: Any) -> Any:
    """The result of a workflow that has ended, or its error raised."""
    match row.status:
        case "SUCCESS":
            return value(codecs, row.output, row.serialization, result_type)
        case "ERROR":
            raise codecs.decode_error(row.workflow_id, row.error or "{}", row.serialization)
        case "CANCELLED":
            raise WorkflowCancelled(row.workflow_id)
        case _:
            raise RecoveryAttemptsExceeded(row.workflow_id)


def value(codecs: Codecs, text: str | None, serialization: str | None, type_: Any) -> Any:
    """A stored value; None where nothing is stored."""
    return None if text is None else codecs.decode(text, serialization, type_)


def workflow(codecs: Codecs, row: Row) -> WorkflowStatus:
    """A row of workflows/get or workflows/list."""
    plain = {name: item for name, item in row.items() if name not in _PAYLOADS}
    serialization, attributes = row["serialization"], row["attributes"]
    return WorkflowStatus(
        **plain,
        explanation=explanation(row),
        input=_arguments(codecs, row["inputs"], serialization),
        output=shown(codecs, row["output"], serialization),
        error=_error(codecs, row["workflow_id"], row["error"], serialization),
        authenticated_roles=_roles(row["authenticated_roles"]),
        attributes=None if attributes is None else json.loads(attributes),
    )


def step(codecs: Codecs, workflow_id: str, row: Row) -> StepInfo:
    """A row of steps/list."""
    return StepInfo(
        **row
        | {
            "output": shown(codecs, row["output"], row["serialization"]),
            "error": _error(codecs, workflow_id, row["error"], row["serialization"]),
        }
    )


def _arguments(codecs: Codecs, text: str | None, serialization: str | None) -> Any:
    if text is None:
        return None
    try:
        args, kwargs = codecs.reader(serialization, text).decode_arguments(text)
    except CodecError:
        return text
    return {"args": tuple(args), "kwargs": dict(kwargs)}


def shown(codecs: Codecs, text: str | None, serialization: str | None) -> Any:
    """A stored value for people: one that cannot be decoded here stays the text that it is."""
    try:
        return value(codecs, text, serialization, Any)
    except CodecError:
        return text


def _error(codecs: Codecs, workflow_id: str, text: str | None, serialization: str | None) -> Any:
    if text is None:
        return None
    try:
        return codecs.decode_error(workflow_id, text, serialization)
    except CodecError:
        return text


def _roles(text: str | None) -> tuple[str, ...]:
    try:
        roles = json.loads(text or "[]")
    except ValueError:
        return ()
    return tuple(map(str, roles)) if isinstance(roles, list) else ()
