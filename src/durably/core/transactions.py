"""Exactly-once transactions, decided: what is looked up, run, recorded and committed, in which order.

    find its record ----- there: roll back, and take it
    run the function ---- raises: roll back, and record the error
    record the outcome -- no row: somebody else did; roll back, and begin again
    still the owner? ---- no: roll back, and stop
    commit

Record and user's writes commit together, so the record tells whether the writes are there, whatever became of
the answer. The plan is a generator: it asks for I/O, and whoever drives it, blocking or not, answers.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

__all__ = ["Body", "Outcome", "Owned", "Plan", "Recorded", "Statement", "Terms", "plan"]


@dataclass(frozen=True)
class Statement:
    """Execute a statement of ours in the transaction; the answer is its rows."""

    name: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class Body:
    """Run the user's function; the answer is its value, or its error is thrown into the plan."""


@dataclass(frozen=True)
class Owned:
    """Ask the system database whether the run still owns its workflow; the answer is a bool."""


@dataclass(frozen=True)
class Recorded:
    """An outcome as text, as a row has it."""

    output: str | None
    error: str | None
    serialization: str | None


@dataclass(frozen=True)
class Outcome:
    """What one transaction came to. `commit`: its writes stay. Without `recorded` it is tried again."""

    recorded: Recorded | None
    commit: bool = False
    lost: bool = False  # the run owns its workflow no longer
    cause: BaseException | None = None  # the function's own error, which is yet to be recorded
    value: Any = None
    fresh: bool = False  # the value is the function's own, not decoded from a record


@dataclass(frozen=True)
class Terms:
    """What a plan is given: the statements of its database, and how values and errors are encoded."""

    find: Statement
    record: Callable[[Recorded], Statement]
    encode: Callable[[Any], Recorded]
    encode_error: Callable[[BaseException], Recorded]
    is_transient: Callable[[BaseException], bool]
    together: bool  # the record is the operation itself, and its statement is fenced


Request: TypeAlias = Statement | Body | Owned
Plan: TypeAlias = Generator[Request, Any, Outcome]


def plan(terms: Terms) -> Plan:
    """One attempt, inside an open transaction."""
    rows = yield terms.find
    if rows:
        return Outcome(Recorded(rows[0].output, rows[0].error, rows[0].serialization))
    try:
        value = yield Body()
        recorded = terms.encode(value)
    except Exception as error:
        if terms.is_transient(error):
            raise
        return Outcome(terms.encode_error(error), cause=error)
    rows = yield terms.record(recorded)
    if not rows:
        return Outcome(None, lost=terms.together)
    if not terms.together and not (yield Owned()):
        return Outcome(None, lost=True)
    return Outcome(recorded, commit=True, value=value, fresh=True)
