"""The operations that a workflow can ask for, as frozen data. `width` is how many numbers one uses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

from durably.core import names
from durably.types import First, Retry, Seconds

__all__ = [
    "Affect",
    "AppendValue",
    "Ask",
    "Choice",
    "Compute",
    "FirstOf",
    "Fork",
    "GetEvent",
    "GetResult",
    "Heartbeat",
    "NextCompleted",
    "Operation",
    "Patch",
    "ReadStream",
    "Receive",
    "RunStep",
    "SavedProgress",
    "SendMessage",
    "SetEventValue",
    "Sleep",
    "StartChild",
    "Together",
]

T = TypeVar("T")


@dataclass(frozen=True)
class Operation(Generic[T]):
    """Something whose outcome is recorded, with the type of that outcome."""

    width: ClassVar[int] = 1
    alone: ClassVar[bool] = False  # whether no other operation of the run may be under way
    single: ClassVar[bool] = False  # whether no other of its name may be

    def width_at(self, recorded: str | None) -> int:
        """How many numbers it uses, where this name (None: nothing) is recorded at the next one."""
        return self.width

    @property
    def name(self) -> str:
        """The name under which the operation is recorded."""
        raise NotImplementedError


def _named(name: str) -> property:
    return property(lambda self: name)


@dataclass(frozen=True)
class Sleep(Operation[None]):
    """Let `seconds` pass, or time until the epoch second `until`, on the database's clock."""

    name = _named(names.SLEEP)
    seconds: float | None = None
    until: float | None = None


@dataclass(frozen=True)
class SendMessage(Operation[None]):
    """Send a message to another workflow."""

    name = _named(names.SEND)
    destination: str
    message: Any
    topic: str | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True)
class Receive(Operation[T]):
    """Take the oldest message of a topic; the second number is its timer's."""

    width = 2
    name = _named(names.RECV)
    topic: str | None
    timeout: float | None
    type_: Any = Any


@dataclass(frozen=True)
class SetEventValue(Operation[None]):
    """Publish a value under a key."""

    name = _named(names.SET_EVENT)
    key: str
    value: Any


@dataclass(frozen=True)
class GetEvent(Operation[T]):
    """Read what a workflow published; the second number is its timer's."""

    width = 2
    name = _named(names.GET_EVENT)
    workflow_id: str
    key: str
    timeout: float
    type_: Any = Any


@dataclass(frozen=True)
class AppendValue(Operation[None]):
    """Append a value to a stream of the workflow's own, or close it."""

    key: str
    value: Any = None
    closes: bool = False

    @property
    def name(self) -> str:
        """Writing and closing have names of their own."""
        return names.CLOSE_STREAM if self.closes else names.WRITE_STREAM


@dataclass(frozen=True)
class ReadStream(Operation[T]):
    """Read the value at one offset of a stream, waiting for it; `END` where the stream has ended.

    `once`: this offset is all that is asked for, and its absence is an error.
    """

    END: ClassVar[Any] = object()

    single = True
    workflow_id: str
    key: str
    offset: int
    timeout: float | None
    type_: Any = Any
    once: bool = False

    @property
    def name(self) -> str:
        """Reading one offset has a name of its own."""
        return names.READ_STREAM_OFFSET if self.once else names.READ_STREAM


@dataclass(frozen=True)
class Ask(Operation[Any]):
    """Send a question and wait for its reply: the numbers of the message, of the event, and of its timer."""

    width = 3
    name = _named(names.SEND)
    workflow_id: str
    question: Any
    topic: str | None
    timeout: float
    type_: Any = Any


@dataclass(frozen=True)
class GetResult(Operation[T]):
    """Wait for another workflow; with a timeout the first of two numbers is its timer's."""

    name = _named(names.GET_RESULT)
    workflow_id: str
    type_: Any = Any
    timeout: float | None = None


@dataclass(frozen=True)
class Choice:
    """Something that `first_of` may wait for: an operation that is performed if it is the first."""

    operation: Any  # Sleep, Receive, GetEvent, GetResult or RunStep


@dataclass(frozen=True)
class FirstOf(Operation[First]):
    """Wait for the first of several things; each has a number behind the decision's."""

    name = _named(names.FIRST_OF)
    choices: Mapping[str, Choice]

    def width_at(self, recorded: str | None) -> int:
        """One number for the decision, and one for each choice."""
        return 1 + len(self.choices)


@dataclass(frozen=True)
class NextCompleted(Operation[int]):
    """Which of the awaitables that are left comes next; its position among all of them."""

    name = _named(names.NEXT_COMPLETED)
    waiting: Mapping[int, Any]  # their futures


@dataclass(frozen=True)
class StartChild(Operation[str]):
    """Start or enqueue a workflow from a workflow; the outcome is its id."""

    workflow: Any
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    call: Any

    @property
    def name(self) -> str:
        """A child's start is recorded under the child's name."""
        return str(self.workflow.name)


@dataclass(frozen=True)
class Patch(Operation[bool]):
    """Whether the run takes the patched branch: not where its record went on without the marker.

    A deprecated patch writes no marker, and steps over one that is there.
    """

    alone = True
    patch_name: str
    deprecated: bool = False

    @property
    def name(self) -> str:
        """The marker's name."""
        return names.PATCH_PREFIX + self.patch_name

    def width_at(self, recorded: str | None) -> int:
        """One number for the marker, none where there is none."""
        return int(recorded == self.name or (recorded is None and not self.deprecated))


@dataclass(frozen=True)
class RunStep(Operation[T]):
    """Run a function once, durably."""

    step_name: str
    function: Callable[..., Any]
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    retry: Retry | None = None
    timeout: Seconds | None = None
    type_: Any = Any
    heartbeat_timeout: Seconds | None = None

    @property
    def name(self) -> str:
        """The step's own name."""
        return self.step_name


@dataclass(frozen=True)
class Heartbeat(Operation[None]):
    """Tell that a step is alive, and save how far it is (None: nothing)."""

    name = _named("heartbeat")
    progress: Any = None


@dataclass(frozen=True)
class SavedProgress(Operation[T]):
    """What an earlier attempt of the step saved."""

    name = _named("saved_progress")
    type_: Any = Any


@dataclass(frozen=True)
class Compute(Operation[T]):
    """Record a small value that is taken from the world: the time, a random number."""

    operation_name: str
    function: Callable[[], Any]
    type_: Any

    @property
    def name(self) -> str:
        """The operation's name."""
        return self.operation_name


@dataclass(frozen=True)
class Affect(Operation[T]):
    """Do something to other workflows, or look at them, then record what came of it, which is plain JSON.

    The effect is repeated where the record was not written, so it must be one that may be. It is given a
    source of ids that are the same at each repetition.
    """

    operation_name: str
    effect: Callable[[Callable[[], str]], Awaitable[T]]

    @property
    def name(self) -> str:
        """The operation's name."""
        return self.operation_name


@dataclass(frozen=True)
class Together(Affect[T]):
    """An effect and its record in one transaction, which `commit` makes of the two."""

    commit: Callable[[Callable[[], Awaitable[T]], Callable[[T], Any]], Awaitable[T]]


@dataclass(frozen=True)
class Fork(Affect[T]):
    """Fork other workflows: DBOS keeps a second number for the look at what it made."""

    width = 2
