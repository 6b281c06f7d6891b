"""What workflows tell: results, events, streams; waited for, or as they come."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Annotated, Any, Literal

from msgspec import Meta

from durably.console.api import reading, shapes
from durably.console.api.route import Call, Example, get, post
from durably.console.api.shapes import Failure
from durably.console.api.sse import Event, EventStream
from durably.console.api.wire import Given, Id, Instant, Key, Offset, Shown, StatusWord, Wait
from durably.console.api.workflows import One, require
from durably.errors import NoSuchWorkflow, StreamEnded, StreamTimeout, WorkflowTimeout
from durably.types import TERMINAL, WorkflowFilter, WorkflowStatus

__all__ = ["ROUTES"]

LAST_EVENT_ID = "Last-Event-ID"
LOOK = 1.0  # seconds between two looks at a workflow that is watched


class Awaited(One, frozen=True, kw_only=True):
    """Whose result, and how long to wait for it."""

    wait: Wait = 0.0


class OneEvent(One, frozen=True, kw_only=True):
    """Which event, and how long to wait for it."""

    key: Key
    wait: Wait = 0.0


class OneStream(One, frozen=True, kw_only=True):
    """Which stream, from which value on."""

    key: Key
    offset: Offset = 0


class OneValue(OneStream, frozen=True, kw_only=True):
    """Which value of a stream, and how long to wait for it."""

    wait: Wait = 0.0


class Several(Given, frozen=True, kw_only=True):
    """Which workflows to wait for: for the first that ends, or for all."""

    workflow_ids: Annotated[list[Id], Meta(min_length=1, max_length=1000)]
    until: Literal["first", "all"] = "all"
    wait: Wait = 30.0


class Result(Shown, frozen=True, kw_only=True):
    """How a workflow ended: `output` where it succeeded, `error` where it failed; or that it goes on."""

    workflow_id: str
    status: StatusWord
    ended: bool
    output: Any
    error: Failure | None
    payloads_hidden: bool
    completed_at: Instant | None


class EventValue(Shown, frozen=True, kw_only=True):
    """The latest value of an event; `is_set` is false where it has not come in time."""

    workflow_id: str
    key: str
    is_set: bool
    value: Any
    payloads_hidden: bool


class EventValues(Shown, frozen=True, kw_only=True):
    """The latest value of each event, by key."""

    events: dict[str, Any]
    payloads_hidden: bool


class Setting(Shown, frozen=True, kw_only=True):
    """A value that an event was given, by the operation `function_id`."""

    key: str
    value: Any
    function_id: int


class Settings(Shown, frozen=True, kw_only=True):
    """Every value that the events have had, in order."""

    events: list[Setting]
    payloads_hidden: bool


class StreamValue(Shown, frozen=True, kw_only=True):
    """The value at an offset. `is_there` is false where it has not come in time, or never will (`ended`)."""

    workflow_id: str
    key: str
    offset: int
    is_there: bool
    ended: bool
    value: Any
    payloads_hidden: bool


class StreamValues(Shown, frozen=True, kw_only=True):
    """What is in the streams of a workflow now, by key."""

    streams: dict[str, list[Any]]
    payloads_hidden: bool


class Ended(Shown, frozen=True, kw_only=True):
    """Which of those that were waited for have ended."""

    ended: list[str]
    waiting: list[str]


@get(
    "/workflow/result",
    verbs=("retrieve_workflow",),
    problems=(404,),
    also={202: "It goes on: ask again."},
    example=Example({"id": "order-17", "wait": 30}),
)
async def get_result(call: Call, query: Awaited) -> Result:
    """Show how a workflow ended, waiting for its end; 202 where it goes on.

    Waiting costs no connection, however many do. An error of the workflow is a result, not a problem.
    """
    if query.wait:
        await _ended(call, [query.id], query.wait)
    found = await _look(call, query.id, load_output=True)
    ended = found.status in TERMINAL
    call.status = 200 if ended else 202
    return Result(
        workflow_id=query.id,
        status=found.status,
        ended=ended,
        output=call.hidden(found.output),
        error=shapes.failure(call, found.error),
        payloads_hidden=call.hides,
        completed_at=found.completed_at,
    )


@post(
    "/workflows/wait",
    role="viewer",
    verbs=("wait_first", "wait_all", "as_completed"),
    problems=(404,),
    example=Example(body={"workflow_ids": ["order-17", "order-18"], "until": "first", "wait": 30}),
)
async def wait_workflows(call: Call, body: Several) -> Ended:
    """Wait until the first of several workflows has ended, or all have, or the wait is over."""
    wanted = list(dict.fromkeys(body.workflow_ids))
    await _ended(call, wanted, body.wait, first=body.until == "first")
    filter_ = WorkflowFilter(workflow_ids=wanted, load_input=False, load_output=False)
    found = {each.workflow_id: each.status for each in await call.client.list_workflows(filter_)}
    for workflow_id in wanted:
        if workflow_id not in found:
            raise NoSuchWorkflow(workflow_id)
    ended = [each for each in wanted if found[each] in TERMINAL]
    return Ended(ended=ended, waiting=[each for each in wanted if each not in ended])


@get(
    "/workflow/event",
    verbs=("get_event",),
    problems=(404,),
    example=Example({"id": "order-17", "key": "status", "wait": 10}),
)
async def get_event(call: Call, query: OneEvent) -> EventValue:
    """Show the latest value of an event of a workflow, waiting for it."""
    await require(call, query.id)
    value = await call.client.get_event(query.id, query.key, call.within(query.wait))
    is_set = value is not None or query.key in await call.client.get_all_events(query.id)
    return EventValue(
        workflow_id=query.id,
        key=query.key,
        is_set=is_set,
        value=call.hidden(value),
        payloads_hidden=call.hides,
    )


@get("/workflow/events", verbs=("get_all_events",), problems=(404,), example=Example({"id": "order-17"}))
async def get_events(call: Call, query: One) -> EventValues:
    """Show the latest value of each event of a workflow."""
    await require(call, query.id)
    found = await call.client.get_all_events(query.id)
    return EventValues(events={key: call.hidden(found[key]) for key in found}, payloads_hidden=call.hides)


@get(
    "/workflow/events/history",
    verbs=("list_workflow_events",),
    problems=(404,),
    example=Example({"id": "order-17"}),
)
async def list_events(call: Call, query: One) -> Settings:
    """Show every value that the events of a workflow have had, in the order in which they were set."""
    await require(call, query.id)
    found = await call.client.list_workflow_events(query.id)
    settings = [
        Setting(key=each.key, value=call.hidden(each.value), function_id=each.function_id) for each in found
    ]
    return Settings(events=settings, payloads_hidden=call.hides)


@get(
    "/workflow/streams", verbs=("list_workflow_streams",), problems=(404,), example=Example({"id": "chat-17"})
)
async def list_streams(call: Call, query: One) -> StreamValues:
    """Show what is in the streams of a workflow now."""
    await require(call, query.id)
    found = await call.client.list_workflow_streams(query.id)
    values = {key: [call.hidden(value) for value in found[key]] for key in found}
    return StreamValues(streams=values, payloads_hidden=call.hides)


@get(
    "/workflow/stream/value",
    verbs=("read_stream_offset",),
    problems=(404,),
    example=Example({"id": "chat-17", "key": "tokens", "offset": 0, "wait": 10}),
)
async def get_stream_value(call: Call, query: OneValue) -> StreamValue:
    """Show the value at one offset of a stream, waiting for it."""
    value, is_there, ended = None, True, False
    patience = call.within(query.wait)
    try:
        value = await call.client.read_stream_offset(query.id, query.key, query.offset, timeout=patience)
    except StreamEnded:
        is_there, ended = False, True
    except StreamTimeout:
        is_there = False
    return StreamValue(
        workflow_id=query.id,
        key=query.key,
        offset=query.offset,
        is_there=is_there,
        ended=ended,
        value=call.hidden(value),
        payloads_hidden=call.hides,
    )


@get(
    "/workflow/stream",
    verbs=("read_stream",),
    problems=(404,),
    is_stream=True,
    headers={LAST_EVENT_ID: (Offset, "The offset of the last value that was seen: go on behind it.")},
    example=Example({"id": "chat-17", "key": "tokens"}),
)
async def read_stream(call: Call, query: OneStream) -> EventStream:
    """Follow a stream: an event `value` for each value as it comes, then `end`.

    The event's id is the value's offset, so a browser that lost the connection goes on where it was.
    """
    await require(call, query.id)
    seen = reading.header_of(call.request, LAST_EVENT_ID, Offset)
    first = query.offset if seen is None else seen + 1
    return EventStream(_values(call, query, min(first, 2**31 - 1)))


@get(
    "/workflow/watch",
    verbs=("get_workflow", "get_all_events"),
    problems=(404,),
    is_stream=True,
    example=Example({"id": "order-17"}),
)
async def watch_workflow(call: Call, query: One) -> EventStream:
    """Follow a workflow: `status` when its status changes, `event` when an event is set, then `end`."""
    await require(call, query.id)
    return EventStream(_changes(call, query.id))


async def _values(call: Call, query: OneStream, offset: int) -> AsyncGenerator[Event, None]:
    values: AsyncIterator[Any] = call.client.read_stream(query.id, query.key, offset=offset)
    async for value in values:
        yield Event("value", call.hidden(value), offset)
        offset += 1
    yield Event("end", {"offset": offset})


async def _changes(call: Call, workflow_id: str) -> AsyncGenerator[Event, None]:
    """Looks once a second, one watcher after the other; the end is noticed when it is notified."""
    status, events = "", dict[str, Any]()
    while True:
        async with call.turns:
            now = await require(call, workflow_id)
            current = await call.client.get_all_events(workflow_id)
        if now != status and now not in TERMINAL:
            yield Event("status", {"workflow_id": workflow_id, "status": now})
        for key, value in current.items():
            if key not in events or events[key] != value:
                yield Event("event", {"key": key, "value": call.hidden(value)})
        if now in TERMINAL:
            yield Event("status", {"workflow_id": workflow_id, "status": now})
            yield Event("end", {"workflow_id": workflow_id, "status": now})
            return
        status, events = now, current
        await _ended(call, [workflow_id], LOOK)


async def _ended(call: Call, ids: list[str], wait: float, *, first: bool = False) -> None:
    """Wait until one of them, or all, have ended, or the wait is over."""
    handles = [call.client.retrieve_workflow(each) for each in ids]
    try:
        await (call.client.wait_first if first else call.client.wait_all)(handles, call.within(wait))
    except WorkflowTimeout:
        return


async def _look(call: Call, workflow_id: str, *, load_output: bool) -> WorkflowStatus:
    wanted = WorkflowFilter(workflow_ids=(workflow_id,), load_input=False, load_output=load_output)
    found = await call.client.list_workflows(wanted)
    if not found:
        raise NoSuchWorkflow(workflow_id)
    return found[0]


ROUTES = (
    get_result,
    wait_workflows,
    get_event,
    get_events,
    list_events,
    list_streams,
    get_stream_value,
    read_stream,
    watch_workflow,
)
