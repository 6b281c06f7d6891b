"""Workflows: look at them."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from durably.console.api import shapes
from durably.console.api.filters import Conditions, Listing, next_cursor, page_of, where
from durably.console.api.route import Call, Example, get
from durably.console.api.shapes import Run, Step
from durably.console.api.wire import Count, Given, Id, Instant, Offset, Shown, StatusWord, shown
from durably.errors import NoSuchWorkflow
from durably.types import StatusCounts, WorkflowFilter

__all__ = ["ROUTES", "One", "require"]

MOST_COUNTED = 10_000


class One(Given, frozen=True, kw_only=True):
    """The workflow that is meant."""

    id: Id


class Steps(One, frozen=True, kw_only=True):
    """Which steps of which workflow."""

    limit: Count = 100
    offset: Offset = 0
    load_output: bool = True


class Children(One, frozen=True, kw_only=True):
    """Which children of which workflow."""

    limit: Count = 100
    offset: Offset = 0


class Runs(Shown, frozen=True, kw_only=True):
    """A page of workflows; `next` is the cursor of the page behind it, null where there is none."""

    workflows: list[Run]
    next: str | None = None


class RunSteps(Shown, frozen=True, kw_only=True):
    """A page of steps, in order; `next_offset` is where the next page begins, null where there is none."""

    steps: list[Step]
    next_offset: int | None = None


class Total(Shown, frozen=True, kw_only=True):
    """How many; `capped`: at least so many."""

    count: int
    capped: bool


class Explained(Shown, frozen=True, kw_only=True):
    """Why a workflow does not run, or what it does: a word, and the whole of it."""

    workflow_id: str
    status: StatusWord
    reason: str
    message: str


class Stranded(Shown, frozen=True, kw_only=True):
    """A workflow that was set aside because what it recorded does not fit the code."""

    workflow_id: str
    name: str
    class_name: str | None
    queue_name: str | None
    app_version: str | None
    application_name: str | None
    function_id: int
    asked: str
    recorded: str
    code: str
    code_changed: bool
    stranded_at: Instant
    explanation: str


class AllStranded(Shown, frozen=True, kw_only=True):
    """Those that are stranded."""

    workflows: list[Stranded]


class StrandedListing(Conditions, frozen=True, kw_only=True):
    """Which of those that are stranded."""

    limit: Annotated[int, Meta(ge=1, le=1000)] = 100
    offset: Offset = 0


@get("/workflow", verbs=("get_workflow",), problems=(404,), example=Example({"id": "order-17"}))
async def get_workflow(call: Call, query: One) -> Run:
    """Show a workflow as it is now, with its input, and its outcome where it has ended."""
    return shapes.run(call, await call.client.get_workflow(query.id))


@get(
    "/workflows",
    verbs=("list_workflows",),
    example=Example({"status": ["ERROR"], "sort_desc": True, "limit": 20}),
)
async def list_workflows(call: Call, query: Listing) -> Runs:
    """Show the workflows of a filter, in order of creation, a page at a time."""
    found = await call.client.list_workflows(page_of(query))
    return Runs(workflows=[shapes.run(call, each) for each in found], next=next_cursor(query, found))


@get("/workflows/count", verbs=("count_workflows",), example=Example({"status": ["ENQUEUED"]}))
async def count_workflows(call: Call, query: Conditions) -> Total:
    """Count the workflows of a filter, up to 10,000."""
    count = await call.client.count_workflows(where(query), count_to=MOST_COUNTED + 1)
    return Total(count=min(count, MOST_COUNTED), capped=count > MOST_COUNTED)


@get("/workflows/by-status", verbs=("count_by_status",), example=Example())
async def count_by_status(call: Call) -> StatusCounts:
    """Count the workflows of each status, and those that ended in the last five minutes; always cheap."""
    return await call.client.count_by_status()


@get(
    "/workflow/steps",
    verbs=("list_workflow_steps",),
    problems=(404,),
    example=Example({"id": "order-17", "limit": 50}),
)
async def list_workflow_steps(call: Call, query: Steps) -> RunSteps:
    """Show the recorded operations of a workflow, in order, a page at a time."""
    await require(call, query.id)
    found = await call.client.list_workflow_steps(
        query.id, load_output=query.load_output, limit=query.limit, offset=query.offset
    )
    is_last = len(found) < query.limit
    return RunSteps(
        steps=[shapes.step(call, each) for each in found],
        next_offset=None if is_last else query.offset + len(found),
    )


@get("/workflow/children", problems=(404,), example=Example({"id": "order-17"}))
async def list_workflow_children(call: Call, query: Children) -> Runs:
    """Show the workflows that a workflow started."""
    await require(call, query.id)
    filter_ = WorkflowFilter(
        parent_workflow_id=query.id,
        limit=query.limit,
        offset=query.offset,
        load_input=False,
        load_output=False,
    )
    found = await call.client.list_workflows(filter_)
    return Runs(workflows=[shapes.run(call, each) for each in found])


@get(
    "/workflow/generations",
    verbs=("list_workflow_generations",),
    problems=(404,),
    example=Example({"id": "poller"}),
)
async def list_workflow_generations(call: Call, query: One) -> Runs:
    """Show the generations of a workflow that continued as new, the present one last."""
    found = await call.client.list_workflow_generations(query.id)
    return Runs(workflows=[shapes.run(call, each) for each in found])


@get("/workflow/explanation", verbs=("explain",), problems=(404,), example=Example({"id": "order-17"}))
async def explain_workflow(call: Call, query: One) -> Explained:
    """Say why a workflow does not run, or what it does, and what to do about it."""
    return shown(Explained, await call.client.explain(query.id))


@get("/stranded", verbs=("list_stranded",), example=Example({"name": ["purchaseTicket"]}))
async def list_stranded(call: Call, query: StrandedListing) -> AllStranded:
    """Show the workflows that were set aside because what they recorded does not fit the code."""
    found = await call.client.list_stranded(where(query))
    return AllStranded(workflows=[shown(Stranded, each) for each in found])


async def require(call: Call, workflow_id: str) -> StatusWord:
    """The status of a workflow, without its payloads. Raises NoSuchWorkflow."""
    wanted = WorkflowFilter(workflow_ids=(workflow_id,), load_input=False, load_output=False)
    found = await call.client.list_workflows(wanted)
    if not found:
        raise NoSuchWorkflow(workflow_id)
    return found[0].status


ROUTES = (
    list_workflows,
    count_workflows,
    count_by_status,
    get_workflow,
    list_workflow_steps,
    list_workflow_children,
    list_workflow_generations,
    explain_workflow,
    list_stranded,
)
