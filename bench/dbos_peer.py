"""The real `dbos` 3.4.0 as a contender, in its best documented configuration (or `default`).

Run by the peers' interpreter: `python bench/dbos_peer.py tuned|default WORKLOAD URL N`.
"""
# mypy: ignore-errors

from __future__ import annotations

import json
import sys
import time
from typing import Any

from dbos import DBOS, DBOSClient

VARIANT, WORKLOAD, URL, N = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
TUNED = VARIANT == "tuned"
QUEUE = "bench"
ENQUEUE: Any = {"workflow_name": "one_step", "queue_name": QUEUE}

CONFIG: Any = {"name": "bench", "system_database_url": URL, "log_level": "ERROR"}
if TUNED:
    CONFIG |= {"max_executor_threads": 8, "sys_db_polling_concurrency": 0}


@DBOS.step(name="add")
def add(a: int, b: int) -> int:
    return a + b


@DBOS.workflow(name="one_step")
def one_step(number: int) -> int:
    return add(number, 1)


@DBOS.workflow(name="many_steps")
def many_steps(count: int) -> int:
    total = 0
    for number in range(count):
        total = add(total, number)
    return total


def launch() -> None:
    DBOS(config=CONFIG)
    DBOS.launch()
    options: Any = {"polling_interval_sec": 0.02, "worker_concurrency": 100} if TUNED else {}
    DBOS.register_queue(QUEUE, **options)


def client() -> DBOSClient:
    options: Any = {"use_listen_notify": True, "system_database_pool_size": 20} if TUNED else {}
    return DBOSClient(system_database_url=URL, **options)


def drain() -> float:
    launch()
    DBOS.destroy()
    with_client = client()
    for number in range(N):
        with_client.enqueue(ENQUEUE, number)
    launch()
    while with_client.list_workflows(status=["ENQUEUED", "PENDING"], limit=1, load_input=False):
        time.sleep(0.1)
    ended = with_client.list_workflows(status=["SUCCESS"], load_input=False, load_output=False)
    took = max(w.completed_at or 0 for w in ended) - min(w.dequeued_at or 1 << 62 for w in ended)
    return len(ended) / (took / 1000)


def steps() -> float:
    launch()
    [handle.get_result() for handle in [DBOS.start_workflow(many_steps, 5) for _ in range(4)]]
    began = time.perf_counter()
    handles = [DBOS.start_workflow(many_steps, N // 40) for _ in range(40)]
    for handle in handles:
        handle.get_result(polling_interval_sec=0.01)
    return N / (time.perf_counter() - began)


def serial() -> float:
    launch()
    many_steps(20)
    began = time.perf_counter()
    many_steps(N)
    return N / (time.perf_counter() - began)


def latency() -> float:
    launch()
    with_client = client()
    samples = []
    for number in range(N + 3):
        time.sleep(0.02)
        began = time.perf_counter()
        with_client.enqueue(ENQUEUE, number).get_result(polling_interval_sec=0.01 if TUNED else 1.0)
        samples.append((time.perf_counter() - began) * 1000)
    return sorted(samples[3:])[N // 2]


def enqueue() -> float:
    launch()
    DBOS.destroy()
    with_client = client()
    for number in range(10):
        with_client.enqueue(ENQUEUE, number)
    began = time.perf_counter()
    for number in range(N):
        with_client.enqueue(ENQUEUE, number)
    return N / (time.perf_counter() - began)


WORKLOADS = {"drain": drain, "steps": steps, "serial": serial, "latency": latency, "enqueue": enqueue}

if __name__ == "__main__":
    print(json.dumps({"value": WORKLOADS[WORKLOAD]()}), flush=True)
    import os

    os._exit(0)  # its threads would keep the process for a while
