"""Workflows and their steps, as responses have them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from durably.client import AsyncWorkflowHandle
from durably.console.api.route import Call
from durably.console.api.wire import Id, Instant, Shown, StatusWord, shown
from durably.errors import WorkflowFailed
from durably.types import StepInfo, WorkflowStatus

__all__ = ["Changed", "Failure", "Ids", "Run", "Started", "Step", "failure", "ids", "run", "step"]


class Failure(Shown, frozen=True, kw_only=True):
    """An error of a workflow or a step, as the process recorded it that had it."""

    name: str
    message: str
    code: int | str | None = None
    data: Any = None


class Run(Shown, frozen=True, kw_only=True):
    """A workflow as the system database shows it. `payloads_hidden`: the caller's role is not shown them.

    `input` is `{"args": [...], "kwargs": {...}}`; a payload that cannot be decoded here is its raw text.
    """

    workflow_id: str
    status: StatusWord
    name: str
    class_name: str | None
    config_name: str | None
    queue_name: str | None
    input: Any
    output: Any
    error: Failure | None
    payloads_hidden: bool
    serialization: str | None
    executor_id: str | None
    app_version: str | None
    application_name: str | None
    app_id: str | None
    authenticated_user: str | None
    assumed_role: str | None
    authenticated_roles: tuple[str, ...]
    recovery_attempts: int
    priority: int
    deduplication_id: str | None
    queue_partition_key: str | None
    created_at: Instant
    updated_at: Instant
    dequeued_at: Instant | None
    completed_at: Instant | None
    delay_until_epoch_ms: Instant | None
    workflow_timeout_ms: int | None
    workflow_deadline_epoch_ms: Instant | None
    parent_workflow_id: str | None
    forked_from: str | None
    was_forked_from: bool
    attributes: Mapping[str, Any] | None
    schedule_name: str | None
    explanation: str | None


class Step(Shown, frozen=True, kw_only=True):
    """One recorded operation of a workflow. `edited`: a fork or a rewind was given the outcome."""

    function_id: int
    function_name: str
    output: Any
    error: Failure | None
    payloads_hidden: bool
    child_workflow_id: str | None
    started_at_epoch_ms: Instant | None
    completed_at_epoch_ms: Instant | None
    serialization: str | None
    edited: bool


class Started(Shown, frozen=True, kw_only=True):
    """The workflow that there is now."""

    workflow_id: str


class Changed(Shown, frozen=True, kw_only=True):
    """Whether it was changed; false where there was nothing to do."""

    workflow_id: Id
    changed: bool


class Ids(Shown, frozen=True, kw_only=True):
    """The workflows that it was done to; with `dry_run`, those that it would be done to."""

    workflow_ids: list[str]
    dry_run: bool = False


def run(call: Call, status: WorkflowStatus) -> Run:
    """A workflow, with the payloads that the caller may see."""
    return shown(
        Run,
        status,
        input=call.hidden(status.input),
        output=call.hidden(status.output),
        error=failure(call, status.error),
        payloads_hidden=call.hides,
    )


def step(call: Call, info: StepInfo) -> Step:
    """A step, with the payloads that the caller may see."""
    return shown(
        Step,
        info,
        output=call.hidden(info.output),
        error=failure(call, info.error),
        payloads_hidden=call.hides,
    )


def failure(call: Call, error: BaseException | str | None) -> Failure | None:
    """An error; its message and data are payloads."""
    if error is None:
        return None
    if isinstance(error, str):  # it cannot be decoded here
        return Failure(name="Error", message=_told(call, error))
    if isinstance(error, WorkflowFailed):
        name, message = error.name, error.message
    else:
        name, message = type(error).__name__, str(error)
    code, data = getattr(error, "code", None), getattr(error, "data", None)
    return Failure(
        name=name,
        message=_told(call, message),
        code=code if isinstance(code, int | str) else None,
        data=call.hidden(data),
    )


def ids(handles: list[AsyncWorkflowHandle[Any]], *, dry_run: bool = False) -> Ids:
    """The ids of handles."""
    return Ids(workflow_ids=[handle.workflow_id for handle in handles], dry_run=dry_run)


def _told(call: Call, message: str) -> str:
    return "hidden for your role" if call.hides else message
