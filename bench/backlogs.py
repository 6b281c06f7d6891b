"""What a claim costs at backlogs of 10, 1,000 and 1,000,000: `python -m bench.backlogs [LARGEST]`.

Five workflows are claimed at a time, and their places filled again; milliseconds, median of 40.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

import psycopg

from durably.concurrency.world import RealWorld
from durably.core.ports import Claim, QueueRow
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
BACKLOGS = (10, 1_000, 1_000_000)
ROUNDS, MOST = 40, 5
FILL = """
    INSERT INTO dbos.workflow_status (
        workflow_uuid, name, status, queue_name, serialization, queue_partition_key)
    SELECT gen_random_uuid(), 'w', 'ENQUEUED', 'q', 'portable_json', n %% %s FROM generate_series(1, %s) n
"""
END = "UPDATE dbos.workflow_status SET status = 'SUCCESS' WHERE status = 'PENDING'"


async def measure(url: str, queue: QueueRow) -> float:
    """Milliseconds of the median claim, with the walk over partitions before it."""
    database, spent = Database(url), []
    await database.open()
    await queues.register(database, queue, application_name="a", on_conflict="always_update")
    store = PostgresStore(database, "a", RealWorld())
    for round_ in range(ROUNDS):
        began = time.perf_counter()
        keys = []
        if queue.partitioned:
            walked = await store.partitions("q", "a", after="", most=STEPS)
            keys = [key for key, has_room in walked if has_room][:MOST]
        claimed = await store.claim(
            Claim(
                queue_name="q",
                executor_id="e",
                application_name="a",
                app_version="v",
                owner=f"token-{round_}",
                most=MOST,
                runnable=["w\x1f\x1f"],
                formats=["portable_json"],
                limited=queue.limited,
                keys=keys,
            )
        )
        spent.append(time.perf_counter() - began)
        assert len(claimed) == MOST, len(claimed)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(END)
            connection.execute(FILL.encode(), (100, MOST))
    await database.close()
    return statistics.median(spent) * 1000


def main(largest: int) -> None:
    with tempfile.TemporaryDirectory(prefix="backlogs-") as home, embedded_server(Path(home)) as server:
        databases = Databases(server)
        print(f"{'queue':16}", *(f"{n:>11,}" for n in BACKLOGS if n <= largest))
        for name, queue in QUEUES.items():
            found = []
            for backlog in (n for n in BACKLOGS if n <= largest):
                url = databases.migrated()
                with psycopg.connect(url, autocommit=True) as connection:
                    tenants = 1 if name == "one tenant's" else 100
                    connection.execute(FILL.encode(), (tenants, backlog))
                    connection.execute("VACUUM ANALYZE dbos.workflow_status")
                found.append(asyncio.run(measure(url, queue)))
                databases.drop(url)
            print(f"{name:16}", *(f"{each:8.2f} ms" for each in found), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else BACKLOGS[-1])
