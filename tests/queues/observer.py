"""Looks at a queue from outside, all the time, and notes what must never be seen."""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import psycopg

LOOK = """
    SELECT q.concurrency, q.partition_concurrency, q.rate_limit_max, q.rate_limit_period_sec,
           (SELECT json_agg(json_build_array(
                s.workflow_uuid, s.status, s.queue_partition_key, s.started_at_epoch_ms))
            FROM dbos.workflow_status s WHERE s.queue_name = 'q' AND s.started_at_epoch_ms IS NOT NULL),
           (SELECT json_agg(json_build_array(t.workflow_uuid, t.started_at_epoch_ms))
            FROM durably.queue_starts t)
    FROM dbos.queues q WHERE q.name = 'q'
"""


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
    """`with Observer(url) as seen`: looks until the end; `broken` has what was wrong."""

    url: str
    looks: int = 0
    broken: list[str] = field(default_factory=list)
    first_start: dict[str, int] = field(default_factory=dict)
    starts: set[tuple[str, int]] = field(default_factory=set)
    ceilings: dict[str, Ceiling] = field(default_factory=lambda: defaultdict(Ceiling))

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
                self._note(*row)

    def _note(
        self,
        concurrency: int | None,
        partition: int | None,
        rate: int | None,
        period: float | None,
        begun: list[Any] | None,
        starts: list[Any] | None,
    ) -> None:
        self.looks += 1
        running = [row for row in begun or () if row[1] == "PENDING"]
        self._hold("the queue", concurrency, len(running))
        for key in {row[2] for row in running} | {key for key in self.ceilings if key != "the queue"}:
            self._hold(key, partition, sum(row[2] == key for row in running))
        self.starts |= {(workflow_id, at) for workflow_id, at in starts or ()}
        for workflow_id, at in [(row[0], row[3]) for row in begun or ()] + list(starts or ()):
            self.first_start[workflow_id] = min(at, self.first_start.get(workflow_id, at))

    def _hold(self, what: str, limit: int | None, running: int) -> None:
        if self.ceilings[what].is_broken(limit, running):
            self.broken.append(f"{what} ran {running}, limit {limit}, at look {self.looks}")
