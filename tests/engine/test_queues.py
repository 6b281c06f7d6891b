"""Queues: limits that several executors share, order, delays, deadlines."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from durably import aio
from durably.app import App
from tests.engine.support import enqueue, eventually, rows, status

RUNNING = "SELECT count(*) FROM dbos.workflow_status WHERE status = 'PENDING' AND queue_name = 'q'"


class Worker:
    """One executor of an application, with one queue and a workflow that notes its order."""

    def __init__(
        self,
        url: str,
        order: list[str],
        *,
        concurrency: int | None = None,
        worker_concurrency: int | None = None,
        body: Callable[[], None] = lambda: None,
    ) -> None:
        self.app = App("queues", system_database_url=url)
        self.queue = self.app.queue("q", concurrency=concurrency, worker_concurrency=worker_concurrency)
        self.running = self.most = 0

        @self.app.step(name="pause")
        async def pause() -> None:
            await asyncio.sleep(0.01)

        @self.app.workflow(name="note")
        async def note() -> None:
            order.append(aio.workflow_id())
            self.running += 1
            self.most = max(self.most, self.running)
            body()
            await pause()
            self.running -= 1

        @self.app.workflow(name="wait")
        async def wait() -> None:
            await aio.recv("never", timeout=None)


def ended(url: str, many: int) -> Callable[[], bool]:
    query = "SELECT count(*) FROM dbos.workflow_status WHERE status = 'SUCCESS'"
    return lambda: rows(url, query)[0][0] == many


async def test_executors_together_never_exceed_a_limit(database_url: str) -> None:
    """Three executors, rising priorities, and a view from outside at the beginning of each run."""
    seen: list[int] = []
    order: list[str] = []

    def look() -> None:
        seen.append(rows(database_url, RUNNING)[0][0])

    for n in range(40):
        enqueue(database_url, f"w{n:02}", "note", priority=40 - n)
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(3):
            worker = Worker(database_url, order, concurrency=2, body=look)
            await stack.enter_async_context(worker.app)
        await eventually(ended(database_url, 40), seconds=30)
    assert len(seen) == 40
    assert 1 <= max(seen) <= 2
    assert sorted(order) == [f"w{n:02}" for n in range(40)]


async def test_an_executor_keeps_to_its_own_limit(database_url: str) -> None:
    order: list[str] = []
    for n in range(12):
        enqueue(database_url, f"w{n:02}", "note")
    workers = [Worker(database_url, order, worker_concurrency=2) for _ in range(2)]
    async with workers[0].app, workers[1].app:
        await eventually(ended(database_url, 12))
    assert max(worker.most for worker in workers) <= 2


async def test_lower_priority_numbers_run_first_and_equal_ones_in_order(database_url: str) -> None:
    order: list[str] = []
    for workflow_id, priority, created in (("a", 2, 1), ("b", 1, 3), ("c", 1, 2), ("d", 0, 9), ("e", 2, 0)):
        enqueue(database_url, workflow_id, "note", priority=priority, created_at=created)
    async with Worker(database_url, order, concurrency=1).app:
        await eventually(ended(database_url, 5))
    assert order == ["d", "c", "b", "e", "a"]


async def test_a_delayed_workflow_waits_on_the_databases_clock(database_url: str) -> None:
    order: list[str] = []
    worker = Worker(database_url, order)
    async with worker.app:
        enqueue(database_url, "w", "note", queue="elsewhere")
        rows(
            database_url,
            "UPDATE dbos.workflow_status SET status = 'DELAYED', queue_name = 'q',"
            " delay_until_epoch_ms = extract(epoch FROM clock_timestamp()) * 1000 + 700",
        )
        await eventually(lambda: status(database_url, "w") == "SUCCESS")
    [[late]] = rows(
        database_url, "SELECT started_at_epoch_ms - delay_until_epoch_ms FROM dbos.workflow_status"
    )
    assert 0 <= late < 2500  # a pulse, an unannounced one at worst


async def test_a_deadline_ends_what_waits_in_a_queue_and_what_runs(database_url: str) -> None:
    order: list[str] = []
    worker = Worker(database_url, order, concurrency=1)
    in_a_while = (
        "UPDATE dbos.workflow_status SET workflow_deadline_epoch_ms = extract(epoch FROM now()) * 1000 + 300"
    )
    enqueue(database_url, "runs", "wait", priority=0)
    async with worker.app:
        await eventually(lambda: status(database_url, "runs") == "PENDING")
        enqueue(database_url, "queued", "wait", priority=1)
        rows(database_url, in_a_while)
        await eventually(
            lambda: status(database_url, "runs") == status(database_url, "queued") == "CANCELLED"
        )
        await eventually(lambda: not worker.app._engine_running().executor.running)
        enqueue(database_url, "next", "note")
        await eventually(lambda: status(database_url, "next") == "SUCCESS")


async def test_a_timeout_counts_from_the_claim(database_url: str) -> None:
    worker = Worker(database_url, [])
    enqueue(database_url, "w", "wait", workflow_timeout_ms=300)
    async with worker.app:
        await eventually(lambda: status(database_url, "w") == "CANCELLED")
    [[timeout]] = rows(
        database_url, "SELECT workflow_deadline_epoch_ms - created_at FROM dbos.workflow_status"
    )
    assert timeout >= 300


async def test_a_queue_that_is_new_is_served_without_a_restart(database_url: str) -> None:
    worker = Worker(database_url, [])
    async with worker.app:
        rows(
            database_url,
            "INSERT INTO dbos.queues (name, application_name, priority_enabled, polling_interval_sec)"
            " VALUES ('fresh', 'queues', true, 1)",
        )
        enqueue(database_url, "w", "note", queue="fresh")
        await eventually(lambda: status(database_url, "w") == "SUCCESS")
