"""durably as a contender: `python -m bench.ours async|def drain|steps|serial|latency|enqueue|bulk URL N`."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

from durably import App, EnqueueOptions
from durably.client import AsyncDBOSClient, DBOSClient

QUEUE = "bench"
ENQUEUE = EnqueueOptions(workflow_name="one_step", queue_name=QUEUE)


def application(url: str, colour: str) -> tuple[App, Any]:
    """An application in one colour, and its workflow of n steps. `one_step` runs one."""
    app = App("bench", system_database_url=url)
    app.queue(QUEUE)
    return (app, _async_workflows(app)) if colour == "async" else (app, _blocking_workflows(app))


def _async_workflows(app: App) -> Any:
    @app.step(name="add")
    async def add(a: int, b: int) -> int:
        return a + b

    @app.workflow(name="one_step")
    async def one_step(number: int) -> int:
        return await add(number, 1)

    @app.workflow(name="many_steps")
    async def many_steps(count: int) -> int:
        total = 0
        for number in range(count):
            total = await add(total, number)
        return total

    return many_steps


def _blocking_workflows(app: App) -> Any:
    @app.step(name="add")
    def add(a: int, b: int) -> int:
        return a + b

    @app.workflow(name="one_step")
    def one_step(number: int) -> int:
        return add(number, 1)

    @app.workflow(name="many_steps")
    def many_steps(count: int) -> int:
        total = 0
        for number in range(count):
            total = add(total, number)
        return total

    return many_steps


async def start_many(workflow: Any, times: int, count: int, colour: str) -> None:
    """Run the workflow so many times at once and wait for all."""
    if colour == "async":
        await asyncio.gather(*(workflow(count) for _ in range(times)))
        return
    handles = await asyncio.gather(*(asyncio.to_thread(workflow.start, count) for _ in range(times)))
    for handle in handles:
        await asyncio.to_thread(handle.get_result)


async def drain(url: str, n: int, colour: str) -> float:
    """One-step workflows per second, from the first that runs to the last that ended."""
    app, _ = application(url, colour)
    async with app:
        pass
    async with AsyncDBOSClient.create(system_database_url=url) as client:
        await client.enqueue_many([(ENQUEUE, (number,)) for number in range(n)])
        async with app:
            await until_idle(client)
    return await drained_rate(url)


async def until_idle(client: AsyncDBOSClient) -> None:
    """Wait until every workflow has ended."""
    from durably import WorkflowFilter

    active = WorkflowFilter(status=("ENQUEUED", "PENDING"))
    while await client.count_workflows(active):
        await asyncio.sleep(0.2)


async def drained_rate(url: str) -> float:
    """From the database: workflows over the time from the first claim to the last outcome."""
    import psycopg

    async with await psycopg.AsyncConnection.connect(url) as connection:
        cursor = await connection.execute(
            "SELECT count(*), max(completed_at) - min(started_at_epoch_ms) FROM dbos.workflow_status "
            "WHERE status = 'SUCCESS'"
        )
        row = await cursor.fetchone()
    assert row is not None
    return float(row[0] / (row[1] / 1000))


async def steps(url: str, n: int, colour: str) -> float:
    """Steps per second of 40 workflows at once, with n / 40 steps each."""
    app, many_steps = application(url, colour)
    async with app:
        await start_many(many_steps, 4, 5, colour)
        began = time.perf_counter()
        await start_many(many_steps, 40, n // 40, colour)
        return n / (time.perf_counter() - began)


async def serial(url: str, n: int, colour: str) -> float:
    """Steps per second of one workflow of n steps."""
    app, many_steps = application(url, colour)
    async with app:
        await start_many(many_steps, 1, 20, colour)
        began = time.perf_counter()
        await start_many(many_steps, 1, n, colour)
        return n / (time.perf_counter() - began)


async def latency(url: str, n: int, colour: str) -> float:
    """Median milliseconds from a client's enqueue to its result, the worker otherwise idle."""
    app, _ = application(url, colour)
    async with app, AsyncDBOSClient.create(system_database_url=url) as client:
        samples = []
        for number in range(n + 10):
            await asyncio.sleep(0.02)
            began = time.perf_counter()
            handle = await client.enqueue(ENQUEUE, number)
            await handle.get_result()
            samples.append((time.perf_counter() - began) * 1000)
    return sorted(samples[10:])[n // 2]


async def enqueue(url: str, n: int, colour: str) -> float:
    """Enqueues per second of one blocking caller, one by one."""
    await _create_schema(url)

    def run() -> float:
        with DBOSClient.create(system_database_url=url) as client:
            for number in range(20):
                client.enqueue(ENQUEUE, number)
            began = time.perf_counter()
            for number in range(n):
                client.enqueue(ENQUEUE, number)
            return n / (time.perf_counter() - began)

    return await asyncio.to_thread(run)


async def bulk(url: str, n: int, colour: str) -> float:
    """Enqueues per second with enqueue_many, 500 in a call."""
    await _create_schema(url)
    async with AsyncDBOSClient.create(system_database_url=url) as client:
        await client.enqueue_many([(ENQUEUE, (1,))] * 50)
        began = time.perf_counter()
        for _ in range(n // 500):
            await client.enqueue_many([(ENQUEUE, (1,))] * 500)
        return n / (time.perf_counter() - began)


async def _create_schema(url: str) -> None:
    async with App("bench", system_database_url=url):
        pass


WORKLOADS: dict[str, Callable[[str, int, str], Awaitable[float]]] = {
    "drain": drain,
    "steps": steps,
    "serial": serial,
    "latency": latency,
    "enqueue": enqueue,
    "bulk": bulk,
}


async def main() -> None:
    """Measure once and print one JSON line."""
    colour, workload, url, n = sys.argv[1:5]
    print(json.dumps({"value": await WORKLOADS[workload](url, int(n), colour)}))


if __name__ == "__main__":
    asyncio.run(main())
