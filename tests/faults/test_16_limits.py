"""Rows 16 to 19: limits of queues under competition, held by the dead, per second; and one of each kind."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from durably import DBOSClient, EnqueueOptions, RateLimit
from durably.errors import Deduplicated
from tests.faults import history
from tests.faults.fleet import Fleet
from tests.faults.table import Table

LEASE = 3.0


@pytest.mark.timeout(300)
@pytest.mark.parametrize("limit", [1, 3])
def test_a_limit_is_never_exceeded(limit: int, fleet: Fleet, is_full: bool, table: Table) -> None:
    """Workers on machines of their own compete; one is killed; priorities differ, and rise."""
    size, many = (8, 400) if is_full else (3, 30)
    queues = {"q": None, "few": limit}
    workers = [fleet.launch(host=f"m{n}", queues=queues, ready=False) for n in range(size)]
    for worker in workers:
        worker.wait_ready()
    with fleet.client() as client:
        for number in range(many):
            priority = number % 7 + 1
            fleet.ask_with(client, "climb", 2, 0.02, id=f"w{number}", queue="few", priority=priority)
            if number == many // 2:
                fleet.kill(workers.pop())
    took = fleet.wait_until_idle(240)
    events = fleet.ledger.events()
    report = history.check(history.read(fleet.url, events), limit=limit)
    table.add(
        16,
        f"a limit of {limit}, {size} workers compete, one is killed",
        goal="never over it",
        figures=f"{many} workflows in {took:.1f} s: {len(report.over)} times over, "
        f"{len(report.problems)} problems",
    )
    assert report.problems == []


def test_a_place_held_by_the_dead_is_given_back(fleet: Fleet, table: Table) -> None:
    queues = {"few": 1}
    dies = fleet.launch(host="a", queues=queues)
    fleet.ask("lingers", id="held", queue="few")
    fleet.begun("held")
    fleet.launch(host="b", queues=queues)
    killed = fleet.kill(dies)
    fleet.begun("held", times=2)
    seconds = time.monotonic() - killed
    fleet.ask("ladder", id="next", queue="few")
    fleet.wait_until_idle(20)
    table.add(
        17, "a limit of 1, held by the dead", goal="given back <= lease + 2 s", figures=f"{seconds:.1f} s"
    )
    assert seconds <= LEASE + 2


@pytest.mark.timeout(120)
@pytest.mark.parametrize("kill", [False, True], ids=["all live", "one is killed"])
def test_a_rate_is_kept(kill: bool, fleet: Fleet, is_full: bool, table: Table) -> None:
    """Starts as they are recorded, by the database's clock, in every window of a period."""
    most, period = 10, 1.0
    many = 100 if is_full else 40
    with fleet.client() as client:
        client.register_queue("slow", limiter=RateLimit(most, period))
        workers = [fleet.launch(host=f"m{n}", ready=False, queues={"q": None}) for n in range(3)]
        for worker in workers:
            worker.wait_ready()
        for number in range(many):
            fleet.ask_with(client, "ladder", 1, id=f"w{number}", queue="slow")
    if kill:
        fleet.until(lambda: fleet.ledger.count("begin") >= many // 4, 30)
        fleet.kill(workers.pop())
    fleet.wait_until_idle(90)
    starts = sorted(at for [at] in fleet.rows("SELECT started_at_epoch_ms FROM dbos.workflow_status"))
    worst = max(sum(at <= other < at + period * 1000 for other in starts) for at in starts)
    table.add(
        18,
        f"{most} starts a second, {'one of 3 workers killed' if kill else '3 workers'}",
        goal="exact on claims",
        figures=f"{many} workflows: {worst} at most in any second",
    )
    assert worst <= most


def test_one_holder_of_each_deduplication_id(fleet: Fleet, is_full: bool, table: Table) -> None:
    """Thirty-two callers want each id at one moment."""
    callers, rounds = 32, 1000 if is_full else 20
    together = threading.Barrier(callers)

    def ask(client: DBOSClient) -> int:
        made = 0
        for turn in range(rounds):
            together.wait(60)
            options = EnqueueOptions(workflow_name="ladder", queue_name="q", deduplication_id=f"d{turn}")
            try:
                client.enqueue(options)
            except Deduplicated:
                continue
            made += 1
        return made

    with fleet.client() as first, fleet.client() as second, ThreadPoolExecutor(callers) as pool:
        made = sum(pool.map(ask, [first, second] * (callers // 2)))
    rows = len(fleet.rows("SELECT 1 FROM dbos.workflow_status"))
    table.add(
        19,
        f"{callers} callers want each deduplication id",
        goal="exact: one each",
        figures=f"{rounds} rounds: {made} accepted, {rows} rows",
    )
    assert made == rows == rounds
