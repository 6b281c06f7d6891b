"""Looks at a queue from outside, all the time, and notes what must never be seen."""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import psycopg

LOOK = """
    SELECT q.concurrency, q.partition_concurrency,
           (SELECT json_agg(json_build_array(
                s.workflow_uuid, s.status, s.queue_partition_key, s.started_at_epoch_ms, s.executor_id))
            FROM dbos.workflow_status s WHERE s.queue_name = 'q' AND s.started_at_epoch_ms IS NOT NULL),
           (SELECT json_agg(json_build_array(t.workflow_uuid, t.started_at_epoch_ms))
            FROM durably.queue_starts t),
           extract(epoch FROM clock_timestamp())::float8 * 1000
    FROM dbos.queues q WHERE q.name = 'q'
"""


class Begun(NamedTuple):
    """A workflow that was started."""

    workflow_id: str
    status: str
    key: str | None
    at: int  # epoch milliseconds
    executor_id: str


@dataclass
class Ceiling:
    """What may run at most. After a limit is lowered what runs may end, and nothing may begin above it."""

    allowed: int | None = None

    def is_broken(self, limit: int | None, running: int) -> bool:
        """Whether so many may not run; to be told of every look."""
        if limit is None:
            self.allowed = None
            return False
        before = running if self.allowed is None else self.allowed
        self.allowed = max(limit, min(before, running))
        return running > max(limit, before)


@dataclass
class Observer:
    """`with Observer(url) as seen`: looks until the end; `broken` has what was wrong.

    With a `peer`, the id of a DBOS executor: `theirs` has what that one alone, or with a claim at the same
    moment, did. It claims by a snapshot and takes no lock that others would meet, so nobody can prevent it.
    """

    url: str
    peer: str | None = None
    looks: int = 0
    broken: list[str] = field(default_factory=list)
    theirs: list[str] = field(default_factory=list)
    first_start: dict[str, int] = field(default_factory=dict)
    starts: set[tuple[str, int]] = field(default_factory=set)
    peer_starts: dict[tuple[str, int], float] = field(default_factory=dict)  # and when each was seen first
    ceilings: dict[str, Ceiling] = field(default_factory=lambda: defaultdict(Ceiling))
    before: dict[str, set[str]] = field(default_factory=dict)

    def __enter__(self) -> Observer:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            while not self._over.wait(0.002):
                row = connection.execute(LOOK.encode()).fetchone()
                assert row is not None
                concurrency, partition, begun, starts, now = row
                self.note(concurrency, partition, [Begun(*each) for each in begun or ()])
                self._note_starts([Begun(*each) for each in begun or ()], starts or [], now)

    def note(self, concurrency: int | None, partition: int | None, begun: list[Begun]) -> None:
        """Judge one look."""
        self.looks += 1
        running = [row for row in begun if row.status == "PENDING"]
        self._hold("the queue", concurrency, running)
        for key in {row.key for row in running} | {key for key in self.ceilings if key != "the queue"}:
            self._hold(str(key), partition, [row for row in running if row.key == key])

    def _hold(self, what: str, limit: int | None, running: list[Begun]) -> None:
        ids = {row.workflow_id for row in running}
        new = ids - self.before.get(what, set())
        self.before[what] = ids
        if not self.ceilings[what].is_broken(limit, len(running)):
            return
        line = f"{what} ran {len(running)}, limit {limit}, at look {self.looks}"
        if self.peer in {row.executor_id for row in running if row.workflow_id in new}:
            self.theirs.append(line)
            self.ceilings[what].allowed = len(running)  # these may end
        else:
            self.broken.append(line)

    def _note_starts(self, begun: list[Begun], starts: list[Any], now: float) -> None:
        self.starts |= {(workflow_id, at) for workflow_id, at in starts}
        for row in begun:
            if row.executor_id == self.peer:
                self.peer_starts.setdefault((row.workflow_id, row.at), now)
        for workflow_id, at in [(row.workflow_id, row.at) for row in begun] + list(starts):
            self.first_start[workflow_id] = min(at, self.first_start.get(workflow_id, at))
