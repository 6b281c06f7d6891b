"""DBOS Python's own classes, as they stand in its pickles, and what we read them as."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from durably import errors

__all__ = ["resolve"]


def resolve(name: str) -> Callable[..., Any]:
    """Return what to call in place of a class of the dbos package.

    Its arguments are those that the class pickles itself with.
    """
    known = _KNOWN.get(name)
    if known is not None:
        return known
    if name.endswith(("Error", "Exceeded", "Exception")):
        return _failed(name)
    return str if name.endswith(("String", "Format")) else SimpleNamespace


def _failed(name: str) -> Callable[..., errors.WorkflowFailed]:
    def make(*details: Any) -> errors.WorkflowFailed:
        return errors.WorkflowFailed("", ", ".join(map(str, details)), name=name)

    return make


def _no_such_workflow(destination: str, workflow_id: str) -> errors.NoSuchWorkflow:
    return errors.NoSuchWorkflow(workflow_id)


def _recovery_attempts(workflow_id: str, limit: int | None = None) -> errors.RecoveryAttemptsExceeded:
    return errors.RecoveryAttemptsExceeded(workflow_id)


def _retries_exhausted(step: str, attempts: int, causes: list[Exception]) -> errors.StepRetriesExhausted:
    message = f"step {step!r} failed {attempts} times; last: {causes[-1] if causes else 'unknown'}"
    error = errors.StepRetriesExhausted(step, message, attempts=attempts)
    error.__cause__ = causes[-1] if causes else None
    return error


def _non_determinism(workflow_id: str, step: int, expected: str, recorded: str) -> errors.NonDeterminism:
    return errors.NonDeterminism(workflow_id, step, asked=expected, recorded=recorded)


def _deduplicated(workflow_id: str, queue: str, deduplication_id: str) -> errors.Deduplicated:
    return errors.Deduplicated(workflow_id, queue_name=queue, deduplication_id=deduplication_id)


def _in_use(workflow_id: str, status: str, name: str) -> errors.WorkflowIdInUse:
    return errors.WorkflowIdInUse(workflow_id, name=name, status=status)


_KNOWN: dict[str, Callable[..., Any]] = {
    "DBOSAwaitedWorkflowCancelledError": errors.WorkflowCancelled,
    "DBOSAwaitedWorkflowMaxRecoveryAttemptsExceeded": errors.RecoveryAttemptsExceeded,
    "DBOSMaxStepRetriesExceeded": _retries_exhausted,
    "DBOSNonExistentWorkflowError": _no_such_workflow,
    "DBOSQueueDeduplicatedError": _deduplicated,
    "DBOSStepTimeoutError": errors.StepTimeout,
    "DBOSUnexpectedStepError": _non_determinism,
    "DBOSWorkflowIDInUseError": _in_use,
    "MaxRecoveryAttemptsExceededError": _recovery_attempts,
}
