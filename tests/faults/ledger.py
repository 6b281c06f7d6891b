"""What clients asked and saw, and what physically ran: lines in a file outside the system.

A line is one write to a file opened for appending, so that lines of several processes do not mix, and a
killed process has written all that it said. Instants are of the monotonic clock, which the processes share.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

__all__ = ["Event", "Kind", "Ledger"]

Kind: TypeAlias = Literal["ask", "told", "begin", "end", "see", "wake", "fault", "cancelled"]


@dataclass(frozen=True)
class Event:
    """One line.

    ask: a client asks for a workflow, and told: it is told that it exists. begin, end: the body of step
    `step` runs in process `pid`, and `end` has what it returned. wake: a timer rang, `value` seconds after
    its time. see: a client sees the result `value`. cancelled: a body is told to stop. fault: one was made,
    and where it was the death of a process, `value` is its id.
    """

    kind: Kind
    workflow_id: str
    step: int
    value: Any
    pid: int
    at: float


class Ledger:
    """A ledger to write to and to read.

    ledger = Ledger(path)
    ledger.note("begin", "order-17", step=2)
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def note(self, kind: Kind, workflow_id: str = "", *, step: int = 0, value: Any = None) -> None:
        """Write a line."""
        line = [kind, workflow_id, step, value, os.getpid(), time.monotonic()]
        os.write(self._file, json.dumps(line).encode() + b"\n")

    def events(self) -> list[Event]:
        """Every line so far, in the order of their instants."""
        lines = self.path.read_text().splitlines()
        return sorted((Event(*json.loads(line)) for line in lines), key=lambda event: event.at)

    def count(self, kind: Kind, workflow_id: str | None = None, step: int | None = None) -> int:
        """How many lines of a kind there are."""
        return sum(
            event.kind == kind and workflow_id in (None, event.workflow_id) and step in (None, event.step)
            for event in self.events()
        )

    def close(self) -> None:
        """Write no more."""
        os.close(self._file)
