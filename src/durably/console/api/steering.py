"""Workflows, one at a time: cancel, resume, pause, fork, rewind, delete, change."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from durably.console.api.reading import options
from durably.console.api.route import Call, Example, delete, post, put
from durably.console.api.shapes import Changed, Started
from durably.console.api.wire import Given, Id, Moment, Name, Nothing, Seconds, as_datetime
from durably.console.api.workflows import One, require
from durably.types import Arguments

__all__ = ["ROUTES", "Cancel", "From", "Pause", "Resume"]

ORDER = {"id": "order-17"}


class Cancel(Given, frozen=True, kw_only=True):
    """Whether the workflows that it started are cancelled too."""

    cancel_children: bool = False


class Resume(Given, frozen=True, kw_only=True):
    """The queue that it goes on; DBOS's internal queue unless given."""

    queue_name: Name | None = None


class Pause(Given, frozen=True, kw_only=True):
    """Why it is paused."""

    reason: Name | None = None


class Deleted(One, frozen=True, kw_only=True):
    """The workflow that is meant, and whether those that it started go too."""

    delete_children: bool = False


class NewArguments(Given, frozen=True, kw_only=True):
    """Arguments that take the place of those that were recorded."""

    args: list[Any] = msgspec.field(default_factory=list)
    kwargs: dict[str, Any] = msgspec.field(default_factory=dict)


class From(Given, frozen=True, kw_only=True):
    """Where to begin, and where it is to run.

    `start_step` is a `function_id` of its steps, "failure", or left out: from the beginning.
    """

    start_step: Annotated[int, Meta(ge=0, le=2**31 - 1)] | Literal["failure"] | None = None
    app_version: Name | None = None
    queue_name: Name | None = None
    queue_partition_key: Name | None = None


class Again(From, frozen=True, kw_only=True):
    """Where to begin, and what is edited: `outputs` gives operations that are kept another outcome."""

    arguments: NewArguments | None = None
    outputs: dict[Annotated[str, Meta(pattern="^[0-9]{1,9}$")], Any] = msgspec.field(default_factory=dict)


class Fork(Again, frozen=True, kw_only=True):
    """A new workflow with what another one recorded before `start_step`."""

    new_workflow_id: Name | None = None
    timeout: Seconds | None = None
    replacement_children: dict[Id, Id] | None = None


class Delay(Given, frozen=True, kw_only=True):
    """Until when it is delayed: seconds from now, or an instant; one of the two."""

    delay: Seconds | None = None
    delay_until: Moment | None = None


class Priority(Given, frozen=True, kw_only=True):
    """Its priority: the smallest goes first, 0 is that of work without one."""

    priority: Annotated[int, Meta(ge=0, le=2**31 - 1)]


class Attributes(Given, frozen=True, kw_only=True):
    """Its attributes; with `merge` those that are not named stay."""

    attributes: dict[str, Any] | None
    merge: bool = False


@post(
    "/workflow/cancel",
    verbs=("cancel_workflow",),
    problems=(404,),
    example=Example(ORDER, {"cancel_children": True}),
)
async def cancel_workflow(call: Call, query: One, body: Cancel) -> Changed:
    """Cancel a workflow that has not ended; a running one stops at its next operation."""
    cancelling = call.client.cancel_workflow(query.id, cancel_children=body.cancel_children)
    changed = await call.act("cancel", "workflow", query.id, cancelling, detail=options(body))
    return Changed(workflow_id=query.id, changed=changed)


@post(
    "/workflow/resume",
    verbs=("resume_workflow",),
    problems=(404,),
    example=Example(ORDER, {"queue_name": "ticketQueue"}),
)
async def resume_workflow(call: Call, query: One, body: Resume) -> Started:
    """Put a workflow back on a queue, to go on from its last recorded operation."""
    resuming = call.client.resume_workflow(query.id, queue_name=body.queue_name)
    handle = await call.act("resume", "workflow", query.id, resuming, detail=options(body))
    return Started(workflow_id=handle.workflow_id)


@post(
    "/workflow/pause",
    verbs=("pause_workflow",),
    problems=(404, 409),
    example=Example(ORDER, {"reason": "the bank is closed"}),
)
async def pause_workflow(call: Call, query: One, body: Pause) -> Changed:
    """Pause a workflow that has not ended: nobody runs it until it is unpaused."""
    pausing = call.client.pause_workflow(query.id, reason=body.reason, paused_by=call.user.name)
    await call.act("pause", "workflow", query.id, pausing, detail=options(body))
    return Changed(workflow_id=query.id, changed=True)


@post("/workflow/unpause", verbs=("unpause_workflow",), problems=(404,), example=Example(ORDER, {}))
async def unpause_workflow(call: Call, query: One, body: Nothing) -> Changed:
    """Let a paused workflow go on."""
    changed = await call.act("unpause", "workflow", query.id, call.client.unpause_workflow(query.id))
    return Changed(workflow_id=query.id, changed=changed)


@post(
    "/workflow/fork",
    status=201,
    verbs=("fork_workflow",),
    problems=(404, 409),
    example=Example(ORDER, {"start_step": 3, "outputs": {"2": "receipt-2"}}),
)
async def fork_workflow(call: Call, query: One, body: Fork) -> Started:
    """Begin a new workflow with what this one recorded before a step, perhaps edited."""
    forking = call.client.fork_workflow(query.id, **_again(body))
    handle = await call.act("fork", "workflow", query.id, forking, detail=_edits(body))
    return Started(workflow_id=handle.workflow_id)


@post(
    "/workflow/rewind",
    verbs=("rewind_workflow",),
    problems=(404, 409),
    example=Example(ORDER, {"start_step": "failure"}),
)
async def rewind_workflow(call: Call, query: One, body: Again) -> Started:
    """Let a workflow that has ended go on from a step, under its id; what came after is forgotten."""
    rewinding = call.client.rewind_workflow(query.id, **_again(body))
    handle = await call.act("rewind", "workflow", query.id, rewinding, detail=_edits(body))
    return Started(workflow_id=handle.workflow_id)


@delete("/workflow", verbs=("delete_workflow",), problems=(404,), example=Example(ORDER))
async def delete_workflow(call: Call, query: Deleted) -> Changed:
    """Delete a workflow, whatever its status, and all that is recorded of it; its forks stay."""
    await require(call, query.id)
    deleting = call.client.delete_workflow(query.id, delete_children=query.delete_children)
    changed = await call.act("delete", "workflow", query.id, deleting, detail=options(query, "id"))
    return Changed(workflow_id=query.id, changed=changed)


@put(
    "/workflow/delay",
    verbs=("set_workflow_delay",),
    problems=(404, 409),
    example=Example(ORDER, {"delay": 60}),
)
async def set_delay(call: Call, query: One, body: Delay) -> Changed:
    """Delay a delayed workflow otherwise; 0 is at once."""
    until = as_datetime(body.delay_until)
    setting = call.client.set_workflow_delay(query.id, delay=body.delay, delay_until=until)
    changed = await call.act("set delay", "workflow", query.id, setting, detail=options(body))
    return Changed(workflow_id=query.id, changed=changed)


@put(
    "/workflow/priority",
    verbs=("set_workflow_priority",),
    problems=(404,),
    example=Example(ORDER, {"priority": 1}),
)
async def set_priority(call: Call, query: One, body: Priority) -> Changed:
    """Give a workflow that waits, or is delayed, another priority."""
    setting = call.client.set_workflow_priority(query.id, body.priority)
    changed = await call.act("set priority", "workflow", query.id, setting, detail=options(body))
    return Changed(workflow_id=query.id, changed=changed)


@put(
    "/workflow/attributes",
    verbs=("update_workflow_attributes",),
    problems=(404,),
    example=Example(ORDER, {"attributes": {"reviewed_by": "ada"}, "merge": True}),
)
async def set_attributes(call: Call, query: One, body: Attributes) -> Changed:
    """Give a workflow, in whatever status, other attributes, by which filters find it."""
    setting = call.client.update_workflow_attributes(query.id, body.attributes, merge=body.merge)
    await call.act("set attributes", "workflow", query.id, setting, detail={"merge": body.merge})
    return Changed(workflow_id=query.id, changed=True)


def _again(body: Again) -> dict[str, Any]:
    given = body.arguments
    return {
        **options(body, "arguments", "outputs"),
        "arguments": None if given is None else Arguments(given.args, given.kwargs),
        "outputs": {int(number): value for number, value in body.outputs.items()} or None,
    }


def _edits(body: Again) -> dict[str, Any]:
    """What the audit keeps of it: what was edited, not to what."""
    return {
        "start_step": body.start_step,
        "input_edited": body.arguments is not None,
        "outputs_edited": sorted(map(int, body.outputs)),
    }


ROUTES = (
    cancel_workflow,
    resume_workflow,
    pause_workflow,
    unpause_workflow,
    fork_workflow,
    rewind_workflow,
    delete_workflow,
    set_delay,
    set_priority,
    set_attributes,
)
