"""Row 6: PostgreSQL restarts, crashes, or is down for a while, under load."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.faults import history
from tests.faults.cluster import Cluster
from tests.faults.fleet import Fleet
from tests.faults.ledger import Ledger
from tests.faults.load import Load
from tests.faults.table import Table
from tests.support.databases import Databases
from tests.support.server import Server


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster(max_connections="150") as cluster:  # twenty workers have some four each
        yield cluster


@pytest.fixture
def fleet(cluster: Cluster, ledger: Ledger, tmp_path: Path) -> Iterator[Fleet]:
    """Workers on the cluster that will fall."""
    fleet = Fleet(Databases(Server(cluster.url, is_embedded=False)).migrated(), ledger)
    yield fleet
    fleet.stop()


@pytest.mark.parametrize(
    ("what", "mode", "down"),
    [("restart", "fast", 0.0), ("crash", "immediate", 0.0), ("down", "immediate", 3.0)],
    ids=["restart", "crash", "down"],
)
def test_the_server_falls_under_load(
    fleet: Fleet, cluster: Cluster, what: str, mode: str, down: float, is_full: bool, table: Table
) -> None:
    """Nothing that was acknowledged is lost, and every worker is on again within 3 s."""
    times, size = (10, 20) if is_full else (2, 3)
    down = 60.0 if is_full and down else down
    if down:
        times = 1
    queues = [f"q{number}" for number in range(size)]  # one for each, so that all have work at all times
    every: dict[str, Any] = dict.fromkeys(queues)
    workers = [fleet.launch(ready=False, queues=every, listen_queues=[queue]) for queue in queues]
    for worker in workers:
        worker.wait_ready()
    slowest = 0.0
    with Load(fleet, "climb", 3, 0.05, pace=0.02, queues=queues):
        fleet.until(lambda: works_everywhere(fleet, 0.0, size), 20)
        for _ in range(times):
            cluster.stop(mode)
            threading.Event().wait(down)
            cluster.start()
            since = time.monotonic()
            slowest = max(slowest, fleet.until(partial(works_everywhere, fleet, since, size), 20))
    fleet.wait_until_idle(20)
    assert all(worker.lives for worker in workers)
    report = history.check(history.read(fleet.url, fleet.ledger.events()))
    told = fleet.ledger.count("told")
    table.add(
        6,
        f"PostgreSQL: {what}" + (f" for {down:g} s" if down else f", {times} times"),
        goal="0 lost, every worker on again <= 3 s",
        figures=f"{told} acknowledged, {len(report.problems)} problems, {report.repeated} bodies repeated, "
        f"all {size} workers on after {slowest:.1f} s",
    )
    assert report.problems == []
    assert slowest <= 3.0


def works_everywhere(fleet: Fleet, since: float, size: int) -> bool:
    """Whether each worker has begun a step since then."""
    pids = {event.pid for event in fleet.ledger.events() if event.kind == "begin" and event.at > since}
    return len(pids) >= size
