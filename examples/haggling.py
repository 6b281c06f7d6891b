"""Questions to a workflow that runs: an auction that is asked what the highest bid is, and answers.

    pip install 'durably[embedded]'
    python examples/haggling.py

A question is a message, its reply an event: the auction answers each once, also when it is killed in between.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from durably import App, aio

app = App("haggling")


@dataclass(frozen=True)
class Bid:
    """What somebody would pay, in cents."""

    bidder: str
    cents: int


@dataclass(frozen=True)
class Answer:
    """Whether a bid is the highest now, and what the highest is."""

    leads: bool
    highest: int


@app.workflow()
async def auction(item: str, ends_after: int) -> str:
    """Take bids until there have been so many."""
    best = Bid("nobody", 0)
    for _ in range(ends_after):
        request = await aio.recv_request("bids", timeout=3600, type=Bid)
        if request is None:
            break
        leads = request.question.cents > best.cents
        best = request.question if leads else best
        await request.reply(Answer(leads, best.cents))
    return f"{item}: {best.bidder} pays {best.cents / 100:.2f}"


async def main() -> None:
    """Bid twice, and be told each time."""
    async with app:
        handle = await auction.options(workflow_id="lot-7").start("clock", 2)
        for bid in (Bid("Ada", 5000), Bid("Bob", 4000)):
            print(await handle.ask(bid, "bids", type_=Answer))
        print(await handle.get_result())


if __name__ == "__main__":
    asyncio.run(main())
