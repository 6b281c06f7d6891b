"""Workflows: begin them."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import urlencode

import msgspec
from msgspec import Meta

from durably.client import AsyncWorkflowHandle, Enqueue
from durably.concurrency.notice import quiet
from durably.console.api import reading
from durably.console.api.problems import Refused
from durably.console.api.reading import options
from durably.console.api.route import Call, Example, post
from durably.console.api.shapes import Started
from durably.console.api.wire import Given, Name, Seconds, Shown, shown
from durably.types import Debounce, EnqueueOptions

__all__ = ["ROUTES", "Work"]

IDEMPOTENCY_KEY = "Idempotency-Key"


class Work(Given, frozen=True, kw_only=True):
    """A workflow to enqueue: which, where, with which arguments, and how.

    `workflow_id` left out is a new UUID, or the header Idempotency-Key. An id that exists is that workflow,
    unless `workflow_id_reuse_policy` is "reject". Durations are seconds.
    """

    workflow_name: Name
    queue_name: Name
    args: list[Any] = msgspec.field(default_factory=list)
    kwargs: dict[str, Any] = msgspec.field(default_factory=dict)
    workflow_class_name: Name | None = None
    instance_name: Name | None = None
    max_recovery_attempts: Annotated[int, Meta(ge=1, le=2**31 - 1)] = 50
    app_version: Name | None = None
    workflow_id: Name | None = None
    workflow_id_reuse_policy: Literal["return-existing", "reject"] | None = None
    timeout: Seconds | None = None
    delay: Seconds | None = None
    deduplication_id: Name | None = None
    duplication_policy: Literal["reject", "return-existing"] = "reject"
    priority: Annotated[int, Meta(ge=1, le=2**31 - 1)] | None = None
    queue_partition_key: Name | None = None
    authenticated_user: Name | None = None
    authenticated_roles: list[Name] = msgspec.field(default_factory=list)
    assumed_role: Name | None = None
    attributes: dict[str, Any] | None = None
    application_name: Name | None = None
    serialization: Name | None = None


Works = Annotated[list[Work], Meta(max_length=10_000)]


class DebounceKey(Given, frozen=True, kw_only=True):
    """Calls of one key become one workflow, `period` seconds after the last, `timeout` after the first."""

    key: Name
    period: Seconds
    timeout: Seconds | None = None


class Debounced(Work, frozen=True, kw_only=True):
    """A workflow to start once calls have ceased."""

    debounce: DebounceKey


TICKET = {"workflow_name": "purchaseTicket", "queue_name": "ticketQueue", "args": ["Stonebraker", 2]}
KEYED = {IDEMPOTENCY_KEY: (Name, "The workflow's id, where the body names none: asked again, it is one.")}


class Enqueued(Shown, frozen=True, kw_only=True):
    """The workflow that there is now. `created` is false where it was there; null where that is not known.

    `arguments_ignored`: it was there, with other arguments (null where nobody looked: see
    `workflow_id_reuse_policy`).
    """

    workflow_id: str
    created: bool | None
    arguments_ignored: bool | None


class EnqueuedAll(Shown, frozen=True, kw_only=True):
    """The workflows that there are now, in the order of the request."""

    workflows: list[Enqueued]


@post(
    "/workflow",
    status=201,
    also={200: "It was there already."},
    verbs=("enqueue",),
    problems=(409,),
    headers=KEYED,
    example=Example(body={**TICKET, "workflow_id": "order-17"}),
)
async def enqueue_workflow(call: Call, body: Work) -> Enqueued:
    """Put a workflow on its queue; it is durable when this is answered. Asked again, it is the same one."""
    work = _keyed(call, body)
    (handle,) = await _enqueue(call, [work])
    call.status = 200 if handle.created is False else 201
    call.headers["Location"] = _location(call, handle.workflow_id)
    return _enqueued(handle)


@post(
    "/workflows",
    status=201,
    verbs=("enqueue_many",),
    problems=(409,),
    is_listed=True,
    example=Example(body=[TICKET, {**TICKET, "priority": 5}]),
)
async def enqueue_workflows(call: Call, body: Works) -> EnqueuedAll:
    """Put many workflows on their queues in one transaction, all of them or none.

    The body is an array, or has one object on each line (application/x-ndjson).
    """
    return EnqueuedAll(workflows=[_enqueued(handle) for handle in await _enqueue(call, body)])


@post(
    "/workflow/debounce",
    status=201,
    verbs=("debounce",),
    problems=(409,),
    example=Example(
        body={
            "workflow_name": "index",
            "queue_name": "searches",
            "args": ["page-7"],
            "debounce": {"key": "page-7", "period": 5, "timeout": 60},
        }
    ),
)
async def debounce_workflow(call: Call, body: Debounced) -> Started:
    """Start a workflow when no call of this key has come for a period, with the last call's arguments."""
    key = Debounce(body.debounce.key, period=body.debounce.period, timeout=body.debounce.timeout)
    calling = call.client.debounce(_options(body), key, *body.args, **body.kwargs)
    handle = await call.act("debounce", "workflow", body.debounce.key, calling)
    call.headers["Location"] = _location(call, handle.workflow_id)
    return Started(workflow_id=handle.workflow_id)


async def _enqueue(call: Call, works: list[Work]) -> list[AsyncWorkflowHandle[Any]]:
    items = [Enqueue(_options(work), work.args, work.kwargs) for work in works]
    named = [work.workflow_id or work.workflow_name for work in works]
    with quiet():
        return await call.act("enqueue", "workflow", named, call.client.enqueue_many(items))


def _enqueued(handle: AsyncWorkflowHandle[Any]) -> Enqueued:
    return shown(Enqueued, handle)


def _options(work: Work) -> EnqueueOptions[..., Any]:
    return EnqueueOptions(**options(work, "args", "kwargs", "debounce"))


def _keyed(call: Call, work: Work) -> Work:
    """The work, with the id that the header gives it."""
    key = reading.header_of(call.request, IDEMPOTENCY_KEY, Name)
    if key is None or key == work.workflow_id:
        return work
    if work.workflow_id is not None:
        hint = f"the header {IDEMPOTENCY_KEY} is the workflow's id: give either, or the same"
        detail = f"the header says {key!r}, workflow_id says {work.workflow_id!r}"
        raise Refused("invalid", detail, option=IDEMPOTENCY_KEY, hint=hint)
    return msgspec.structs.replace(work, workflow_id=key)


def _location(call: Call, workflow_id: str) -> str:
    """Where the workflow is to be seen."""
    base = str(call.request.scope.get("root_path", "")).rstrip("/")
    return f"{base}/workflow?{urlencode({'id': workflow_id})}"


ROUTES = (enqueue_workflow, enqueue_workflows, debounce_workflow)
