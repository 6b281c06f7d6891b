"""Row 32, the soak: kills, freezes, resets, restarts, wrong clocks and a storm together."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from durably.errors import WorkflowError
from tests.faults import history
from tests.faults.cluster import Cluster
from tests.faults.fleet import Fleet, Worker
from tests.faults.ledger import Ledger
from tests.faults.load import Load
from tests.faults.proxy import Proxy
from tests.faults.table import Table
from tests.support.databases import Databases
from tests.support.server import Server

WORKERS = 5
LIMIT = 2  # of the queue `few`
QUEUES: dict[str, int | None] = {"q": None, "few": LIMIT}


@dataclass
class Soak:
    """The system under test and the hands that harm it."""

    fleet: Fleet
    cluster: Cluster
    proxy: Proxy
    chance: random.Random
    workers: list[Worker] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)

    def launch(self, *, ready: bool = True) -> None:
        number = len(self.fleet.workers)
        clock = self.chance.choice((-3600.0, 0.0, 0.0, 3600.0))
        options: dict[str, Any] = {"host": f"machine-{number}", "clock": clock, "queues": QUEUES}
        self.workers.append(self.fleet.launch(url=self.proxy.url, ready=ready, **options))

    def take(self) -> Worker:
        return self.workers.pop(self.chance.randrange(len(self.workers)))

    def kill(self) -> None:
        self.fleet.kill(self.take())
        self.launch()

    def restart(self) -> None:
        worker = self.take()
        worker.terminate()
        self.fleet.ledger.note("fault", value=worker.pid)
        self.launch()

    def freeze(self) -> None:
        """For longer than its lease."""
        worker = self.chance.choice(self.workers)
        self.fleet.ledger.note("fault", value=worker.pid)
        worker.freeze()
        threading.Event().wait(4.5)
        worker.thaw()

    def reset(self) -> None:
        self.proxy.cut_all()

    def restart_server(self) -> None:
        self.cluster.stop(self.chance.choice(("fast", "immediate")))
        self.cluster.start()

    def harm_until(self, end: float) -> None:
        pause = threading.Event()
        harms: tuple[Callable[[], None], ...] = (
            self.kill, self.restart, self.freeze, self.reset, self.reset, self.restart_server,
        )  # fmt: skip
        while time.monotonic() < end:
            harm = self.chance.choice(harms)
            harm()
            self.done[harm.__name__] += 1
            pause.wait(self.chance.uniform(0.2, 2.0))


@pytest.fixture
def soak(ledger: Ledger, first_seed: int) -> Iterator[Soak]:
    with Cluster() as cluster:
        fleet = Fleet(Databases(Server(cluster.url, is_embedded=False)).migrated(), ledger)
        with Proxy(fleet.url) as proxy:
            soak = Soak(fleet, cluster, proxy, random.Random(first_seed))
            try:
                yield soak
            finally:
                fleet.stop()


def test_everything_at_once(soak: Soak, soak_seconds: float, first_seed: int, table: Table) -> None:
    """Nothing is lost, bad or over its limit, and all has ended 60 s after the faults stop."""
    fleet = soak.fleet
    for _ in range(WORKERS):
        soak.launch(ready=False)
    for worker in soak.workers:
        worker.wait_ready()
    over = threading.Event()
    stormed: set[str] = set()
    with (
        Load(fleet, "climb", 4, 0.1, pace=0.05, prefix="load-q") as load,
        Load(fleet, "climb", 2, 0.1, pace=0.4, queues=("few",), prefix="load-few"),
        storm(fleet, load, stormed, over),
    ):
        soak.harm_until(time.monotonic() + soak_seconds)
    resume_all(fleet)
    quiet = fleet.wait_until_idle(60)
    events = fleet.ledger.events()
    report = history.check(history.read(fleet.url, events))
    few = [one for one in events if one.kind == "fault" or one.workflow_id.startswith("load-few")]
    limited = history.Report()
    history.check_limit(few, LIMIT, limited)
    report = replace(report, redone=[one for one in report.redone if one.split()[0] not in stormed])
    table.add(
        32,
        f"soak: {WORKERS} workers, all faults together",
        goal="0 lost, 0 bad, 0 over limit, all ended 60 s after the faults stop",
        figures=f"{soak_seconds:g} s, seed {first_seed}: {dict(soak.done)}, {len(stormed)} stormed; "
        f"{report.workflows} workflows: {len(report.problems)} problems, {len(limited.over)} over the limit, "
        f"all ended {quiet:.1f} s after the faults",
    )
    assert report.problems == []
    assert limited.over == []


@contextlib.contextmanager
def storm(fleet: Fleet, load: Load, stormed: set[str], over: threading.Event) -> Iterator[None]:
    """Meanwhile a client cancels and resumes what was asked for lately."""

    def contradict() -> None:
        chance = random.Random(0)
        with fleet.client() as client:
            while not over.wait(0.1):
                for id_ in load.ids[-20:][:1]:
                    stormed.add(id_)
                    act = client.cancel_workflow if chance.random() < 0.5 else client.resume_workflow
                    with contextlib.suppress(WorkflowError):
                        act(id_)

    thread = threading.Thread(target=contradict)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def resume_all(fleet: Fleet) -> None:
    """What the storm left cancelled goes on."""
    with fleet.client() as client:
        for [id_] in fleet.rows("SELECT workflow_uuid FROM dbos.workflow_status WHERE status = 'CANCELLED'"):
            client.resume_workflow(id_)
