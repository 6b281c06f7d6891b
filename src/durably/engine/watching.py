"""Where a run tells its observer what it does: only what it performs, nothing that it recalls."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any, Literal

from durably.core.records import Finish, TryAgain
from durably.engine import attributes
from durably.observing import NOBODY, NOTHING, OperationFacts, RunFacts, RunOutcome, Watch

if TYPE_CHECKING:
    from durably.engine.executor import Resources
    from durably.engine.run import Run

__all__ = ["Kind", "attempt", "came_to", "operation", "told"]

Kind = Literal["step", "transaction", "child", "operation"]


async def told(
    run: Run, number: int, name: str, kind: Kind, function: Callable[[], Coroutine[Any, Any, Any]]
) -> Any:
    """What the coroutine function returns, under a watch."""
    with operation(run, number, name, kind):
        return await function()


def operation(run: Run, number: int, name: str, kind: Kind) -> Watch:
    """The watch of an operation that is performed now."""
    observer = run.resources.observer
    if observer is NOBODY:
        return NOTHING
    return observer.operation(
        OperationFacts(
            kind=kind,
            name=name,
            function_id=number,
            workflow_id=run.workflow_id,
            workflow_name=run.definition.name,
        )
    )


@contextlib.contextmanager
def attempt(run: Run) -> Iterator[list[RunOutcome]]:
    """A watch on the whole run, in the trace that its row belongs to; what it came to goes into the list."""
    attributes.restore_trace(run.claimed)
    outcome: list[RunOutcome] = []
    observer = run.resources.observer
    watch = NOTHING if observer is NOBODY else observer.run(_facts(run, run.resources))
    with watch as run.watch:
        try:
            yield outcome
        finally:
            run.watch.ended(outcome[0] if outcome else _interruption(run))


def came_to(record: Finish | TryAgain) -> RunOutcome:
    """The word for a recorded end."""
    if isinstance(record, TryAgain):
        return "retried"
    return "success" if record.status == "SUCCESS" else "error"


def _interruption(run: Run) -> RunOutcome:
    reason = run.interruption
    if getattr(reason, "difference", None) is not None:  # RunStranded
        return "stranded"
    return "cancelled" if reason is not None and reason.cancelled else "interrupted"


def _facts(run: Run, resources: Resources) -> RunFacts:
    claimed = run.claimed
    return RunFacts(
        workflow_id=run.workflow_id,
        workflow_name=run.definition.name,
        class_name=run.definition.class_name,
        queue_name=claimed.queue_name,
        application_name=resources.application_name,
        app_version=resources.app_version,
        executor_id=run.executor_id,
        attempt=claimed.recovery_attempts,
        waited=claimed.waited,
        resumed=claimed.has_history,
        parent_workflow_id=claimed.parent_workflow_id,
    )
