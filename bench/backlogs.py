"""What a claim costs at backlogs of 10, 1,000 and 1,000,000: `python -m bench.backlogs [LARGEST]`.

Five workflows are claimed at a time, and their places filled again: milliseconds, median of 60. The backlogs
take turns, so that a slow moment of the machine meets all of them; `growth` compares the largest.
Then 1 to 8 processes claim from one queue for a while: workflows a second, of all of them together.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg

from durably.concurrency.world import RealWorld
from durably.core.ports import Claim, QueueRow
from durably.core.rota import Rota
from durably.engine.claims import STEPS
from durably.store import queues
from durably.store.database import Database
from durably.store.postgres import PostgresStore
from tests.support.databases import Databases
from tests.support.server import embedded_server

QUEUES = {
    "no limit": QueueRow(name="q"),
    "concurrency": QueueRow(name="q", concurrency=100),
    "rate": QueueRow(name="q", rate_limit_max=1_000_000, rate_limit_period_sec=1.0),
    "100 partitions": QueueRow(name="q", partition_concurrency=5),
    "one tenant's": QueueRow(name="q", partition_concurrency=5),
}
CONTENDED = {
    "no limit": QueueRow(name="q"),
    "concurrency": QueueRow(name="q", concurrency=1_000_000),
    "100 partitions": QueueRow(name="q", partition_concurrency=1_000_000),
}
BACKLOGS = (10, 1_000, 1_000_000)
CLAIMERS = (1, 2, 4, 8)
CLAIMED_BACKLOG = 200_000
SECONDS = 3.0
ROUNDS, MOST, BATCH = 60, 5, 25
FILL = """
    INSERT INTO dbos.workflow_status (
        workflow_uuid, name, status, queue_name, serialization, queue_partition_key)
    SELECT gen_random_uuid(), 'w', 'ENQUEUED', 'q', 'portable_json', n %% %s FROM generate_series(1, %s) n
"""
END = "UPDATE dbos.workflow_status SET status = 'SUCCESS' WHERE status = 'PENDING'"


class Claimer:
    """An executor that does nothing but claim."""

    def __init__(self, url: str, queue: QueueRow) -> None:
        self._queue = queue
        self._rota = Rota()
        self._claims = 0
        self._database = Database(url)
        self._store = PostgresStore(self._database, "a", RealWorld())

    async def open(self) -> None:
        """Connect, and register the queue."""
        await self._database.open()
        await queues.register(self._database, self._queue, application_name="a", on_conflict="always_update")

    async def claim(self, most: int) -> int:
        """Claim once, with the walk over partitions before it; how many there were."""
        self._claims += 1
        keys = await self._turns(most) if self._queue.partitioned else []
        claimed = await self._store.claim(
            Claim(
                queue_name="q",
                executor_id="e",
                application_name="a",
                app_version="v",
                owner=f"token-{self._claims}",
                most=most,
                runnable=["w\x1f\x1f"],
                formats=["portable_json"],
                limited=self._queue.limited,
                keys=keys,
            )
        )
        if keys:
            self._rota.served(workflow.queue_partition_key for workflow in claimed)
        return len(claimed)

    async def close(self) -> None:
        """Disconnect."""
        await self._database.close()

    async def _turns(self, most: int) -> list[str]:
        walked = await self._store.partitions("q", "a", after=self._rota.at, wanted=most + 1, most=STEPS)
        return self._rota.choose(walked, most=most, is_circle=len(walked) < STEPS)


async def measure(urls: list[str], queue: QueueRow) -> list[float]:
    """Milliseconds of the median claim in each of these databases."""
    claimers = [Claimer(url, queue) for url in urls]
    spent: list[list[float]] = [[] for _ in urls]
    for claimer in claimers:
        await claimer.open()
    for _ in range(ROUNDS):
        for url, claimer, times in zip(urls, claimers, spent, strict=True):
            began = time.perf_counter()
            assert await claimer.claim(MOST) == MOST
            times.append(time.perf_counter() - began)
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(END)
                connection.execute(FILL.encode(), (100, MOST))
    for claimer in claimers:
        await claimer.close()
    return [statistics.median(times) * 1000 for times in spent]


async def claim_for_a_while(url: str, kind: str) -> None:
    """One of many processes: says that it is ready, begins when told, prints how many it got."""
    claimer = Claimer(url, CONTENDED[kind])
    await claimer.open()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    end, many = time.monotonic() + SECONDS, 0
    while time.monotonic() < end:
        many += await claimer.claim(BATCH)
    await claimer.close()
    print(many, flush=True)


def contend(url: str, kind: str, processes: int) -> float:
    """Workflows a second that so many processes claim from one queue together."""
    command = [sys.executable, "-m", "bench.backlogs", "claimer", url, kind]
    started = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(processes)
    ]
    for process in started:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
    for process in started:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    return sum(int(process.communicate()[0]) for process in started) / SECONDS


def filled(databases: Databases, tenants: int, backlog: int) -> str:
    """A database with so much on its queue."""
    url = databases.migrated()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(FILL.encode(), (tenants, backlog))
        connection.execute("VACUUM ANALYZE dbos.workflow_status")
    return url


def show_backlogs(databases: Databases, largest: int) -> None:
    """Print what a claim costs."""
    backlogs = [n for n in BACKLOGS if n <= largest]
    print(f"{'one claim':16}", *(f"{n:>11,}" for n in backlogs), "     growth")
    for name, queue in QUEUES.items():
        urls = [filled(databases, 1 if name == "one tenant's" else 100, backlog) for backlog in backlogs]
        found = asyncio.run(measure(urls, queue))
        print(
            f"{name:16}", *(f"{each:8.2f} ms" for each in found), f"{found[-1] / found[0]:9.2f} x", flush=True
        )
        for url in urls:
            databases.drop(url)


def show_claimers(databases: Databases) -> None:
    """Print what many processes claim together."""
    print(f"\n{'claimers':16}", *(f"{n:>11}" for n in CLAIMERS))
    for kind in CONTENDED:
        found = []
        for processes in CLAIMERS:
            url = filled(databases, 100, CLAIMED_BACKLOG)
            found.append(contend(url, kind, processes))
            databases.drop(url)
        print(f"{kind:16}", *(f"{each:9,.0f}/s" for each in found), flush=True)


def main(largest: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="backlogs-") as home, embedded_server(Path(home)) as server:
        databases = Databases(server)
        show_backlogs(databases, largest)
        show_claimers(databases)


if __name__ == "__main__":
    if sys.argv[1:2] == ["claimer"]:
        asyncio.run(claim_for_a_while(*sys.argv[2:4]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else BACKLOGS[-1])
