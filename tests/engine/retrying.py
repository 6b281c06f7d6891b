"""The application that test_workflow_retries starts in processes of its own, which end at a retry.

Arguments: the system database's URL, the colour, and when to end: `before` its commit, `after` it, `never`.
Each step whose body runs is printed, with the attempt; at the end the result.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from typing import Any

from durably import App, Retry, aio, sync
from durably.core.records import Record, TryAgain
from durably.store import batch, postgres

RULE = Retry(attempts=3, interval=0.05, backoff=1, jitter=0)


def build(url: str) -> App:
    app = App("retrying", system_database_url=url, grace=0)

    @app.step(name="pay")
    async def pay() -> int:
        print("pay", aio.context().retry_attempt, flush=True)
        return 42

    @app.step(name="ship")
    async def ship() -> str:
        print("ship", (attempt := aio.context().retry_attempt), flush=True)
        if attempt < 3:
            raise ConnectionError("no truck")
        return "shipped"

    @app.step(name="pay")
    def pay_blocking() -> int:
        print("pay", sync.context().retry_attempt, flush=True)
        return 42

    @app.step(name="ship")
    def ship_blocking() -> str:
        print("ship", (attempt := sync.context().retry_attempt), flush=True)
        if attempt < 3:
            raise ConnectionError("no truck")
        return "shipped"

    @app.workflow(name="async", retry=RULE)
    async def order() -> list[Any]:
        return [await pay(), await ship(), aio.context().retry_attempt]

    @app.workflow(name="blocking", retry=RULE)
    def order_blocking() -> list[Any]:
        return [pay_blocking(), ship_blocking(), sync.context().retry_attempt]

    workflows = {"async": order, "blocking": order_blocking}
    setattr(app, "orders", workflows)  # noqa: B010 - for main
    return app


def end_at_a_retry(when: str) -> None:
    commit = batch.commit

    async def ending(database: Any, name: str | None, records: Sequence[Record]) -> list[Any]:
        retried = any(isinstance(record, TryAgain) for record in records)
        if retried and when == "before":
            os._exit(9)
        replies = await commit(database, name, records)
        if retried and when == "after":
            os._exit(9)
        return replies

    setattr(postgres, "commit", ending)  # noqa: B010


async def main(url: str, colour: str, when: str) -> None:
    end_at_a_retry(when)
    app = build(url)
    orders: Any = getattr(app, "orders")  # noqa: B009
    async with app:
        workflow = orders[colour].options(workflow_id="w")
        handle = await (workflow.start() if colour == "async" else asyncio.to_thread(workflow.start))
        result = handle.get_result
        print(*(await (result() if colour == "async" else asyncio.to_thread(result))), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
