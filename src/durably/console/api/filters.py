"""Which workflows are meant: the same conditions in a query and in a body; and pages of them."""

from __future__ import annotations

import base64
import dataclasses
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from durably.console.api.problems import Refused
from durably.console.api.reading import options
from durably.console.api.wire import Count, Given, Key, Moment, StatusWord, as_datetime
from durably.types import WorkflowFilter, WorkflowStatus

__all__ = ["Conditions", "Listing", "next_cursor", "page_of", "where"]

INSTANTS = (
    "start_time",
    "end_time",
    "completed_after",
    "completed_before",
    "dequeued_after",
    "dequeued_before",
)

Keys = Annotated[list[Key], Meta(max_length=100, description="Any of these.")]  # a URL has its bounds


class Conditions(Given, frozen=True, kw_only=True):
    """Which workflows: every condition that is given must hold."""

    workflow_ids: Keys | None = None
    workflow_id_prefix: Key | None = None
    status: Annotated[list[StatusWord], Meta(max_length=10, description="Any of these.")] | None = None
    name: Keys | None = None
    queue_name: Keys | None = None
    queues_only: Annotated[bool, Meta(description="Only what waits or runs on a queue.")] = False
    app_version: Keys | None = None
    application_name: Key | None = None
    executor_id: Keys | None = None
    authenticated_user: Keys | None = None
    parent_workflow_id: Keys | None = None
    has_parent: bool | None = None
    forked_from: Keys | None = None
    is_fork: bool | None = None
    was_forked_from: bool | None = None
    is_paused: bool | None = None
    schedule_name: Keys | None = None
    attributes: Annotated[dict[str, Any], Meta(description="All of these attributes.")] | None = None
    start_time: Moment | None = None
    end_time: Moment | None = None
    completed_after: Moment | None = None
    completed_before: Moment | None = None
    dequeued_after: Moment | None = None
    dequeued_before: Moment | None = None


class Listing(Conditions, frozen=True, kw_only=True):
    """Which workflows, in which order, how many of them, and with what."""

    sort_desc: Annotated[bool, Meta(description="The newest first.")] = False
    limit: Count = 100
    cursor: Annotated[str, Meta(max_length=200, description="`next` of the page before.")] | None = None
    load_input: bool = False
    load_output: bool = False


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """Where a page ended: an instant of creation, and how many of that instant have been shown."""

    created_at: Annotated[int, Meta(ge=0, le=253_402_300_799_999)]
    shown: Annotated[int, Meta(ge=1, le=2**31)]


def where(conditions: Conditions, **more: Any) -> WorkflowFilter:
    """The conditions as the client takes them."""
    names = {field.name for field in dataclasses.fields(WorkflowFilter)}
    given = {name: value for name, value in options(conditions).items() if name in names}
    instants = {name: as_datetime(given.get(name)) for name in INSTANTS}
    return WorkflowFilter(**{**given, **instants, **more})


def page_of(listing: Listing) -> WorkflowFilter:
    """The page that a listing asks for: it begins at an instant, however many were before it."""
    filter_ = where(listing)
    if listing.cursor is None:
        return filter_
    cursor = _read(listing.cursor)
    edge: dict[str, Any] = {"end_time" if listing.sort_desc else "start_time": as_datetime(cursor.created_at)}
    return dataclasses.replace(filter_, offset=cursor.shown, **edge)


def next_cursor(listing: Listing, found: list[WorkflowStatus]) -> str | None:
    """Where the next page begins; None behind the last one."""
    if len(found) < listing.limit:
        return None
    last = found[-1]
    alike = sum(each.created_at == last.created_at for each in found)
    if listing.cursor is not None and alike == len(found):
        before = _read(listing.cursor)
        alike += before.shown if before.created_at == last.created_at else 0
    text = msgspec.json.encode(Cursor(last.created_at, alike))
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def _read(cursor: str) -> Cursor:
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=Cursor)
    except ValueError:
        hint = "give `next` of the page before, as it was, with the same conditions"
        raise Refused("invalid", "the cursor is not one of ours", option="cursor", hint=hint) from None
