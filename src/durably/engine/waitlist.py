"""What the runs of a process wait for, so that whoever asks why one does not go on can be told.

A wait costs an entry in a dictionary. Only what has lasted is told to the database, by the heartbeats.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from durably.core.ports import Wait, Waiting, World

if TYPE_CHECKING:
    from durably.engine.run import Run

__all__ = ["Waitlist"]

LASTING = 1.0  # seconds before a wait is worth telling
MOST = 5000  # waits in a statement: the others are told by the next heartbeats


class _Entry(NamedTuple):
    run: Run
    function_id: int
    waits: Sequence[Wait]
    until: float | None
    since: float


class Waitlist:
    """The waits that are under way, and which of them the database knows. Entered on any thread."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._numbers = itertools.count(1)
        self._entries: dict[int, _Entry] = {}
        self._told: set[int] = set()

    @contextlib.contextmanager
    def entry(self, run: Run, function_id: int, *waits: Wait, until: float | None = None) -> Iterator[None]:
        """While it waits, for the first of these or until an instant of the database's clock."""
        place = next(self._numbers)
        self._entries[place] = _Entry(run, function_id, waits, until, self._world.monotonic())
        try:
            yield
        finally:
            del self._entries[place]

    def changes(self) -> tuple[list[Waiting], list[int]]:
        """What has lasted and is not told yet, and the places of what was told and is over."""
        now = self._world.monotonic()
        new: list[Waiting] = []
        for place, entry in list(self._entries.items()):
            if now - entry.since < LASTING or len(new) >= MOST:
                break  # they are in order
            if place not in self._told:
                new += _told(place, entry, now - entry.since)
        return new, [place for place in self._told if place not in self._entries]

    def told(self, new: Sequence[Waiting], over: Sequence[int]) -> None:
        """The database knows these changes."""
        self._told.update(waiting.place for waiting in new)
        self._told.difference_update(over)

    def forgotten(self) -> None:
        """The database knows nothing any more: this executor has another id."""
        self._told.clear()


def _told(place: int, entry: _Entry, lasted: float) -> Iterator[Waiting]:
    for nth, wait in enumerate(entry.waits):
        yield Waiting(
            place=place,
            nth=nth,
            workflow_id=entry.run.workflow_id,
            owner=entry.run.owner,
            function_id=entry.function_id,
            kind=wait.kind,
            id=wait.id,
            key=wait.key,
            until=entry.until,
            lasted=lasted,
        )
