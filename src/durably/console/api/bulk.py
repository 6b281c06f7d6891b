"""Workflows, many at a time: those of some ids, or of a filter; `dry_run` tells which they would be."""

from __future__ import annotations

from collections.abc import Awaitable, Coroutine
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from durably.client import AsyncWorkflowHandle
from durably.console.api import shapes
from durably.console.api.filters import Conditions, Listing, next_cursor, page_of, where
from durably.console.api.problems import Refused
from durably.console.api.reading import options
from durably.console.api.route import Call, Example, get, post
from durably.console.api.shapes import Ids
from durably.console.api.steering import From
from durably.console.api.wire import Given, Id, Name, Seconds
from durably.console.api.workflows import Runs
from durably.types import WorkflowFilter

__all__ = ["ROUTES"]

Several = Annotated[list[Id], Meta(min_length=1, max_length=10_000)]


class Which(Given, frozen=True, kw_only=True):
    """Which workflows: ids, or a filter; one of the two."""

    workflow_ids: Several | None = None
    filter: Conditions | None = None


class Chosen(Which, frozen=True, kw_only=True):
    """Which workflows; with `dry_run` nothing is changed."""

    dry_run: bool = False


class CancelMany(Chosen, frozen=True, kw_only=True):
    """Which to cancel; a filter without a status means those that have not ended."""

    cancel_children: bool = False


class ResumeMany(Chosen, frozen=True, kw_only=True):
    """Which to resume; a filter without a status means those that were cancelled or set aside."""

    queue_name: Name | None = None


class PauseMany(Chosen, frozen=True, kw_only=True):
    """Which to pause; those that have ended are left out."""

    reason: Name | None = None


class DeleteMany(Chosen, frozen=True, kw_only=True):
    """Which to delete; a filter without a status means those that have ended."""

    delete_children: bool = False


class Requeue(Chosen, frozen=True, kw_only=True):
    """Which dead letters to resume; all of them, where neither ids nor a filter are given."""

    queue_name: Name | None = None


class Move(Which, frozen=True, kw_only=True):
    """Which to move to a version; null leaves them to whichever is the latest."""

    app_version: Name | None


class Each(From, frozen=True, kw_only=True):
    """Which workflows begin again, and where."""

    workflow_ids: Several


class EachFork(Each, frozen=True, kw_only=True):
    """Which workflows to fork, from where, and how many seconds each fork may take."""

    timeout: Seconds | None = None


@post(
    "/workflows/cancel",
    verbs=("cancel_workflows",),
    example=Example(body={"filter": {"name": ["purchaseTicket"]}, "dry_run": True}),
)
async def cancel_workflows(call: Call, body: CancelMany) -> Ids:
    """Cancel workflows; shows those that were cancelled by it."""
    cancelling = call.client.cancel_workflows(
        _which(body), cancel_children=body.cancel_children, dry_run=body.dry_run
    )
    return await _done(call, "cancel", body, cancelling)


@post(
    "/workflows/resume",
    verbs=("resume_workflows",),
    problems=(404,),
    example=Example(body={"workflow_ids": ["order-17", "order-18"]}),
)
async def resume_workflows(call: Call, body: ResumeMany) -> Ids:
    """Resume workflows: those of ids all or none, those of a filter as they are found."""
    resuming = call.client.resume_workflows(_which(body), queue_name=body.queue_name, dry_run=body.dry_run)
    return await _done(call, "resume", body, _ids_of(resuming))


@post(
    "/workflows/pause",
    verbs=("pause_workflows",),
    example=Example(body={"filter": {"name": ["purchaseTicket"]}, "reason": "the bank is closed"}),
)
async def pause_workflows(call: Call, body: PauseMany) -> Ids:
    """Pause workflows; shows those that were paused by it."""
    pausing = call.client.pause_workflows(
        _which(body), reason=body.reason, paused_by=call.user.name, dry_run=body.dry_run
    )
    return await _done(call, "pause", body, pausing)


@post(
    "/workflows/unpause",
    verbs=("unpause_workflows",),
    example=Example(body={"filter": {"name": ["purchaseTicket"]}}),
)
async def unpause_workflows(call: Call, body: Chosen) -> Ids:
    """Let paused workflows go on; shows those that were paused."""
    return await _done(
        call, "unpause", body, call.client.unpause_workflows(_which(body), dry_run=body.dry_run)
    )


@post(
    "/workflows/delete",
    verbs=("delete_workflows",),
    example=Example(
        body={"filter": {"status": ["SUCCESS"], "completed_before": "2026-01-01T00:00:00Z"}, "dry_run": True}
    ),
)
async def delete_workflows(call: Call, body: DeleteMany) -> Ids:
    """Delete workflows, and all that is recorded of them; shows those that were deleted."""
    deleting = call.client.delete_workflows(
        _which(body), delete_children=body.delete_children, dry_run=body.dry_run
    )
    return await _done(call, "delete", body, deleting)


@post(
    "/workflows/move",
    verbs=("move_workflows",),
    problems=(404,),
    example=Example(body={"workflow_ids": ["order-17"], "app_version": "tickets@2026-11-26"}),
)
async def move_workflows(call: Call, body: Move) -> Ids:
    """Give workflows that do not run another version; stranded ones go back on their queues."""
    moving = call.client.move_workflows(_which(body), body.app_version)
    return await _done(call, "move", body, moving)


@post(
    "/workflows/fork",
    status=201,
    verbs=("fork_workflows",),
    problems=(404, 409),
    example=Example(body={"workflow_ids": ["order-17", "order-18"], "start_step": "failure"}),
)
async def fork_workflows(call: Call, body: EachFork) -> Ids:
    """Fork workflows in one transaction, all or none; shows the forks, in the same order."""
    forking = call.client.fork_workflows(body.workflow_ids, **options(body, "workflow_ids"))
    return await _done(call, "fork", body, _ids_of(forking))


@post(
    "/workflows/rewind",
    verbs=("rewind_workflows",),
    problems=(404, 409),
    example=Example(body={"workflow_ids": ["order-17", "order-18"], "start_step": "failure"}),
)
async def rewind_workflows(call: Call, body: Each) -> Ids:
    """Rewind workflows in one transaction, all or none."""
    rewinding = call.client.rewind_workflows(body.workflow_ids, **options(body, "workflow_ids"))
    return await _done(call, "rewind", body, _ids_of(rewinding))


@get("/dead-letters", verbs=("list_dead_letters",), example=Example({"limit": 20}))
async def list_dead_letters(call: Call, query: Listing) -> Runs:
    """Show the workflows that were set aside after too many recoveries; `status` does not count."""
    found = await call.client.list_dead_letters(page_of(query))
    return Runs(workflows=[shapes.run(call, each) for each in found], next=next_cursor(query, found))


@post("/dead-letters/requeue", verbs=("requeue_dead_letters",), example=Example(body={"dry_run": True}))
async def requeue_dead_letters(call: Call, body: Requeue) -> Ids:
    """Resume workflows that were set aside, with their attempts counted anew."""
    is_all = body.workflow_ids is None and body.filter is None
    requeueing = call.client.requeue_dead_letters(
        None if is_all else _which(body), queue_name=body.queue_name, dry_run=body.dry_run
    )
    return await _done(call, "requeue", body, requeueing)


def _which(chosen: Which) -> list[str] | WorkflowFilter:
    if (chosen.workflow_ids is None) == (chosen.filter is None):
        raise Refused("invalid", "give either workflow_ids or a filter", option="filter")
    return chosen.workflow_ids if chosen.workflow_ids is not None else where(chosen.filter or Conditions())


async def _ids_of(making: Awaitable[list[AsyncWorkflowHandle[Any]]]) -> list[str]:
    return [handle.workflow_id for handle in await making]


async def _done(call: Call, verb: str, body: Which | Each, doing: Coroutine[Any, Any, list[str]]) -> Ids:
    """What was done, or with `dry_run` would be: that changes nothing, so the audit does not have it."""
    if getattr(body, "dry_run", False):
        return Ids(workflow_ids=await doing, dry_run=True)
    named = body.workflow_ids or []
    detail = {name: value for name, value in msgspec.to_builtins(body).items() if name != "workflow_ids"}
    done = await call.act(verb, "workflow", named, doing, detail=detail, did=_counted)
    return Ids(workflow_ids=done)


def _counted(ids: list[str]) -> str:
    return f"{len(ids):,} workflows"


ROUTES = (
    cancel_workflows,
    resume_workflows,
    pause_workflows,
    unpause_workflows,
    delete_workflows,
    move_workflows,
    fork_workflows,
    rewind_workflows,
    list_dead_letters,
    requeue_dead_letters,
)
