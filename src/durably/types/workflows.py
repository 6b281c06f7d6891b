"""Workflows: their status, their filters, and what is told of many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from durably.types.aliases import Status

__all__ = [
    "Explanation",
    "OverviewFacts",
    "SearchCounts",
    "StatusCounts",
    "WorkflowActivity",
    "WorkflowContext",
    "WorkflowFilter",
    "WorkflowPage",
    "WorkflowStatus",
]


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
