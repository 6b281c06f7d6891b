"""What one workflow recorded: its steps, payloads, family and attempts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from durably.types.aliases import Status

__all__ = [
    "FamilyMember",
    "Payload",
    "StepInfo",
    "StepRecord",
    "StepSummary",
    "WorkflowAttempts",
    "WorkflowPayloads",
]


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
