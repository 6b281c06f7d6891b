"""Filters as the parameters of a query."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from durably.client._session import Settings
from durably.codec import attributes_text
from durably.core import checks
from durably.core.names import PAUSED_UNTIL_MS
from durably.errors import InvalidOption
from durably.types import ACTIVE, TERMINAL, WorkflowFilter

__all__ = ["addresses", "bounds", "conditions", "page"]

STATUSES = (*ACTIVE, *TERMINAL)
ANY_OF = (
    "workflow_ids",
    "status",
    "name",
    "queue_name",
    "app_version",
    "executor_id",
    "authenticated_user",
    "parent_workflow_id",
    "forked_from",
    "schedule_name",
)
FLAGS = ("queues_only", "has_parent", "is_fork", "was_forked_from", "is_paused")
INSTANTS = (
    "start_time",
    "end_time",
    "completed_after",
    "completed_before",
    "dequeued_after",
    "dequeued_before",
)


def conditions(filter: WorkflowFilter, settings: Settings) -> dict[str, Any]:
    """What a workflow must be."""
    if not isinstance(filter, WorkflowFilter):
        raise InvalidOption("filter", filter, "pass a WorkflowFilter")
    for status in _any_of("status", filter.status) or ():
        checks.choice("status", status, STATUSES)
    prefix = filter.workflow_id_prefix
    return {
        **{field: _any_of(field, getattr(filter, field)) for field in ANY_OF},
        **{field: getattr(filter, field) for field in FLAGS},
        **{field: checks.instant(field, getattr(filter, field)) for field in INSTANTS},
        "paused_until": PAUSED_UNTIL_MS,
        "workflow_id_prefix": checks.address("workflow_id_prefix", prefix) if prefix else None,
        "attributes": attributes_text(settings.codecs, filter.attributes),
        "scope": _scope(filter, settings),
    }


def page(filter: WorkflowFilter, settings: Settings) -> dict[str, Any]:
    """The same, with the order and the size of the page, and what to load."""
    return {
        **conditions(filter, settings),
        **bounds(filter.limit, filter.offset),
        "sort_desc": bool(filter.sort_desc),
        "load_input": bool(filter.load_input),
        "load_output": bool(filter.load_output),
    }


def bounds(limit: int | None, offset: int) -> dict[str, Any]:
    """How many rows, from which one."""
    most = 2**63 - 1
    return {
        "limit": None if limit is None else checks.whole("limit", limit, least=0, most=most),
        "offset": checks.whole("offset", offset, least=0, most=most),
    }


def addresses(option: str, ids: object) -> list[str]:
    """Ids of existing workflows, in a sequence that is not itself a text; each once."""
    if isinstance(ids, str | bytes) or not isinstance(ids, Sequence | set | frozenset):
        raise InvalidOption(option, ids, "pass a list of texts")
    return list(dict.fromkeys(checks.address(option, each) for each in ids))


def _any_of(field: str, value: Any) -> list[str] | None:
    if value is None:
        return None
    return [checks.address(field, value)] if isinstance(value, str) else addresses(field, value)


def _scope(filter: WorkflowFilter, settings: Settings) -> str | None:
    """The application whose workflows count, with those of no application; None for all."""
    if filter.application_name is not None:
        return checks.name("application_name", filter.application_name)
    return settings.application_name if filter.workflow_ids is None else None
