"""Histories of a queue that processes of ours and a real DBOS process serve as one application.

Seen from outside all the time: no limit is exceeded through us. DBOS claims by a snapshot and locks only what
it takes, so it can exceed a limit by itself when more urgent work arrives; what it did is told apart. In the
end nothing is lost and nothing doubled, whoever was killed. `DURABLY_HISTORIES=50` makes up more of them.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import ExitStack
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from durably import AsyncDBOSClient, RateLimit
from tests.engine.support import eventually, rows
from tests.interop import harness
from tests.queues.observer import Begun, Observer
from tests.queues.test_histories import NOT_OVER, RISING, Executor, History, nothing_is_lost_or_doubled, ours
from tests.support.databases import Databases

MANY = int(os.environ.get("DURABLY_HISTORIES", "1"))
PROCESSES = 2  # of ours
LIMITER = RateLimit(limit=12, period=1.0)
SLACK = 50.0  # ms between what a claim of ours sees and the instant that it writes
TURNS = 2  # that DBOS's process has, at least, in a history
BUSY = "SELECT count(*) FROM dbos.workflow_status WHERE executor_id = 'peer' AND status = 'PENDING'"

ENQUEUE = st.tuples(st.just("enqueue"), st.integers(5, 20), st.sampled_from([0, 1, RISING, RISING]))
KILL = st.tuples(st.just("kill"), st.integers(0, PROCESSES - 1))
CONCURRENCY_ACTIONS = st.lists(
    st.one_of(ENQUEUE, KILL, st.tuples(st.just("kill peer")), st.tuples(st.just("limit"), st.integers(1, 5))),
    min_size=3,
    max_size=6,
)
RATE_ACTIONS = st.lists(st.one_of(ENQUEUE, KILL), min_size=2, max_size=4)
HISTORIES = settings(
    max_examples=MANY,
    deadline=None,
    derandomize=MANY == 1,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.timeout(240)
@HISTORIES
@given(concurrency=st.integers(1, 5), actions=CONCURRENCY_ACTIONS)
def test_no_history_with_dbos_breaks_a_limit_through_us(
    databases: Databases, concurrency: int, actions: list[tuple[Any, ...]]
) -> None:
    live(databases, {"concurrency": concurrency}, actions)


@pytest.mark.timeout(240)
@HISTORIES
@given(actions=RATE_ACTIONS)
def test_no_history_with_dbos_breaks_a_rate_through_us(
    databases: Databases, actions: list[tuple[Any, ...]]
) -> None:
    the_rate_is_kept(live(databases, {"limiter": LIMITER}, actions), LIMITER)


def live(databases: Databases, limits: dict[str, Any], actions: list[tuple[Any, ...]]) -> Observer:
    url = databases.migrated()
    try:
        return asyncio.run(_live(url, limits, actions))
    finally:
        databases.drop(url)


async def _live(url: str, limits: dict[str, Any], actions: list[tuple[Any, ...]]) -> Observer:
    with ExitStack() as exits:
        async with AsyncDBOSClient.create(system_database_url=url) as client:
            await client.register_queue("q", **limits, polling_interval_sec=0.03)
            executors = [ours(url) for _ in range(PROCESSES)]
            program = str(harness.PYTHON_DBOS / "histories.py")
            executors.append(Executor(harness.peer_python(), program, harness.uri(url)))
            for executor in executors:
                exits.callback(executor.end)
            for executor in executors:
                executor.wait_until_ready()
            seen = exits.enter_context(Observer(url, peer="peer"))
            history = History(client, executors, limits, milliseconds=50)
            for action in [("enqueue", 10, 0), ("enqueue", 10, RISING), *actions]:
                await history.act(action)
            for _ in range(TURNS):
                await peers_turn(url, history)
            await eventually(lambda: rows(url, NOT_OVER)[0][0] == 0, seconds=100)
            by_peer = rows(url, "SELECT count(*) FROM dbos.workflow_status WHERE executor_id = 'peer'")[0][0]
    assert TURNS <= by_peer < history.enqueued
    assert seen.broken == [], (seen.broken, seen.theirs)
    assert seen.looks > 50
    nothing_is_lost_or_doubled(url, history.enqueued)
    return seen


async def peers_turn(url: str, history: History) -> None:
    """Let DBOS's process take some of a backlog, the rest of which ours find when that has begun."""
    await eventually(
        lambda: rows(url, NOT_OVER)[0][0] == 0, seconds=60
    )  # ours would stand still with a place
    with ExitStack() as suspended:
        for executor in history.executors[:-1]:
            suspended.enter_context(executor.suspended())
        await history.act(("enqueue", 12, 0))
        await eventually(lambda: rows(url, BUSY)[0][0], seconds=60)


def the_rate_is_kept(seen: Observer, limiter: RateLimit) -> None:
    """At each start of ours: so many in the window before it, of ours and of DBOS's that could be seen."""
    period = float(limiter.period) * 1000  # type: ignore[arg-type]
    ours_ = sorted(at for _, at in seen.starts)
    for at in ours_:
        mine = sum(at - period < other <= at for other in ours_)
        peers = sum(
            at - period < start and first_seen < at - SLACK
            for (_, start), first_seen in seen.peer_starts.items()
        )
        assert mine + peers <= limiter.limit, (at, mine, peers)


def look(*running: tuple[str, str]) -> list[Begun]:
    return [Begun(workflow_id, "PENDING", None, 0, executor) for workflow_id, executor in running]


def test_who_exceeds_a_limit_is_told_apart() -> None:
    seen = Observer("", peer="peer")
    seen.note(1, None, look(("a", "us")))
    seen.note(1, None, look(("a", "us"), ("b", "peer")))
    assert (len(seen.theirs), len(seen.broken)) == (1, 0)
    seen.note(1, None, look(("a", "us"), ("b", "peer")))
    assert (len(seen.theirs), len(seen.broken)) == (1, 0)
    seen.note(1, None, look(("a", "us"), ("b", "peer"), ("c", "us")))
    assert (len(seen.theirs), len(seen.broken)) == (1, 1)
