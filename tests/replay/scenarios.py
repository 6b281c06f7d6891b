"""What happens in each example: who starts what, and which messages arrive.

Every call has an id or a key of its own, for a caller whose process died says everything again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from examples import (
    account,
    agent,
    answer,
    approval,
    copying,
    digest,
    haggling,
    indexing,
    orders,
    poller,
    progress,
    tickets,
    transfer,
)

__all__ = ["SCENARIOS"]


async def _account() -> None:
    handle = await account.account.options(workflow_id="account").start("Ada")
    for number, posting in enumerate(
        [
            account.Posting("deposit", 5000),
            account.Posting("withdraw", 9900),
            account.Posting("withdraw", 1200),
            account.Posting("close"),
        ]
    ):
        await handle.send(posting, "postings", idempotency_key=f"posting-{number}")


async def _agent() -> None:
    handle = await agent.travel_agent.options(workflow_id="trip").start("A day trip from Lisbon")
    await handle.send("Sun, please", "reply", idempotency_key="reply")


async def _answer() -> None:
    await answer.answer.options(workflow_id="answer").start("Why?")


async def _approval() -> None:
    await approval.refund.options(workflow_id="small").start("order-1", 900)
    handle = await approval.refund.options(workflow_id="large").start("order-2", 90_000)
    await handle.send(approval.Decision(approved=True, by="Grace"), "decision", idempotency_key="decision")


async def _copying() -> None:
    await copying.backup.options(workflow_id="backup").start(["one", "two", "three"])


async def _digest() -> None:
    await digest.app.client.pause_schedule("digest")  # its own times have no place in a record to compare
    day, next_day = datetime(2026, 11, 2, tzinfo=UTC), datetime(2026, 11, 4, tzinfo=UTC)
    await digest.app.client.backfill_schedule("digest", day, next_day)
    await digest.index.options(workflow_id="home").start("home", "a page")


async def _haggling() -> None:
    handle = await haggling.auction.options(workflow_id="lot").start("clock", 2)
    for number, bid in enumerate((haggling.Bid("Ada", 5000), haggling.Bid("Bob", 4000))):
        await handle.ask(bid, "bids", idempotency_key=f"bid-{number}")


async def _indexing() -> None:
    await indexing.index_all.options(workflow_id="index").start(["to be or not to be", "call me Ishmael"])


async def _orders() -> None:
    lines = [orders.Line("coffee", 2), orders.Line("filter", 100)]
    await orders.order.options(workflow_id="order").start(lines)


async def _poller() -> None:
    await poller.poll.options(workflow_id="shop").start()


async def _progress() -> None:
    start: Callable[[int], Any] = progress.convert_book.options(workflow_id="book").start
    await asyncio.to_thread(start, 3)


async def _tickets() -> None:
    bought = tickets.purchase_ticket.options(workflow_id="ticket", queue_name="ticketQueue")
    handle = await bought.start("Stonebraker", ["a1", "a2"], datetime(2026, 5, 1, 19, 30, tzinfo=UTC))
    await handle.send({"ok": True}, "approval", idempotency_key="approval")


async def _transfer() -> None:
    await transfer.setup.options(workflow_id="accounts")({"Ada": 5000, "Bob": 0})
    await transfer.transfer.options(workflow_id="first").start("Ada", "Bob", 2000)
    await transfer.transfer.options(workflow_id="second").start("Ada", "Bob", 9000)


SCENARIOS: Mapping[str, Callable[[], Awaitable[None]]] = {
    "account": _account,
    "agent": _agent,
    "answer": _answer,
    "approval": _approval,
    "copying": _copying,
    "digest": _digest,
    "haggling": _haggling,
    "indexing": _indexing,
    "orders": _orders,
    "poller": _poller,
    "progress": _progress,
    "tickets": _tickets,
    "transfer": _transfer,
}
