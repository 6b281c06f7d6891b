"""What a run wants durable: frozen records, gathered by the writer and committed in groups.

A batch of one kind travels as one JSON array, and its statement reads it with `json_to_recordset`: the field
names here are the column names there. Encoding 500 records costs about 1 ms of CPU that way, where ten arrays
of 500 cost 11 ms (psycopg 3.3, CPython 3.11). With `omit_defaults` what is left at its default is NULL there:
of a creation's thirty columns that are most, and half of the statement's time was theirs.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

__all__ = [
    "Continue",
    "Create",
    "Created",
    "Edited",
    "Finish",
    "Fork",
    "Progress",
    "Receive",
    "Received",
    "Reclaim",
    "Record",
    "Rewind",
    "Send",
    "SetEvent",
    "Step",
    "Timer",
    "TryAgain",
    "payload_size",
]


class Step(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """The outcome of one operation of a run."""

    workflow_id: str
    owner: str
    function_id: int
    function_name: str
    output: str | None = None
    error: str | None = None
    serialization: str | None = None
    child_workflow_id: str | None = None
    started_at: int
    completed_at: int


class Finish(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """The outcome of a run: exactly one of output and error."""

    workflow_id: str
    owner: str
    status: Literal["SUCCESS", "ERROR"]
    output: str | None = None
    error: str | None = None


class TryAgain(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The end of a run whose code failed, and that runs again `seconds` from now, from what failed on."""

    workflow_id: str
    owner: str
    error: str
    seconds: float


class Timer(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """An instant of the database's clock, fixed when it is first asked for.

    `seconds` from now, or `until`, an instant in epoch seconds.
    """

    workflow_id: str
    owner: str
    function_id: int
    seconds: float | None = None
    until: float | None = None
    started_at: int


class SetEvent(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """An event's new value, and (unless it is set inside a step) the operation that set it."""

    workflow_id: str
    owner: str
    function_id: int
    key: str
    value: str
    serialization: str
    in_step: bool = False
    started_at: int
    completed_at: int


class Send(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A message to a workflow. With an owner it is an operation of that run (`in_step`: fenced, no row)."""

    message_uuid: str
    destination: str
    topic: str
    message: str
    serialization: str
    workflow_id: str | None = None
    owner: str | None = None
    function_id: int = 0
    in_step: bool = False
    started_at: int = 0
    completed_at: int = 0


class Receive(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Consume the oldest message of a topic.

    With none there: `wait_seconds` starts the timer (operation `function_id + 1`), `give_up` records None.
    """

    workflow_id: str
    owner: str
    function_id: int
    topic: str
    wait_seconds: float | None = None
    give_up: bool = False
    none_text: str
    none_serialization: str
    started_at: int
    completed_at: int


class Received(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What a Receive found: a message (or the recorded None), or the instant until which to wait."""

    found: bool
    message: str | None = None
    serialization: str | None = None
    wake: float | None = None


class Progress(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """How far a step is, for its next attempt; `beat` counts up. `over`: it has an outcome, so that goes."""

    workflow_id: str
    owner: str
    function_id: int
    beat: int
    progress: str | None = None
    serialization: str | None = None
    over: bool = False


class Reclaim(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The owner token of a run that is cancelled: taken for its cleanup, or given back."""

    workflow_id: str
    owner: str
    executor_id: str
    back: bool


class Continue(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The end of a run's generation: its operations are archived, and it goes on with these inputs.

    `function_id` is the marker's; `token` is known by the record alone; `output` stands for a result of none.
    """

    workflow_id: str
    owner: str
    token: str
    function_id: int
    generation: int
    inputs: str
    output: str
    started_at: int
    completed_at: int


class Create(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """A new workflow: enqueued, delayed, or started at once by its creator.

    `caller_id`, `caller_owner` and `function_id` make it an operation of the calling run, committed with it.
    `delay_seconds` and `timeout_ms` count from the database's now; an own `deadline_ms` is absolute.
    `reject`: where the id is in use already, the start is no operation of the caller's.
    """

    workflow_id: str
    creator: str
    name: str
    class_name: str | None = None
    config_name: str | None = None
    queue_name: str | None = None
    inputs: str
    serialization: str
    run_now: bool = False
    reject: bool = False
    owner: str | None = None
    executor_id: str | None = None
    app_version: str | None = None
    application_name: str | None = None
    application_id: str | None = None
    authenticated_user: str | None = None
    assumed_role: str | None = None
    authenticated_roles: str | None = None
    priority: int = 0
    deduplication_id: str | None = None
    queue_partition_key: str | None = None
    delay_seconds: float | None = None
    timeout_ms: int | None = None
    deadline_ms: int | None = None
    parent_workflow_id: str | None = None
    attributes: str | None = None
    max_recovery_attempts: int | None = None
    caller_id: str | None = None
    caller_owner: str | None = None
    function_id: int = 0
    started_at: int = 0


class Append(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A value for the end of a stream.

    In a step it is the `place`-th that the body appends behind the offset `after`, and what a former attempt
    appended there is not appended again; the reply is the offset at which the value stands.
    """

    workflow_id: str
    owner: str
    function_id: int
    key: str
    value: str
    serialization: str
    in_step: bool
    after: int = -1
    place: int = 0
    resent: bool = False  # an answer may have been lost, so the last value may be this one
    function_name: str
    started_at: int
    completed_at: int


class Created(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The row that a Create met or made; `created` says which."""

    workflow_id: str
    created: bool
    status: str
    name: str | None
    class_name: str | None
    config_name: str | None
    queue_name: str | None
    deadline_ms: int | None


class Started(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What a start came to; `arguments_ignored` is None where nobody looked, or nobody here can tell."""

    workflow_id: str
    created: bool
    arguments_ignored: bool | None = None


class StoredArguments(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The arguments of a workflow, as they are stored."""

    workflow_id: str
    inputs: str | None
    serialization: str | None


class Edited(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The outcome that a recorded operation is given instead of its own."""

    output: str | None = None
    error: str | None = None
    serialization: str


class Fork(msgspec.Struct, frozen=True, kw_only=True):
    """A new workflow with what another one recorded before `start_step` (None: nothing), and edits of it."""

    workflow_id: str
    new_id: str
    start_step: int | None = None
    from_failure: bool = False
    queue_name: str
    queue_partition_key: str | None = None
    app_version: str | None = None
    application_name: str | None = None
    timeout_ms: int | None = None
    inputs: str | None = None
    serialization: str | None = None
    outputs: dict[int, Edited] | None = None
    replacement_children: dict[str, str] | None = None


class Rewind(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow that begins again after what it recorded before `start_step` (None: nothing), with edits."""

    workflow_id: str
    token: str
    start_step: int | None = None
    from_failure: bool = False
    queue_name: str
    queue_partition_key: str | None = None
    app_version: str | None = None
    inputs: str | None = None
    serialization: str | None = None
    outputs: dict[int, Edited] | None = None


Record: TypeAlias = (
    Step
    | Finish
    | TryAgain
    | Timer
    | SetEvent
    | Append
    | Send
    | Receive
    | Reclaim
    | Create
    | Continue
    | Progress
)


def resent(record: Record) -> Record:
    """The record for another try, after one whose answer did not come."""
    if type(record) is Append and record.in_step:
        return msgspec.structs.replace(record, resent=True)
    return record


def payload_size(record: Record) -> int:
    """The characters of the user's own values in a record."""
    match record:
        case Step() | Finish():
            return len(record.output or record.error or "")
        case TryAgain():
            return len(record.error)
        case Progress():
            return len(record.progress or "")
        case SetEvent() | Append():
            return len(record.value)
        case Send():
            return len(record.message)
        case Create() | Continue():
            return len(record.inputs)
        case _:
            return 0
