"""The Runs page: filters as they stand in the URL, and what a picked or filtered set may be asked to do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from durably.errors import InvalidOption
from durably.types import ACTIVE, TERMINAL, Role, SearchCounts, Status, WorkflowFilter, WorkflowOrder

__all__ = ["ACTIONS", "CHIPS", "FIELDS", "RANGES", "VIEWS", "Asked", "BulkAction", "Chip", "asked", "chips"]

LIMIT = 50  # rows of a page
STATUSES: tuple[Status, ...] = (
    "PENDING",
    "ENQUEUED",
    "DELAYED",
    "SUCCESS",
    "ERROR",
    "CANCELLED",
    TERMINAL[-1],
)
CHIPS = (*STATUSES, "PAUSED")

FIELDS = {  # parameter of the URL: (word, field of the filter)
    "name": ("Name", "name"),
    "queue": ("Queue", "queue_name"),
    "version": ("Version", "app_version"),
    "executor": ("Executor", "executor_id"),
    "user": ("User", "authenticated_user"),
    "schedule": ("Schedule", "schedule_name"),
    "parent": ("Parent", "parent_workflow_id"),
    "forked_from": ("Forked from", "forked_from"),
    "application": ("Application", "application_name"),
}
RANGES = {
    "1h": ("last hour", timedelta(hours=1)),
    "24h": ("last 24 hours", timedelta(days=1)),
    "7d": ("last 7 days", timedelta(days=7)),
    "30d": ("last 30 days", timedelta(days=30)),
}
VIEWS: tuple[tuple[str, dict[str, str]], ...] = (  # saved views are links
    ("All", {}),
    ("Failed today", {"status": "ERROR", "range": "24h"}),
    ("Running", {"status": "PENDING"}),
    ("Waiting", {"status": "ENQUEUED"}),
    ("Paused", {"status": "PAUSED"}),
    ("Forks", {"fork": "yes"}),
    ("Last to end", {"order": "completed"}),
)


class Given(dict[str, str]):
    """Parameters; one that was not given is empty."""

    def __missing__(self, name: str) -> str:
        return ""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the URL asks for: the filter, free text, the order, and the parameters as they stood."""

    filter: WorkflowFilter
    text: str | None
    order: WorkflowOrder
    statuses: tuple[str, ...]
    given: Given  # those that choose runs, without where the page is

    @property
    def is_everything(self) -> bool:
        """Whether no condition is given."""
        return not set(self.given) - {"order"}


@dataclass(frozen=True)
class Chip:
    """A status that may be asked for: how many there are, as text, and whether it is."""

    status: str
    count: str
    is_on: bool
    toggled: str | None  # the parameter `status` after a click


@dataclass(frozen=True)
class BulkAction:
    """Something that may be done to many runs: to those in `statuses`."""

    verb: str
    word: str
    done: str  # what was done, in the past
    statuses: tuple[Status, ...]
    role: Role = "operator"
    kind: str = ""  # of its button
    explains: str = ""


UNFINISHED: tuple[Status, ...] = (*ACTIVE, "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")
ACTIONS = {
    action.verb: action
    for action in (
        BulkAction("cancel", "Cancel", "cancelled", ACTIVE, kind="danger",
                   explains="Queued ones never run; running ones stop at their next operation."),
        BulkAction("pause", "Pause", "paused", ACTIVE,
                   explains="They stop where they are, and go on from there when unpaused."),
        BulkAction("unpause", "Unpause", "unpaused", ("DELAYED",),
                   explains="Paused ones become what they were before."),
        BulkAction("resume", "Resume", "resumed", ("CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"),
                   explains="They go on from their last recorded operation."),
        BulkAction("requeue", "Requeue dead letters", "requeued", ("MAX_RECOVERY_ATTEMPTS_EXCEEDED",),
                   explains="They go on with their attempts counted anew."),
        BulkAction("fork", "Fork from failure", "forked", ("ERROR",),
                   explains="New runs begin at the operation that failed, with what was recorded before."),
        BulkAction("delete", "Delete", "deleted", (*ACTIVE, *TERMINAL), role="admin", kind="danger",
                   explains="Rows, payloads, steps, messages and events are gone for good."),
    )
}  # fmt: skip


def asked(query: Mapping[str, str], now: datetime) -> Asked:
    """What the parameters of a URL ask for. Raises InvalidOption for what cannot be meant."""
    given = Given({name: value.strip() for name, value in query.items() if name in _KNOWN and value.strip()})
    fields: dict[str, Any] = {field: given[name] for name, (_, field) in FIELDS.items() if name in given}
    statuses = tuple(dict.fromkeys(given.get("status", "").split(","))) if given.get("status") else ()
    if wrong := [status for status in statuses if status not in CHIPS]:
        raise InvalidOption("status", wrong[0], f"it must be one of {', '.join(CHIPS)}")
    fields |= _status(statuses)
    fields |= {name: _yes(name, given[key]) for key, name in _FLAGS.items() if key in given}
    fields |= _times(given, now)
    text = given.get("q")
    attributes = _attributes(given.get("attribute"))
    if text and (found := _as_attribute(text)):
        attributes, text = {**(attributes or {}), **found}, None
    order = given.get("order", "created")
    if order not in ("created", "completed"):
        raise InvalidOption("order", order, "it must be created or completed")
    return Asked(
        filter=WorkflowFilter(**fields, attributes=attributes),
        text=text,
        order=cast("WorkflowOrder", order),
        statuses=statuses,
        given=given,
    )


def chips(wanted: Asked, counts: SearchCounts) -> list[Chip]:
    """The statuses with their counts, as far as they were counted."""
    found = []
    for status in CHIPS:
        is_on = status in wanted.statuses
        others = [each for each in wanted.statuses if each != status]
        toggled = others if is_on else [*others, status]
        found.append(Chip(status, _count(status, counts), is_on, ",".join(toggled) or None))
    return found


def _count(status: str, counts: SearchCounts) -> str:
    if status == "PAUSED":
        return ""
    number = counts.counts.get(status, 0)
    if number > counts.most:
        return f"{counts.most:,}+"
    return f"{number:,}" if counts.is_complete else f"{number:,}+" if number else ""


_FLAGS = {"fork": "is_fork", "child": "has_parent", "forked": "was_forked_from"}
_KNOWN = {*FIELDS, *_FLAGS, "status", "q", "attribute", "range", "from", "to", "order"}


def _status(statuses: tuple[str, ...]) -> dict[str, Any]:
    if not statuses:
        return {}
    if statuses == ("PAUSED",):
        return {"is_paused": True, "status": ("DELAYED",)}
    plain = ["DELAYED" if status == "PAUSED" else status for status in statuses]
    return {"status": tuple(dict.fromkeys(plain))}


def _yes(name: str, value: str) -> bool:
    if value not in ("yes", "no"):
        raise InvalidOption(name, value, "it must be yes or no")
    return value == "yes"


def _times(given: Mapping[str, str], now: datetime) -> dict[str, datetime]:
    times: dict[str, datetime] = {}
    if span := given.get("range"):
        if span not in RANGES:
            raise InvalidOption("range", span, f"it must be one of {', '.join(RANGES)}")
        start = now - RANGES[span][1]
        times["start_time"] = start.replace(second=0, microsecond=0)
    for name, field in (("from", "start_time"), ("to", "end_time")):
        if text := given.get(name):
            times[field] = _instant(name, text)
    return times


def _instant(name: str, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidOption(name, text, "give an instant such as 2026-05-01T13:00 (UTC)") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _attributes(text: str | None) -> dict[str, Any] | None:
    if not text:
        return None
    found: dict[str, Any] = {}
    for part in text.split(","):
        key, equals, value = part.partition("=")
        if not equals or not key.strip():
            raise InvalidOption("attribute", text, "give key=value, several apart by commas")
        found[key.strip()] = _value(value.strip())
    return found


def _as_attribute(text: str) -> dict[str, Any] | None:
    """`customer=c17` in the search field asks for that attribute."""
    key, equals, value = text.partition("=")
    return {key.strip(): _value(value.strip())} if equals and key.strip() and value.strip() else None


def _value(text: str) -> Any:
    """A number, true, false or null as JSON has them; other things as the text that they are."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, bool | int | float | str) or value is None else text
