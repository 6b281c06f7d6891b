"""Histories of queues, made up at random: several processes, some killed, pauses, limits that change.

Seen from outside all the time: no limit exceeded. In the end: nothing lost, nothing doubled, in order.
`DURABLY_HISTORIES=50` makes up more of them.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from durably import AsyncDBOSClient, EnqueueOptions, RateLimit
from tests.engine.support import eventually, rows
from tests.queues.observer import Ceiling, Observer
from tests.support.databases import Databases

MANY = int(os.environ.get("DURABLY_HISTORIES", "3"))
PROCESSES = 3
RISING = -1  # each more urgent than the one before: the feed that breaks limits of DBOS
NOT_OVER = "SELECT count(*) FROM dbos.workflow_status WHERE status <> 'SUCCESS'"

LIMITS = st.fixed_dictionaries(
    {"concurrency": st.integers(1, 5)},
    optional={
        "partition_concurrency": st.just(1),
        "limiter": st.just(RateLimit(limit=10, period=0.5)),
    },
)
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("enqueue"), st.integers(5, 25), st.sampled_from([0, 1, 2, RISING, RISING])),
        st.tuples(st.just("limit"), st.integers(1, 5)),
        st.tuples(st.just("kill"), st.integers(0, PROCESSES - 1)),
        st.tuples(st.just("pause")),
        st.tuples(st.just("resume")),
    ),
    min_size=4,
    max_size=8,
)


class Executor:
    """One process of the application."""

    def __init__(self, *command: str) -> None:
        self._command = command
        self._start()

    def _start(self) -> None:
        self.process = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True)

    def wait_until_ready(self) -> None:
        assert self.process.stdout is not None
        assert "ready\n" in self.process.stdout

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """It stands still meanwhile."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def replace(self) -> None:
        """Kill it, and start another."""
        self.end()
        self._start()

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


def ours(url: str) -> Executor:
    """A process of ours."""
    return Executor(sys.executable, "-m", "tests.queues.program", url)


@dataclass
class History:
    """What is done to the queue, and to those that serve it."""

    client: AsyncDBOSClient
    executors: list[Executor]
    limits: dict[str, Any]
    enqueued: int = 0
    milliseconds: int = 20  # that a workflow takes

    def peer(self) -> Executor:
        """The executor that is DBOS's, where there is one."""
        return self.executors[-1]

    async def act(self, action: tuple[Any, ...]) -> None:
        match action:
            case ("enqueue", many, priority):
                await self._enqueue(many, priority)
            case ("limit", concurrency):
                await self.client.update_queue("q", concurrency=concurrency)
            case ("kill", number):
                self.executors[number].replace()
            case ("kill peer",):
                self.peer().replace()
            case ("pause",):
                await self.client.pause_queue("q")
            case _:
                await self.client.resume_queue("q")
        await asyncio.sleep(0.1)  # a history has some length; nothing is waited for

    async def _enqueue(self, many: int, priority: int) -> None:
        for n in range(many):
            self.enqueued += 1
            options: EnqueueOptions[..., Any] = EnqueueOptions(
                workflow_name="job",
                queue_name="q",
                workflow_id=f"{self.enqueued:04}",
                priority=(many - n if priority == RISING else priority) or None,
                queue_partition_key=f"k{n % 4}" if "partition_concurrency" in self.limits else None,
            )
            await self.client.enqueue(options, self.milliseconds)


@settings(
    max_examples=MANY,
    deadline=None,
    derandomize=MANY <= 3,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(limits=LIMITS, actions=ACTIONS)
def test_no_history_breaks_a_limit_or_loses_work(
    databases: Databases, limits: dict[str, Any], actions: list[tuple[Any, ...]]
) -> None:
    url = databases.migrated()
    try:
        asyncio.run(_live(url, limits, actions))
    finally:
        databases.drop(url)


async def _live(url: str, limits: dict[str, Any], actions: list[tuple[Any, ...]]) -> None:
    with ExitStack() as exits:
        async with AsyncDBOSClient.create(system_database_url=url) as client:
            await client.register_queue("q", **limits)
            executors = [ours(url) for _ in range(PROCESSES)]
            for executor in executors:
                exits.callback(executor.end)
            for executor in executors:
                executor.wait_until_ready()
            seen = exits.enter_context(Observer(url))
            history = History(client, executors, limits)
            for action in [("enqueue", 10, 0), ("enqueue", 20, RISING), *actions, ("resume",)]:
                await history.act(action)
            await eventually(lambda: rows(url, NOT_OVER)[0][0] == 0, seconds=60)
    assert seen.broken == []
    assert seen.looks > 50
    nothing_is_lost_or_doubled(url, history.enqueued)
    _order_is_kept(url, seen)
    if "limiter" in limits:
        _the_rate_is_kept(seen, limits["limiter"])


def nothing_is_lost_or_doubled(url: str, enqueued: int) -> None:
    assert rows(url, "SELECT count(*) FROM dbos.workflow_status WHERE status = 'SUCCESS'") == [(enqueued,)]
    assert rows(url, "SELECT count(*) FROM dbos.workflow_output WHERE output IS NOT NULL") == [(enqueued,)]
    steps = "SELECT count(*), count(DISTINCT workflow_uuid) FROM dbos.operation_outputs"
    assert rows(url, steps) == [(enqueued, enqueued)]


def _order_is_kept(url: str, seen: Observer) -> None:
    """First in, first out, within a priority and a partition."""
    order = (
        "SELECT workflow_uuid, priority, queue_partition_key FROM dbos.workflow_status ORDER BY workflow_uuid"
    )
    lines: dict[tuple[int, str | None], list[int]] = defaultdict(list)
    for workflow_id, priority, key in rows(url, order):
        lines[priority, key].append(seen.first_start[workflow_id])
    assert all(line == sorted(line) for line in lines.values()), lines


def _the_rate_is_kept(seen: Observer, limiter: RateLimit) -> None:
    starts = sorted(at for _, at in seen.starts)
    period = float(limiter.period) * 1000  # type: ignore[arg-type]
    for first, beyond in zip(starts, starts[limiter.limit :], strict=False):
        assert beyond - first >= period


@pytest.mark.parametrize(
    ("looks", "broken"),
    [
        ([(2, 2), (2, 1), (2, 2)], False),
        ([(2, 2), (2, 3)], True),
        ([(4, 4), (2, 4), (2, 3)], False),
        ([(4, 4), (2, 3), (2, 4)], True),
        ([(None, 9), (2, 9), (2, 8)], False),
    ],
)
def test_a_limit_that_is_exceeded_would_be_seen(looks: list[tuple[int | None, int]], broken: bool) -> None:
    ceiling = Ceiling()
    assert any(ceiling.is_broken(limit, running) for limit, running in looks) == broken
