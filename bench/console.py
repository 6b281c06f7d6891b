"""How long the console's pages take on a large database: `make bench-console` (RUNS=1000000).

Every page is asked for again and again by one client, through the ASGI application and a real database that
`tests.console.million` fills. The goal is 100 ms at the 95th percentile. `cpu` is what this process computed
of a request (Python, ASGI, the client's reading): it says also on a loaded machine what is the console's own.

A database that `python -m tests.console.million` has filled already is measured with `--url`.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path

import httpx

from durably.console import Console
from tests.console.million import fill
from tests.support.databases import Databases
from tests.support.server import embedded_server

GOAL = 100.0  # milliseconds at the 95th percentile
ROUNDS = 40

PAGES = (
    "/",
    "/?span=24h",
    "/?span=7d",
    "/runs",
    "/runs?status=ERROR",
    "/runs?status=PENDING",
    "/queues",
    "/schedules",
    "/executors",
    "/versions",
    "/dead",
    "/start",
    "/storage",
    "/audit",
    "/metrics",
    "/run?id=run-00000500",
    "/run?id=LONG",  # 10,000 steps
    "/run?id=LONG&after=5000",
)


def main() -> None:
    """Fill a database, measure, print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--url", help="a system database that `python -m tests.console.million` has filled")
    options = parser.parse_args()
    if options.url is not None:
        return asyncio.run(_measure(options.url, options.runs))
    with tempfile.TemporaryDirectory() as home, embedded_server(Path(home)) as server:
        url = Databases(server).migrated()
        fill(url, options.runs)
        asyncio.run(_measure(url, options.runs))


async def _measure(url: str, runs: int) -> None:
    console = Console(system_database_url=url)
    transport = httpx.ASGITransport(app=console)
    async with httpx.AsyncClient(transport=transport, base_url="http://console", timeout=60) as browser:
        print(f"{runs:,} runs; milliseconds of {ROUNDS} requests; goal: p95 <= {GOAL:.0f}\n")
        print(f"| {'page':<40} | p50 | p95 | cpu | |\n| --- | ---: | ---: | ---: | --- |")
        longest = f"run-{runs - 11:08d}"  # one of those with 10,000 steps
        for page in (page.replace("LONG", longest) for page in PAGES):
            taken = [await _time(browser, page) for _ in range(ROUNDS + 1)][1:]  # the first one warms up
            times, cpu = [each[0] for each in taken], statistics.median(each[1] for each in taken)
            p50, p95 = statistics.median(times), statistics.quantiles(times, n=20)[-1]
            missed = "" if p95 <= GOAL else "missed"
            print(f"| {page[:40]:<40} | {p50:.0f} | {p95:.0f} | {cpu:.0f} | {missed} |", flush=True)
    await console.aclose()


async def _time(browser: httpx.AsyncClient, page: str) -> tuple[float, float]:
    """Milliseconds until the page is there, and those that this process computed."""
    began, computed = time.perf_counter(), time.process_time()
    answer = await browser.get(page)
    took = ((time.perf_counter() - began) * 1000, (time.process_time() - computed) * 1000)
    assert answer.status_code == 200, (page, answer.status_code)
    return took


if __name__ == "__main__":
    main()
