"""A human in the loop: a refund above a limit waits until somebody decides, or the time is up.

    pip install 'durably[embedded]'
    python examples/approval.py

The wait is a row in the database: the process may be stopped for a week in between.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from durably import App, aio

app = App("approval")

LIMIT = 10_000  # cents that nobody is asked about


@dataclass(frozen=True)
class Decision:
    """What a person decided."""

    approved: bool
    by: str


@app.step()
async def ask_for_decision(workflow_id: str, cents: int) -> str:
    """Send somebody a link; what it opens sends a message to `workflow_id`."""
    return f"may {workflow_id} refund {cents / 100:.2f}?"


@app.step()
async def pay_back(order: str, cents: int, idempotency_key: str) -> str:
    """Pay."""
    return f"{order}: {cents / 100:.2f} paid back"


@app.workflow()
async def refund(order: str, cents: int) -> str:
    """Ask where it is much, and again every day; no answer within three days is a no."""
    if cents > LIMIT:
        await aio.set_event("state", "waiting for a decision")
        decision = await decide(cents)
        if decision is None or not decision.approved:
            return f"{order}: refused by {decision.by if decision else 'nobody in time'}"
    return await pay_back(order, cents, aio.workflow_id())


async def decide(cents: int) -> Decision | None:
    """Whatever comes first: somebody decides, or it is time to remind them."""
    for _ in range(3):
        await ask_for_decision(aio.workflow_id(), cents)
        first = await aio.first_of(
            decision=aio.on_message("decision", type=Decision), reminder=aio.on_timer(86_400)
        )
        if isinstance(first.value, Decision):
            return first.value
    return None


async def main() -> None:
    """Ask for two refunds, and decide on the one that waits."""
    async with app:
        small = await refund.options(workflow_id="refund-1").start("order-1", 900)
        large = await refund.options(workflow_id="refund-2").start("order-2", 90_000)
        print(await small.get_result())
        print(await large.get_event("state"))
        await large.send(Decision(approved=True, by="Grace"), "decision", idempotency_key="decision-2")
        print(await large.get_result())


if __name__ == "__main__":
    asyncio.run(main())
