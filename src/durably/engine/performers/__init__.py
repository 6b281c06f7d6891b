"""How each operation is performed: a module per noun, and in it a coroutine per kind of operation.

A performer takes the run, the operation's number and its record; it answers from the record, or performs the
operation and has it recorded. `INSIDE_STEP` has what a step's body may do: nothing there is numbered.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from durably.core import ops
from durably.core.ports import HistoryRow
from durably.engine import watching
from durably.engine.performers import (
    choices,
    effects,
    events,
    messages,
    patches,
    progress,
    questions,
    streams,
    timers,
    values,
    workflows,
)
from durably.engine.performers.kinds import InsideStep, Performers
from durably.engine.performers.workflows import await_result, outcome, result_of
from durably.errors import WrongContext
from durably.observing import NOBODY

if TYPE_CHECKING:
    from durably.engine.run import Run

__all__ = ["await_result", "inside_step", "outcome", "perform", "result_of"]

_NOUNS = (
    timers,
    messages,
    events,
    questions,
    streams,
    choices,
    workflows,
    effects,
    values,
    patches,
    progress,
)
_PERFORMERS: Performers = {kind: how for noun in _NOUNS for kind, how in noun.PERFORMERS.items()}
_INSIDE_STEP: InsideStep = {kind: how for noun in _NOUNS for kind, how in noun.INSIDE_STEP.items()}


def perform(
    run: Run, number: int, row: HistoryRow | None, operation: ops.Operation[Any]
) -> Coroutine[Any, Any, Any]:
    """The coroutine that answers the operation from its record, or performs it."""
    performer = _PERFORMERS[type(operation)]
    told = run.resources.observer is not NOBODY and row is None and number > 0
    if not told or isinstance(operation, ops.RunStep):  # which is told of by itself
        return performer(run, number, row, operation)
    kind: watching.Kind = "child" if isinstance(operation, ops.StartChild) else "operation"
    return watching.told(run, number, operation.name, kind, lambda: performer(run, number, row, operation))


def inside_step(run: Run, step: int, operation: ops.Operation[Any]) -> Coroutine[Any, Any, Any]:
    """The same from a step's body: nothing is numbered, and what a step cannot do is refused."""
    try:
        return _INSIDE_STEP[type(operation)](run, step, operation)
    except KeyError:
        raise WrongContext(
            f"{operation.name} does not work inside a step: a step is one outcome. "
            "Call it from the workflow, before or after the step"
        ) from None
