# Generated from src/durably/aio/_progress.py; do not edit: `make generate`.
"""Long steps: that they are alive, and how far they are."""

from __future__ import annotations

from typing import Any, TypeVar, overload

from durably.core import ops
from durably.engine.context import current_run, in_step

__all__ = ["heartbeat", "saved_progress"]

T = TypeVar("T")


def heartbeat(progress: Any = None) -> None:
    """In a step: tell that it is alive (`heartbeat_timeout`), and save how far it is for its next attempt.

    What is saved is committed when this returns, outlives the process, and is forgotten with the step's
    outcome. Without `progress` nothing is written. In a run that is over it stops the step.

        for number, page in enumerate(pages[start:], start):
            copy(page)
            sync.heartbeat(number + 1)
    """
    in_step("heartbeat")
    return current_run().perform_blocking(ops.Heartbeat(progress))


@overload
def saved_progress() -> Any: ...


@overload
def saved_progress(*, type: type[T]) -> T | None: ...


def saved_progress(*, type: Any = Any) -> Any:
    """In a step: what an earlier attempt of it saved last, here or in a process that died; None at first.

    start = sync.saved_progress(type=int) or 0
    """
    in_step("saved_progress")
    return current_run().perform_blocking(ops.SavedProgress(type))
