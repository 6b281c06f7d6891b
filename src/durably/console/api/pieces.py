"""One workflow looked at closely: in pages, and in pieces that are never larger than they are asked for."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from durably.console.api.problems import Refused
from durably.console.api.route import Call, Example, get
from durably.console.api.wire import Count, Instant, Key, Offset, Shown, StatusWord, shown
from durably.console.api.workflows import One, require
from durably.types import FamilyMember, Payload, StreamInfo

__all__ = ["ROUTES"]

ORDER = {"id": "order-17"}
CHAT = {"id": "chat-17"}

Most = Annotated[int, Meta(ge=1, le=2**30, description="Characters of each payload, at most.")]
Operation = Annotated[int, Meta(ge=-1, le=2**31 - 1)]


class Cut(One, frozen=True, kw_only=True):
    """Which workflow, and how much of its payloads."""

    most: Most = 10_000


class Family(One, frozen=True, kw_only=True):
    """How many descendants of which workflow, and how many children of each."""

    limit: Annotated[int, Meta(ge=0, le=1000)] = 300
    breadth: Count = 100


class Bins(One, frozen=True, kw_only=True):
    """In how many equal parts its time is shown."""

    bins: Count = 100


class StepRecords(Cut, frozen=True, kw_only=True):
    """Which operations: those behind `after`."""

    after: Operation = -1
    limit: Count = 100
    only_failed: bool = False


class MessageRecords(Cut, frozen=True, kw_only=True):
    """Which messages: those before the last one of the page before, whose time and id are given."""

    before_ms: Annotated[int, Meta(ge=0, le=2**53)] | None = None
    before_uuid: Key | None = None
    limit: Count = 100


class EventRecords(Cut, frozen=True, kw_only=True):
    """Which values: those that were set before this operation."""

    before: Operation | None = None
    limit: Count = 100


class Keys(One, frozen=True, kw_only=True):
    """How many streams of which workflow."""

    limit: Count = 100


class StreamRecords(Cut, frozen=True, kw_only=True):
    """Which values of which stream."""

    key: Key
    offset: Offset = 0
    limit: Count = 100


class Piece(Shown, frozen=True, kw_only=True):
    """A stored text or, where `is_cut`, its beginning; `size` is that of all, in bytes."""

    text: str
    size: int
    serialization: str | None
    is_cut: bool


class Payloads(Shown, frozen=True, kw_only=True):
    """What a workflow was given, and what it ended with."""

    input: Piece | None
    output: Piece | None
    error: Piece | None
    payloads_hidden: bool


class Relatives(Shown, frozen=True, kw_only=True):
    """A workflow with its ancestors (`depth` below 0) and descendants, by depth."""

    workflows: list[FamilyMember]


class StepRecord(Shown, frozen=True, kw_only=True):
    """A recorded operation, and the state of the child that it started or waited for."""

    function_id: int
    function_name: str
    output: Piece | None
    error: Piece | None
    started_at_epoch_ms: Instant | None
    completed_at_epoch_ms: Instant | None
    edited: bool
    child_workflow_id: str | None
    child_name: str | None
    child_status: StatusWord | None
    child_created_at: Instant | None
    child_completed_at: Instant | None


class StepSummary(Shown, frozen=True, kw_only=True):
    """What a workflow has recorded, in numbers.

    `bins` are equal parts of its time in which something started: [part, operations, failed ones, first one].
    """

    steps: int
    failed: int
    first_id: int | None
    last_id: int | None
    started_at_epoch_ms: Instant | None
    completed_at_epoch_ms: Instant | None
    now_epoch_ms: Instant
    bins: list[list[int]]
    is_counted: bool


class StepPage(Shown, frozen=True, kw_only=True):
    """Operations in order; the next page is behind the last one's `function_id`."""

    steps: list[StepRecord]
    payloads_hidden: bool


class MessageRecord(Shown, frozen=True, kw_only=True):
    """A message; `consumed_by_function_id` is the operation that took it."""

    message_uuid: str
    topic: str | None
    message: Piece | None
    created_at_epoch_ms: Instant
    consumed: bool
    consumed_by_function_id: int | None


class MessagePage(Shown, frozen=True, kw_only=True):
    """Messages, the newest first."""

    messages: list[MessageRecord]
    payloads_hidden: bool


class EventRecord(Shown, frozen=True, kw_only=True):
    """A value that an event was given."""

    key: str
    value: Piece | None
    function_id: int
    is_latest: bool


class EventPage(Shown, frozen=True, kw_only=True):
    """Values of events, the latest first."""

    events: list[EventRecord]
    payloads_hidden: bool


class StreamKeys(Shown, frozen=True, kw_only=True):
    """The streams of a workflow, by key."""

    streams: list[StreamInfo]


class StreamRecord(Shown, frozen=True, kw_only=True):
    """A value of a stream."""

    offset: int
    value: Piece | None
    function_id: int


class StreamPage(Shown, frozen=True, kw_only=True):
    """Values of a stream, in order."""

    values: list[StreamRecord]
    payloads_hidden: bool


class Attempts(Shown, frozen=True, kw_only=True):
    """What is known of a workflow's attempts, and of the executor that has it or had it last."""

    max_recovery_attempts: int | None
    failed: int
    failed_at_epoch_ms: Instant | None
    error: Piece | None
    executor_id: str | None
    host: str | None
    pid: int | None
    app_version: str | None
    started_at_epoch_ms: Instant | None
    heartbeat_at_epoch_ms: Instant | None
    stopped_at_epoch_ms: Instant | None
    is_alive: bool
    is_tried_alone: bool


class MaybeAttempts(Shown, frozen=True, kw_only=True):
    """Its attempts; null where the database has no tables of durably's."""

    attempts: Attempts | None
    payloads_hidden: bool


@get("/workflow/payloads", verbs=("get_workflow_payloads",), problems=(404,), example=Example(ORDER))
async def get_payloads(call: Call, query: Cut) -> Payloads:
    """Show a workflow's input, and its output or error, as stored, and no more of each than is asked for."""
    found = await call.client.get_workflow_payloads(query.id, most=query.most)
    return Payloads(
        input=_piece(call, found.input),
        output=_piece(call, found.output),
        error=_piece(call, found.error),
        payloads_hidden=call.hides,
    )


@get("/workflow/family", verbs=("list_workflow_family",), problems=(404,), example=Example(ORDER))
async def list_family(call: Call, query: Family) -> Relatives:
    """Show a workflow with its ancestors and descendants."""
    found = await call.client.list_workflow_family(query.id, limit=query.limit, breadth=query.breadth)
    return Relatives(workflows=found)


@get("/workflow/attempts", verbs=("get_workflow_attempts",), problems=(404,), example=Example(ORDER))
async def get_attempts(call: Call, query: Cut) -> MaybeAttempts:
    """Show what is known of a workflow's attempts, and whether its executor lives."""
    await require(call, query.id)
    found = await call.client.get_workflow_attempts(query.id, most=query.most)
    attempts = None if found is None else shown(Attempts, found, error=_piece(call, found.error))
    return MaybeAttempts(attempts=attempts, payloads_hidden=call.hides)


@get("/workflow/steps/summary", verbs=("summarize_steps",), problems=(404,), example=Example(ORDER))
async def summarize_steps(call: Call, query: Bins) -> StepSummary:
    """Show how many operations a workflow has recorded, and when."""
    await require(call, query.id)
    found = await call.client.summarize_steps(query.id, bins=query.bins)
    return shown(StepSummary, found, bins=[list(each) for each in found.bins])


@get("/workflow/steps/records", verbs=("list_step_records",), problems=(404,), example=Example(ORDER))
async def list_step_records(call: Call, query: StepRecords) -> StepPage:
    """Show operations behind another one, with the beginning of what they recorded."""
    await require(call, query.id)
    found = await call.client.list_step_records(
        query.id, after=query.after, limit=query.limit, only_failed=query.only_failed, most=query.most
    )
    steps = [
        shown(StepRecord, each, output=_piece(call, each.output), error=_piece(call, each.error))
        for each in found
    ]
    return StepPage(steps=steps, payloads_hidden=call.hides)


@get("/workflow/messages/records", verbs=("list_message_records",), problems=(404,), example=Example(ORDER))
async def list_message_records(call: Call, query: MessageRecords) -> MessagePage:
    """Show messages to a workflow, the newest first, with the beginning of each."""
    if (query.before_ms is None) != (query.before_uuid is None):
        raise Refused("invalid", "give both before_ms and before_uuid, or neither", option="before_uuid")
    before = None if query.before_ms is None else (query.before_ms, query.before_uuid or "")
    await require(call, query.id)
    found = await call.client.list_message_records(
        query.id, before=before, limit=query.limit, most=query.most
    )
    messages = [shown(MessageRecord, each, message=_piece(call, each.message)) for each in found]
    return MessagePage(messages=messages, payloads_hidden=call.hides)


@get("/workflow/events/records", verbs=("list_event_records",), problems=(404,), example=Example(ORDER))
async def list_event_records(call: Call, query: EventRecords) -> EventPage:
    """Show the values that events have had, the latest first, with the beginning of each."""
    await require(call, query.id)
    found = await call.client.list_event_records(
        query.id, before=query.before, limit=query.limit, most=query.most
    )
    events = [shown(EventRecord, each, value=_piece(call, each.value)) for each in found]
    return EventPage(events=events, payloads_hidden=call.hides)


@get("/workflow/streams/keys", verbs=("list_stream_keys",), problems=(404,), example=Example(CHAT))
async def list_stream_keys(call: Call, query: Keys) -> StreamKeys:
    """Show the streams of a workflow: how many values each has, and whether it is closed."""
    await require(call, query.id)
    return StreamKeys(streams=await call.client.list_stream_keys(query.id, limit=query.limit))


@get(
    "/workflow/streams/records",
    verbs=("list_stream_records",),
    problems=(404,),
    example=Example({**CHAT, "key": "tokens", "offset": 100}),
)
async def list_stream_records(call: Call, query: StreamRecords) -> StreamPage:
    """Show values of a stream that are there now, with the beginning of each."""
    await require(call, query.id)
    found = await call.client.list_stream_records(
        query.id, query.key, offset=query.offset, limit=query.limit, most=query.most
    )
    values = [shown(StreamRecord, each, value=_piece(call, each.value)) for each in found]
    return StreamPage(values=values, payloads_hidden=call.hides)


def _piece(call: Call, payload: Payload | None) -> Piece | None:
    return None if payload is None or call.hides else shown(Piece, payload)


ROUTES = (
    get_payloads,
    list_family,
    get_attempts,
    summarize_steps,
    list_step_records,
    list_message_records,
    list_event_records,
    list_stream_keys,
    list_stream_records,
)
