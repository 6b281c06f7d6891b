"""Workflows: an order that survives whatever happens to the process in between.

    pip install 'durably[embedded]'
    python examples/orders.py

Steps are recorded once; one that fails is tried again; children run beside each other; time passes durably.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from durably import App, Retry, aio

app = App("orders")


@dataclass(frozen=True)
class Line:
    """So many of an article."""

    article: str
    quantity: int


@app.step(retry=Retry(attempts=5, interval=0.05, on=ConnectionError))
async def reserve(article: str, quantity: int) -> str:
    """Ask the warehouse, which is not always there."""
    return f"{quantity} x {article}"


@app.step()
async def pay(cents: int, idempotency_key: str) -> str:
    """Take the money; the key makes it harmless to ask twice, as a crash in here would."""
    return f"paid {cents / 100:.2f}"


@app.workflow()
async def pack(line: Line) -> str:
    """A child: a workflow of its own, with an id, a status and steps."""
    reserved = await reserve(line.article, line.quantity)
    await aio.sleep(0.05)  # a day or a month would be no different
    return f"packed {reserved}"


@app.workflow()
async def order(lines: list[Line]) -> list[str]:
    """Pay, then pack everything at the same time."""
    key = await aio.uuid4()  # the same one at every replay
    receipt = await pay(sum(line.quantity * 1250 for line in lines), str(key))
    parcels = await asyncio.gather(*(pack(line) for line in lines))
    return [receipt, *parcels]


async def main() -> None:
    """Place an order and wait for it."""
    async with app:
        placed = order.options(workflow_id="order-1")
        handle = await placed.start([Line("coffee", 2), Line("filter", 100)])
        for text in await handle.get_result():
            print(text)


if __name__ == "__main__":
    asyncio.run(main())
