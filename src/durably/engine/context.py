"""Which run, and which step of it, the calling code belongs to."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, NamedTuple

from durably.errors import WrongContext

if TYPE_CHECKING:
    from durably.engine.attempts import Attempt
    from durably.engine.run import Run
    from durably.engine.shields import Shield

__all__ = ["Frame", "Written", "current_frame", "current_run", "frame", "in_step"]


class Written:
    """How far a step's body has come with one stream: its last acknowledged offset, and what is under way."""

    __slots__ = ("after", "pending")

    def __init__(self) -> None:
        self.after = -1
        self.pending = 0


class Frame(NamedTuple):
    """A run, and the number of the step whose body is running (0: the workflow's own code).

    `attempt` is that step's, with the time that it has; `shield` the innermost scope of cleanup that the code
    stands in.
    """

    run: Run
    step: int = 0
    attempt: Attempt | None = None
    streams: dict[str, Written] | None = None  # what the step's body has appended
    shield: Shield | None = None
    transaction: bool = False  # the step is a transaction

    @property
    def shielded(self) -> bool:
        """Whether the code that runs here goes on although its run is cancelled."""
        return self.shield is not None and not self.shield.over

    @property
    def cancel_requested(self) -> bool:
        """Whether the code that runs here should come to its end."""
        if self.run.interruption is not None and not self.shielded:
            return True
        return self.attempt is not None and self.attempt.is_late


frame: ContextVar[Frame | None] = ContextVar("durably-frame", default=None)


def current_frame() -> Frame | None:
    """Where the caller is, None outside every workflow."""
    return frame.get()


def current_run() -> Run:
    """The caller's run; WrongContext outside a workflow."""
    here = frame.get()
    if here is None:
        raise WrongContext(
            "this call works inside a workflow only; from outside use a client "
            "(client.send, client.get_event, client.enqueue)"
        )
    return here.run


def in_step(name: str) -> None:
    """WrongContext outside the body of a step that a workflow runs."""
    here = frame.get()
    if here is None or not here.step:
        raise WrongContext(
            f"{name} works inside a step only, one that a workflow runs: what the workflow itself has done "
            "is recorded already"
        )
