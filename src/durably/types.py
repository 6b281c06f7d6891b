"""The public, frozen values that cross the boundary between durably and its users.

Field names are DBOS's own. Durations are seconds (int, float) or `timedelta`; instants are aware `datetime`s;
columns that end in `_epoch_ms` are integer milliseconds since 1970, UTC, as the system database stores them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Generic, Literal, NamedTuple, TypeAlias

from typing_extensions import ParamSpec, TypeVar

from durably.errors import InvalidOption

__all__ = [
    "ACTIVE",
    "ROLES",
    "TERMINAL",
    "Account",
    "ApiToken",
    "ApplicationVersion",
    "Arguments",
    "AuditEntry",
    "AuditOutcome",
    "AuditSource",
    "Backlog",
    "Debounce",
    "DuplicationPolicy",
    "EnqueueOptions",
    "EventRecord",
    "ExecutorInfo",
    "ExecutorState",
    "Explanation",
    "FamilyMember",
    "Finding",
    "KnownWorkflow",
    "Level",
    "MessageRecord",
    "NewApiToken",
    "OverviewFacts",
    "Payload",
    "QueueActivity",
    "QueueConflict",
    "QueueInfo",
    "QueuePause",
    "QueueStats",
    "RateLimit",
    "Retry",
    "Role",
    "Schedule",
    "ScheduleOverlap",
    "ScheduleSpec",
    "SearchCounts",
    "Seconds",
    "StartStep",
    "Status",
    "StatusCounts",
    "StepInfo",
    "StepRecord",
    "StepSummary",
    "StorageInfo",
    "StrandedWorkflow",
    "StreamInfo",
    "StreamRecord",
    "TableInfo",
    "VersionLoad",
    "WorkflowActivity",
    "WorkflowAttempts",
    "WorkflowContext",
    "WorkflowFilter",
    "WorkflowIdReusePolicy",
    "WorkflowOrder",
    "WorkflowPage",
    "WorkflowPayloads",
    "WorkflowStatus",
]

P = ParamSpec("P", default=...)
R_co = TypeVar("R_co", covariant=True, default=Any)

Seconds: TypeAlias = float | timedelta
ErrorClasses: TypeAlias = type[BaseException] | tuple[type[BaseException], ...]
Status: TypeAlias = Literal[
    "ENQUEUED",
    "DELAYED",
    "PENDING",
    "SUCCESS",
    "ERROR",
    "CANCELLED",
    "MAX_RECOVERY_ATTEMPTS_EXCEEDED",
]
DuplicationPolicy: TypeAlias = Literal["reject", "return-existing"]
WorkflowIdReusePolicy: TypeAlias = Literal["return-existing", "reject"]

Isolation: TypeAlias = Literal["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"]
QueueConflict: TypeAlias = Literal["update_if_latest_version", "always_update", "never_update"]

Level: TypeAlias = Literal["ok", "warning", "error"]

ScheduleOverlap: TypeAlias = Literal["allow", "skip", "buffer_one"]

ExecutorState: TypeAlias = Literal["alive", "expired", "closed", "no lease"]

StartStep: TypeAlias = int | Literal["failure"] | None

WorkflowOrder: TypeAlias = Literal["created", "completed"]
Role: TypeAlias = Literal["viewer", "operator", "admin"]
AuditOutcome: TypeAlias = Literal["began", "done", "failed"]
AuditSource: TypeAlias = Literal["console", "api", "cli"]

ROLES: tuple[Role, ...] = ("viewer", "operator", "admin")  # each may what those before it may
ACTIVE: tuple[Status, ...] = ("ENQUEUED", "DELAYED", "PENDING")
TERMINAL: tuple[Status, ...] = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")


@dataclass(frozen=True, kw_only=True)
class EnqueueOptions(Generic[P, R_co]):
    """Which workflow to enqueue, where, and how.

    Only `workflow_name` and `queue_name` are required. `workflow_id` left out means a new UUID;
    `app_version` left out means whichever version runs. `timeout` and `delay` are seconds or `timedelta`.
    `priority` runs from 1 to 2**31 - 1, lower first; left out it is 0, before every explicit one.
    `workflow_id_reuse_policy` says what to do where the id is in use by a workflow of the same name: return
    it, and warn with ArgumentsIgnored if its arguments are others (None); return it ("return-existing");
    raise WorkflowIdInUse ("reject").

        EnqueueOptions(workflow_name="purchaseTicket", workflow_class_name="DBOSTicketAuthority",
                       queue_name="ticketQueue", workflow_id="order-17", timeout=60)
    """

    workflow_name: str
    queue_name: str
    workflow_class_name: str | None = None
    instance_name: str | None = None
    max_recovery_attempts: int = 50
    app_version: str | None = None
    workflow_id: str | None = None
    workflow_id_reuse_policy: WorkflowIdReusePolicy | None = None
    timeout: Seconds | None = None
    delay: Seconds | None = None
    deduplication_id: str | None = None
    duplication_policy: DuplicationPolicy = "reject"
    priority: int | None = None
    queue_partition_key: str | None = None
    authenticated_user: str | None = None
    authenticated_roles: Sequence[str] = ()
    assumed_role: str | None = None
    attributes: Mapping[str, Any] | None = None
    application_name: str | None = None
    serialization: str | None = None
    result_type: Any = field(default=Any, repr=False)

    if TYPE_CHECKING:  # what the dataclass makes; `self` tells pyright that options alone know no parameters

        def __init__(
            self: EnqueueOptions[..., Any],
            *,
            workflow_name: str,
            queue_name: str,
            workflow_class_name: str | None = None,
            instance_name: str | None = None,
            max_recovery_attempts: int = 50,
            app_version: str | None = None,
            workflow_id: str | None = None,
            workflow_id_reuse_policy: WorkflowIdReusePolicy | None = None,
            timeout: Seconds | None = None,
            delay: Seconds | None = None,
            deduplication_id: str | None = None,
            duplication_policy: DuplicationPolicy = "reject",
            priority: int | None = None,
            queue_partition_key: str | None = None,
            authenticated_user: str | None = None,
            authenticated_roles: Sequence[str] = (),
            assumed_role: str | None = None,
            attributes: Mapping[str, Any] | None = None,
            application_name: str | None = None,
            serialization: str | None = None,
            result_type: Any = Any,
        ) -> None: ...


class Arguments(NamedTuple):
    """The arguments of a workflow: positional ones, named ones.

    A workflow of this application, or one that is declared, makes them typed: `workflow.arguments(...)`.

        Arguments(("Stonebraker", ["a1"]), {"date": date})
    """

    args: Sequence[Any] = ()
    kwargs: Mapping[str, Any] = {}
    parameters: Any = None


@dataclass(frozen=True)
class Debounce:
    """Start once, `period` seconds after the last call of a key, at most `timeout` seconds after the first.

    Debounce("page-7", period=5, timeout=60)
    """

    key: str
    period: Seconds
    timeout: Seconds | None = None


@dataclass(frozen=True)
class RateLimit:
    """At most `limit` starts in any `period` (seconds), of a queue or of each of its partitions.

    queue = app.queue("emails", limiter=RateLimit(limit=100, period=60))
    """

    limit: int
    period: Seconds


@dataclass(frozen=True, kw_only=True)
class ScheduleSpec:
    """A schedule to create or to apply: a cron expression in a time zone, and which workflow it starts.

    `schedule` has 5 fields, or 6 with the seconds first; `cron_timezone` is an IANA name, UTC if left out.
    The workflow gets the scheduled time and `context`. What nobody could fire in time is fired later if it
    is not older than `catch_up` seconds, or whatever its age with `automatic_backfill`. `jitter` spreads runs
    over so many seconds behind their time. `overlap` says what becomes of a tick while a run of the schedule
    goes on, triggered and backfilled ones too: "allow", "skip", or "buffer_one", which lets one wait; who
    triggers or backfills means it, so that runs in any case. DBOS's processes know nothing of these three.

        ScheduleSpec(schedule_name="nightly", workflow_name="report", schedule="0 3 * * *",
                     cron_timezone="Europe/Berlin")
    """

    schedule_name: str
    workflow_name: str
    schedule: str
    context: Any = None
    workflow_class_name: str | None = None
    automatic_backfill: bool = False
    cron_timezone: str | None = None
    queue_name: str | None = None
    application_name: str | None = None
    catch_up: Seconds = 60.0
    jitter: Seconds = 0.0
    overlap: ScheduleOverlap = "allow"


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """A schedule as it stands: `status` is ACTIVE or PAUSED; `next_fire_at` None if it fires no more.

    `context` stays the stored text where it cannot be read here. `problem` says why it is not kept, or why
    its runs would wait, as the application's executors noted it. `declared`: by code, with `app.schedule`;
    `changed` are the fields that were changed at run time since, "status" among them while it is paused.
    """

    schedule_id: str
    schedule_name: str
    workflow_name: str
    schedule: str
    workflow_class_name: str | None = None
    status: str = "ACTIVE"
    context: Any = None
    last_fired_at: str | None = None
    automatic_backfill: bool = False
    cron_timezone: str | None = None
    queue_name: str | None = None
    application_name: str | None = None
    catch_up: float = 0.0
    jitter: float = 0.0
    overlap: ScheduleOverlap = "allow"
    next_fire_at: datetime | None = None
    problem: str | None = None
    declared: bool = False
    changed: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class QueuePause:
    """Where a queue is paused (`executor_id` None: everywhere), why, and since when (epoch milliseconds)."""

    executor_id: str | None
    reason: str | None
    paused_at: int


@dataclass(frozen=True, kw_only=True)
class QueueInfo:
    """A queue as it is registered: limits, owner, where it is paused. Instants are epoch milliseconds."""

    name: str
    concurrency: int | None = None
    worker_concurrency: int | None = None
    limiter: RateLimit | None = None
    partition_concurrency: int | None = None
    partition_worker_concurrency: int | None = None
    partition_limiter: RateLimit | None = None
    polling_interval_sec: float = 1.0
    application_name: str | None = None
    created_at: int = 0
    updated_at: int = 0
    pauses: tuple[QueuePause, ...] = ()


@dataclass(frozen=True, kw_only=True)
class QueueStats:
    """What is on a queue now.

    `running_on` counts what runs by executor, `starts_in_period` what counts against the queue's rate limit.
    """

    name: str
    enqueued: int
    delayed: int
    pending: int
    running_on: Mapping[str, int]
    oldest_enqueued_at: int | None
    starts_in_period: int | None
    is_paused: bool


@dataclass(frozen=True, kw_only=True)
class StatusCounts:
    """Workflows by status: each count up to `counted_to`, and SUCCESS an estimate.

    `ended` counts, by status, those that ended in the last `seconds`: up to `counted_to` of them in all.
    """

    now: Mapping[Status, int]
    ended: Mapping[Status, int]
    seconds: float
    counted_to: int


@dataclass(frozen=True, kw_only=True)
class QueueActivity:
    """What a queue holds now, each count up to `counted_to`, and did in the last hour.

    `is_registered` is False for a queue that holds work and has no row: nobody takes that work. `starts` and
    `finishes` count by minute, 60 of them, the present one last; where `is_estimate`, busy minutes were
    estimated from their first starts. Instants are epoch milliseconds, `measured_at` the database's now.
    """

    name: str
    is_registered: bool
    enqueued: int
    delayed: int
    running_on: Mapping[str, int]
    oldest_enqueued_at: int | None
    starts_in_period: int | None
    starts: tuple[int, ...]
    finishes: tuple[int, ...]
    is_estimate: bool
    counted_to: int
    measured_at: int

    @property
    def running(self) -> int:
        """How many of its workflows run."""
        return sum(self.running_on.values())


@dataclass(frozen=True, kw_only=True)
class Backlog:
    """A partition of a queue with work that waits: counts up to `counted_to`, the age of what is next."""

    key: str
    enqueued: int
    running: int
    next_enqueued_at: int | None
    counted_to: int


@dataclass(frozen=True, kw_only=True)
class ExecutorInfo:
    """A process that runs workflows. Instants are epoch milliseconds, of the database's clock.

    `state` is "alive" while its lease holds, "expired" when that ran out (its work is taken over), "closed"
    after a stop, or "no lease": a process of DBOS. `running_on` counts what runs on it by queue ('' for what
    was started directly).
    """

    executor_id: str
    state: ExecutorState
    application_name: str | None = None
    app_version: str | None = None
    host: str | None = None
    pid: int | None = None
    started_at: int | None = None
    heartbeat_at: int | None = None
    expires_at: int | None = None
    stopped_at: int | None = None
    running_on: Mapping[str, int] = field(default_factory=dict)

    @property
    def running(self) -> int:
        """How many workflows run on it."""
        return sum(self.running_on.values())


@dataclass(frozen=True, kw_only=True)
class VersionLoad:
    """How much work of a version has not ended, each figure up to `counted_to`; None: of no version."""

    app_version: str | None
    enqueued: int
    delayed: int
    running: int
    counted_to: int


@dataclass(frozen=True, kw_only=True)
class KnownWorkflow:
    """A workflow that is known by name: where it ran last, and its parameters where its application tells.

    `parameters` is `{"parameters": [{"name", "kind", "required", "default", "schema"}, ...], "$defs": {...}}`
    with JSON schemas, `kind` "positional" or "keyword". `last_started_at` is in epoch milliseconds.
    """

    name: str
    class_name: str | None = None
    queue_name: str | None = None
    application_name: str | None = None
    last_started_at: int | None = None
    parameters: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class TableInfo:
    """A table of the system database: estimated rows, sizes in bytes, and how well it is kept.

    Autovacuum comes when `vacuum_at` rows are dead; `advice` says what to do where that does not happen.
    """

    schema: str
    name: str
    rows: int
    heap_bytes: int
    index_bytes: int
    toast_bytes: int
    total_bytes: int
    dead_rows: int
    vacuum_at: int
    autovacuums: bool
    vacuumed_at: int | None = None
    analyzed_at: int | None = None
    advice: str | None = None


@dataclass(frozen=True, kw_only=True)
class StorageInfo:
    """A database, its size, and the tables of DBOS and durably in it, the largest first.

    Instants are epoch milliseconds. `oldest_finished_at` is since when finished workflows are kept;
    `oldest_transaction_at` the begin of the oldest transaction that this role may see.
    """

    database: str
    bytes: int
    is_read_only: bool
    measured_at: int
    oldest_finished_at: int | None = None
    oldest_transaction_at: int | None = None
    tables: tuple[TableInfo, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Why a workflow does not run, or what it is doing: `reason` is a word, `message` says it in full.

    The words: ready, behind, concurrency, partition_concurrency, worker_concurrency, rate_limit,
    partition_rate_limit, paused, unregistered_queue, queue_owned, no_partition_key, no_worker, no_version,
    delayed, retry, stranded, message, event, message_or_event (of a DBOS process), child, workflow, stream,
    timer, step, running, executor_lost, dead_letter, cancelled, ended. What a running workflow waits for is
    known seconds after it began to wait.
    """

    workflow_id: str
    status: Status
    reason: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that `diagnose` looked at: what it saw there, and what to do if that is not `ok`.

    `check` is one of: connection, server, clock, notices, durability, connections, transactions, vacuum,
    schema, extension, privileges, indexes, executors, queues, versions, stranded, dead_letters, schedules,
    unread. There may be several of a check. `examples` are ids or names, not all of them.
    """

    check: str
    level: Level
    seen: str
    advice: str | None = None
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Retry:
    """When and how often a step, or a workflow, is tried again.

    `attempts` counts the first one; the wait before attempt n+1 is `interval * backoff**(n-1)` seconds (or
    `timedelta`), at most `max_interval`, spread by `jitter` (0.1: between 90 % and 110 %). `on` says which
    errors are worth another attempt, classes or a predicate, and `give_up_on` which classes never are. Code
    that knows better when to come back raises `RetryAfter`.

        @app.step(retry=Retry(attempts=5, on=ConnectionError, give_up_on=ConnectionRefusedError))
        async def charge(card: str, cents: int) -> str: ...
    """

    attempts: int = 3
    interval: Seconds = 1.0
    backoff: float = 2.0
    max_interval: Seconds = 3600.0
    jitter: float = 0.1
    on: ErrorClasses | Callable[[BaseException], bool] = Exception
    give_up_on: ErrorClasses = ()

    def __post_init__(self) -> None:
        _check_attempts(self.attempts)
        _check_number("interval", self.interval, 0.0, "seconds (or a timedelta), 0 or more")
        _check_number("max_interval", self.max_interval, 0.0, "seconds (or a timedelta), 0 or more")
        _check_number("backoff", self.backoff, 1.0, "a factor, 1 (always the same pause) or more")
        _check_number("jitter", self.jitter, 0.0, "a share from 0 to 1", most=1.0)
        if not _are_errors(self.on) and (isinstance(self.on, type) or not callable(self.on)):
            raise InvalidOption("on", self.on, "give exception classes, or a predicate of the error")
        if not _are_errors(self.give_up_on):
            raise InvalidOption("give_up_on", self.give_up_on, "give exception classes")


def _check_attempts(value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise InvalidOption("attempts", value, "a whole number, 1 (no second attempt) or more")


def _check_number(option: str, value: object, least: float, hint: str, *, most: float = math.inf) -> None:
    number = value.total_seconds() if isinstance(value, timedelta) else value
    if not isinstance(number, int | float) or isinstance(number, bool):
        raise InvalidOption(option, value, f"give {hint}")
    if not math.isfinite(number) or not least <= number <= most:
        raise InvalidOption(option, value, f"give {hint}")


def _are_errors(value: object) -> bool:
    classes = value if isinstance(value, tuple) else (value,)
    return all(isinstance(kind, type) and issubclass(kind, BaseException) for kind in classes)


@dataclass(frozen=True, kw_only=True)
class WorkflowStatus:
    """One workflow as the system database shows it.

    `input` is `{"args": tuple, "kwargs": dict}`; `input` and `output` are the raw text when the payload
    cannot be decoded here, and None when it was not asked for. `explanation` says who paused it, or why a
    workflow waits that nobody can run as things are (that of one workflow, not in lists).
    """

    workflow_id: str
    status: Status
    name: str
    class_name: str | None = None
    config_name: str | None = None
    queue_name: str | None = None
    input: Any = None
    output: Any = None
    error: BaseException | str | None = None
    serialization: str | None = None
    executor_id: str | None = None
    app_version: str | None = None
    application_name: str | None = None
    app_id: str | None = None
    authenticated_user: str | None = None
    assumed_role: str | None = None
    authenticated_roles: tuple[str, ...] = ()
    recovery_attempts: int = 0
    priority: int = 0
    deduplication_id: str | None = None
    queue_partition_key: str | None = None
    created_at: int = 0
    updated_at: int = 0
    dequeued_at: int | None = None
    completed_at: int | None = None
    delay_until_epoch_ms: int | None = None
    workflow_timeout_ms: int | None = None
    workflow_deadline_epoch_ms: int | None = None
    parent_workflow_id: str | None = None
    forked_from: str | None = None
    was_forked_from: bool = False
    attributes: Mapping[str, Any] | None = None
    schedule_name: str | None = None
    explanation: str | None = None


@dataclass(frozen=True, kw_only=True)
class StepInfo:
    """One recorded operation of a workflow; a payload that cannot be decoded here is its raw text.

    `edited`: the outcome is not what was recorded first, but what a fork or a rewind was given.
    """

    function_id: int
    function_name: str
    output: Any = None
    error: BaseException | str | None = None
    child_workflow_id: str | None = None
    started_at_epoch_ms: int | None = None
    completed_at_epoch_ms: int | None = None
    serialization: str | None = None
    edited: bool = False


@dataclass(frozen=True, kw_only=True)
class Payload:
    """A stored value: its text, or, where `is_cut`, the beginning of it; `size` is that of all, in bytes.

    `value` is what it decodes to: None where it is cut, and where `unreadable` says why it cannot be decoded
    here. Of an input it is `{"args": tuple, "kwargs": dict}`, of an error the exception.
    """

    text: str
    size: int
    serialization: str | None = None
    is_cut: bool = False
    value: Any = None
    unreadable: str | None = None


@dataclass(frozen=True, kw_only=True)
class WorkflowPayloads:
    """What a workflow was given, and what it ended with."""

    input: Payload | None = None
    output: Payload | None = None
    error: Payload | None = None


@dataclass(frozen=True, kw_only=True)
class StepRecord:
    """One recorded operation as a page shows it, and the state of the child that it started or waited for."""

    function_id: int
    function_name: str
    output: Payload | None = None
    error: Payload | None = None
    started_at_epoch_ms: int | None = None
    completed_at_epoch_ms: int | None = None
    edited: bool = False
    child_workflow_id: str | None = None
    child_name: str | None = None
    child_status: Status | None = None
    child_created_at: int | None = None
    child_completed_at: int | None = None


@dataclass(frozen=True, kw_only=True)
class StepSummary:
    """What a workflow has recorded, in numbers; `is_counted` is False where `steps` is only how far it went.

    `bins` are equal parts of the time from the first start to the last end, those in which something
    started: (number of the part, operations, failed ones, the first of them). `now_epoch_ms` is the
    database's clock.
    """

    steps: int
    failed: int
    first_id: int | None
    last_id: int | None
    started_at_epoch_ms: int | None
    completed_at_epoch_ms: int | None
    now_epoch_ms: int
    bins: tuple[tuple[int, int, int, int], ...] = ()
    is_counted: bool = True


@dataclass(frozen=True, kw_only=True)
class FamilyMember:
    """A workflow among its relatives: `depth` is 0 for the one that was asked for, -1 for its parent."""

    workflow_id: str
    name: str
    class_name: str | None
    status: Status
    parent_workflow_id: str | None
    depth: int
    created_at: int
    dequeued_at: int | None = None
    completed_at: int | None = None
    delay_until_epoch_ms: int | None = None


@dataclass(frozen=True, kw_only=True)
class WorkflowAttempts:
    """What is known of a workflow's attempts, and of the executor that has it or had it last.

    `failed` counts the attempts that its `retry` has followed, `error` is the last one's. `is_tried_alone`:
    its process died with it before, and it is now tried while nothing else runs there.
    """

    max_recovery_attempts: int | None = None
    failed: int = 0
    failed_at_epoch_ms: int | None = None
    error: Payload | None = None
    executor_id: str | None = None
    host: str | None = None
    pid: int | None = None
    app_version: str | None = None
    started_at_epoch_ms: int | None = None
    heartbeat_at_epoch_ms: int | None = None
    stopped_at_epoch_ms: int | None = None
    is_alive: bool = False
    is_tried_alone: bool = False


@dataclass(frozen=True, kw_only=True)
class MessageRecord:
    """A message to a workflow as a page shows it; `consumed_by_function_id` is the operation that took it."""

    message_uuid: str
    topic: str | None
    message: Payload
    created_at_epoch_ms: int
    consumed: bool
    consumed_by_function_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class EventRecord:
    """A value that a workflow published under a key, as a page shows it."""

    key: str
    value: Payload
    function_id: int
    is_latest: bool


@dataclass(frozen=True, kw_only=True)
class StreamInfo:
    """A stream of a workflow: how many values it has now, and whether more may come."""

    key: str
    values: int
    is_closed: bool


@dataclass(frozen=True, kw_only=True)
class StreamRecord:
    """One value of a stream as a page shows it."""

    offset: int
    value: Payload
    function_id: int


@dataclass(frozen=True, kw_only=True)
class WorkflowEvent:
    """A value that a workflow published under a key, by the operation `function_id`."""

    key: str
    value: Any
    function_id: int


@dataclass(frozen=True, kw_only=True)
class ReceivedMessage:
    """A message to a workflow; `consumed_by_function_id` is the operation that received it."""

    message_uuid: str
    topic: str | None
    message: Any
    serialization: str | None
    created_at_epoch_ms: int
    consumed: bool
    consumed_by_function_id: int | None = None


@dataclass(frozen=True)
class First:
    """What `first_of` came to: the name of the choice that was first, and its value."""

    name: str
    value: Any = None


@dataclass(frozen=True, kw_only=True)
class WorkflowContext:
    """What a workflow's code can know of its own run.

    All but `attempt` and `app_version` is the same at every replay; decide nothing by those two. `attempt`
    counts how often the run was begun, `retry_attempt` the attempts by the workflow's `retry`; both are 1 at
    first. `deadline` is an aware datetime.
    """

    workflow_id: str
    name: str
    class_name: str | None = None
    config_name: str | None = None
    queue_name: str | None = None
    parent_workflow_id: str | None = None
    authenticated_user: str | None = None
    authenticated_roles: tuple[str, ...] = ()
    assumed_role: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    deadline: datetime | None = None
    attempt: int = 1
    app_version: str = ""
    retry_attempt: int = 1


@dataclass(frozen=True, kw_only=True)
class ApplicationVersion:
    """A version of an application, as its first worker registered it.

    The one with the highest `version_timestamp` is the latest: it runs what was enqueued for no version.
    """

    version_id: str
    version_name: str
    version_timestamp: int
    created_at: int
    application_name: str | None = None


@dataclass(frozen=True, kw_only=True)
class StrandedWorkflow:
    """A workflow that was set aside because its recorded operations do not fit the code.

    `function_id` is the first operation that differs, `asked` what the code asked for there and `recorded`
    what the record has. `code` is the fingerprint of the code that met it; `code_changed` tells whether other
    code made the record, or this very code, which then depends on something unrecorded.
    """

    workflow_id: str
    name: str
    class_name: str | None = None
    queue_name: str | None = None
    app_version: str | None = None
    application_name: str | None = None
    function_id: int
    asked: str
    recorded: str
    code: str
    code_changed: bool
    stranded_at: int
    explanation: str


@dataclass(frozen=True, kw_only=True)
class Account:
    """A person who may log in at the console, unless `is_disabled`; instants are epoch milliseconds."""

    name: str
    role: Role
    sees_payloads: bool
    created_at: int
    is_disabled: bool


@dataclass(frozen=True, kw_only=True)
class ApiToken:
    """A program that may call the HTTP API until `expires_at` (None: for ever), unless it `is_revoked`."""

    token_id: str
    name: str
    role: Role
    sees_payloads: bool
    created_by: str
    created_at: int
    expires_at: int | None
    last_used_at: int | None
    is_revoked: bool


@dataclass(frozen=True, kw_only=True)
class NewApiToken:
    """A token that was just created, with its `secret`, which is never shown again."""

    token: ApiToken
    secret: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """Who did what: `verb` on `targets` of a `kind`, asked for with `detail`; `did` says what came of it.

    `outcome` stays "began", and `ended_at` None, of what was interrupted. Instants are epoch milliseconds.
    """

    audit_id: int
    at: int
    ended_at: int | None
    who: str
    verb: str
    kind: str
    targets: tuple[str, ...]
    detail: Mapping[str, Any]
    outcome: AuditOutcome
    did: str | None
    source: AuditSource


@dataclass(frozen=True, kw_only=True)
class WorkflowFilter:
    """Which workflows to list or count; every field that is given must hold, a tuple means any of.

    Instants are aware datetimes, bounds inclusive. `limit=None` is no limit.

        WorkflowFilter(status="ERROR", name="purchaseTicket", limit=20, sort_desc=True)
    """

    workflow_ids: Sequence[str] | None = None
    workflow_id_prefix: str | None = None
    status: Status | Sequence[Status] | None = None
    name: str | Sequence[str] | None = None
    queue_name: str | Sequence[str] | None = None
    queues_only: bool = False
    app_version: str | Sequence[str] | None = None
    application_name: str | None = None
    executor_id: str | Sequence[str] | None = None
    authenticated_user: str | Sequence[str] | None = None
    parent_workflow_id: str | Sequence[str] | None = None
    has_parent: bool | None = None
    forked_from: str | Sequence[str] | None = None
    is_fork: bool | None = None
    was_forked_from: bool | None = None
    is_paused: bool | None = None
    schedule_name: str | Sequence[str] | None = None
    attributes: Mapping[str, Any] | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    completed_after: datetime | None = None
    completed_before: datetime | None = None
    dequeued_after: datetime | None = None
    dequeued_before: datetime | None = None
    sort_desc: bool = False
    limit: int | None = None
    offset: int = 0
    load_input: bool = True
    load_output: bool = True


@dataclass(frozen=True, kw_only=True)
class WorkflowPage:
    """A page of workflows; `after` and `before` are where the next page and the one before it begin.

    `searched`: only so many were looked at, because no index finds them; `further` is where to go on. All of
    them are None where there is nothing more.
    """

    workflows: tuple[WorkflowStatus, ...]
    after: str | None = None
    before: str | None = None
    further: str | None = None
    searched: int | None = None


@dataclass(frozen=True, kw_only=True)
class SearchCounts:
    """How many workflows there are by status; a count above `most` is only known to be that.

    Of succeeded ones, and with a filter of all, only the newest were counted: those are all there are if
    `is_complete`.
    """

    counts: Mapping[str, int]
    most: int
    is_complete: bool


@dataclass(frozen=True, kw_only=True)
class WorkflowActivity:
    """What was created and what ended in equal spans of time, oldest first.

    `begins_at` is the first span's begin, in epoch milliseconds, `span_ms` how long each is. If not
    `is_complete`, there was more than could be read: earlier spans lack some.
    """

    begins_at: int
    span_ms: int
    created: tuple[int, ...]
    succeeded: tuple[int, ...]
    failed: tuple[int, ...]
    cancelled: tuple[int, ...]
    is_complete: bool


@dataclass(frozen=True, kw_only=True)
class OverviewFacts:
    """The state of everything in figures; those above 10,000 are only known to be that.

    Instants are epoch milliseconds. `failures` counts those of the last 24 hours by name: all, or the newest
    2,000 if not `failures_are_all`.
    """

    now: int
    pending: int
    enqueued: int
    oldest_enqueued_at: int | None
    dead_letters: int
    stranded: int
    paused: int
    failed_last_hour: int
    schedules_late: tuple[str, ...]
    failures: Mapping[str, int]
    failures_are_all: bool
