# Generated from src/durably/aio/_choices.py; do not edit: `make generate`.
"""The first of several things, and awaitables in the order in which they end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from datetime import datetime
from typing import Any, TypeVar, overload

from durably.client import WorkflowHandle
from durably.core import checks, ops
from durably.engine.context import current_run
from durably.engine.registry import step_operation
from durably.errors import InvalidOption
from durably.sync._context import client
from durably.types import First, Seconds

__all__ = [
    "as_completed",
    "first_of",
    "on_event",
    "on_message",
    "on_result",
    "on_step",
    "on_timer",
]

T = TypeVar("T")


def on_message(topic: str | None = None, *, type: Any = Any) -> ops.Choice:
    """For `first_of`: the oldest message of a topic; it is consumed if it is the first, and only then.

    sync.on_message("approval", type=Decision)
    """
    return ops.Choice(ops.Receive(checks.optional_address("topic", topic), None, type))


def on_timer(duration: Seconds | datetime) -> ops.Choice:
    """For `first_of`: that time passes, in seconds or `timedelta`, or until an aware `datetime`.

    Its instant is recorded before the wait, on the database's clock, so it survives restarts.

        sync.on_timer(3600)
    """
    if isinstance(duration, datetime):
        milliseconds = checks.instant("duration", duration) or 0
        return ops.Choice(ops.Sleep(until=milliseconds / 1000))
    return ops.Choice(ops.Sleep(seconds=max(0.0, checks.span("duration", duration))))


def on_event(workflow_id: str, key: str, *, type: Any = Any) -> ops.Choice:
    """For `first_of`: a value that another workflow publishes under a key.

    sync.on_event("order-17", "status")
    """
    checks.address("workflow_id", workflow_id)
    return ops.Choice(ops.GetEvent(workflow_id, checks.address("key", key), 0.0, type))


def on_result(workflow: WorkflowHandle[T] | str, *, type: Any = None) -> ops.Choice:
    """For `first_of`: that a workflow ends, by its handle or id. One that is not the first goes on.

    sync.on_result(handle)
    """
    if isinstance(workflow, str):
        id_ = checks.address("workflow", workflow)
        return ops.Choice(ops.GetResult(id_, Any if type is None else type))
    result_type = getattr(workflow, "_result_type", Any) if type is None else type
    return ops.Choice(ops.GetResult(workflow.workflow_id, result_type))


def on_step(step: Callable[..., Any], *args: Any, **kwargs: Any) -> ops.Choice:
    """For `first_of`: a call of a step, which begins at once. Not the first, it is cancelled and unrecorded.

    A blocking step cannot be interrupted: it runs to its end, and what it returns is dropped.

        sync.on_step(charge, "4242", 1000)
    """
    return ops.Choice(step_operation(step, args, kwargs))


def first_of(**choices: ops.Choice) -> First:
    """Wait for the first of several things, durably; which it was, and its value. A replay decides alike.

    Of several that are there at once the one that is named first wins. Messages that were not first stay
    where they are, workflows go on, steps are cancelled. Raises what the first one raises: the error of a
    step or workflow, DecodeError for a message that does not fit its type.

        first = sync.first_of(decision=sync.on_message("approval"), reminder=sync.on_timer(3600))
        if first.name == "decision": print(first.value)
    """
    wrong = [name for name, choice in choices.items() if not isinstance(choice, ops.Choice)]
    if wrong:
        hint = "give on_message, on_timer, on_event, on_result or on_step"
        raise InvalidOption(wrong[0], choices[wrong[0]], hint)
    if not choices:
        raise InvalidOption("choices", (), "there is nothing to wait for: name at least one")
    return current_run().perform_blocking(ops.FirstOf(choices))


@overload
def as_completed(awaitables: Iterable[WorkflowHandle[T]]) -> Iterator[WorkflowHandle[T]]: ...


@overload
def as_completed(awaitables: Iterable[Awaitable[T]]) -> Iterator[Awaitable[T]]: ...


def as_completed(awaitables: Iterable[Any]) -> Iterator[Any]:
    """Handles of workflows, or calls of steps, in the order in which they end; the same at every replay.

    What it gives has ended: `get_result()` of a handle, or awaiting the call, is next to no wait. Each takes
    an operation.

        for handle in sync.as_completed(handles): print(handle.get_result())
    """
    left = list(awaitables)
    if not all(isinstance(item, WorkflowHandle) for item in left):
        for call in current_run().completed_blocking(left):
            yield call
        return
    for handle in client().as_completed(left):
        yield handle
