"""What happens in an application and a client, told to whoever wants to know: traces, metrics, yours.

An observer is given to `App(observers=[...])` or to a client's `create(observers=[...])`. It derives from
`Observer` and overrides what it is interested in; `durably.integrations.otel` and `.prometheus` are two.

    class Slow(Observer):
        def committed(self, records: int, seconds: float) -> None:
            if seconds > 1:
                print(f"{records} checkpoints took {seconds} s")

    app = App("tickets", observers=[Slow()])

What began is a `Watch`: it is entered and left where the work is done, so that what it makes current (a span)
is current there, in user code too. An observer never changes what happens: its errors are logged, no more.
What a replay answers from the record is not told again. Methods are called on the event loop and on threads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self, TypeAlias

__all__ = [
    "NOBODY",
    "NOTHING",
    "CallFacts",
    "Observer",
    "OperationFacts",
    "RunFacts",
    "RunOutcome",
    "State",
    "Vitals",
    "Watch",
]

RunOutcome: TypeAlias = Literal[
    "success", "error", "retried", "continued", "cancelled", "stranded", "interrupted"
]
State: TypeAlias = Literal["stopped", "running", "draining"]


@dataclass(frozen=True, kw_only=True)
class CallFacts:
    """A call from outside of a workflow; its `name` is the workflow's, where it is known."""

    kind: Literal["enqueue", "start", "send"]
    name: str | None = None
    workflow_id: str | None = None
    queue_name: str | None = None
    count: int = 1


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """One attempt of a workflow by this process.

    `attempt` counts claims, from 1; `waited` is the seconds that it was on its queue, known of the first one
    alone; `resumed` says that former attempts have recorded something.
    """

    workflow_id: str
    workflow_name: str
    class_name: str | None
    queue_name: str | None
    application_name: str
    app_version: str
    executor_id: str
    attempt: int
    waited: float | None
    resumed: bool
    parent_workflow_id: str | None


@dataclass(frozen=True, kw_only=True)
class OperationFacts:
    """An operation of a workflow that is performed now: a step, a transaction, a child's start, another."""

    kind: Literal["step", "transaction", "child", "operation"]
    name: str
    function_id: int
    workflow_id: str
    workflow_name: str


@dataclass(frozen=True, kw_only=True)
class Vitals:
    """How an application is at this moment, in this process; durations are seconds.

    `loop_lag` is how late the event loop is, `lease_age` how long ago the lease was renewed. `database_error`
    says why the database cannot be reached, as the last attempt found it.
    """

    state: State
    application_name: str
    app_version: str
    executor_id: str | None = None
    running: int = 0
    parked: int = 0
    capacity: int = 0
    pending_records: int = 0
    loop_lag: float = 0.0
    lease: float = 0.0
    lease_age: float | None = None
    database_error: str | None = None


class Watch:
    """Something under way: entered where it begins, left where it has ended; an error says that it failed."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """It has ended."""

    def identified(self, workflow_id: str) -> None:
        """Of a call: the id of the workflow that it is about."""

    def retrying(self, attempt: int, error: BaseException, seconds: float) -> None:
        """Of a step: this attempt failed, the next one is `seconds` from now."""

    def failed(self, error: BaseException) -> None:
        """Of a run: what its code raised."""

    def ended(self, outcome: RunOutcome) -> None:
        """Of a run: what it came to; just before it is left."""


class Observer:
    """Is told what happens; every method may be overridden, and does nothing here."""

    def call(self, facts: CallFacts) -> Watch:
        """A client or an application is about to enqueue, start or send."""
        return NOTHING

    def run(self, facts: RunFacts) -> Watch:
        """A run begins."""
        return NOTHING

    def operation(self, facts: OperationFacts) -> Watch:
        """A run performs an operation that has no record yet."""
        return NOTHING

    def committed(self, records: int, seconds: float) -> None:
        """A batch of records was written in one transaction."""

    def claimed(self, queue_name: str, workflows: int, seconds: float) -> None:
        """A queue was asked for work, and gave so much."""

    def took_over(self, executors: int, workflows: int) -> None:
        """The work of dead executors went back to its queues."""

    def loop_lagged(self, seconds: float) -> None:
        """Twice a second: how late the event loop is."""

    def launched(self, vitals: Callable[[], Vitals]) -> None:
        """An application starts; `vitals` may be called from any thread, until `ended` and after it."""

    def ended(self) -> None:
        """The application has stopped."""


NOTHING = Watch()
NOBODY = Observer()
