"""A ticket authority, and a client that buys a ticket there.

    pip install 'durably[embedded,cli]'
    durably worker examples/tickets.py:app        # one terminal: runs the application
    python examples/tickets.py                    # another one: buys a ticket, approves the sale

Kill the worker whenever you like, with `kill -9` too, and start it again: the purchase goes on where it was.
Both find the embedded PostgreSQL in ./.durably; with DURABLY_DATABASE_URL they use yours.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from datetime import UTC, datetime

from durably import App, DBOSClient, EnqueueOptions, Retry, aio, embedded

app = App("tickets")
queue = app.queue("ticketQueue", concurrency=10)


@dataclass(frozen=True)
class TicketInfo:
    """What the buyer gets."""

    event: str
    seats: list[str]
    date: datetime
    receipt: str
    approved: bool


@app.step(retry=Retry(attempts=5), timeout=10)
async def charge(card: str, cents: int, idempotency_key: str) -> str:
    """Take the money. A step that was under way at a crash runs again: the key makes that harmless."""
    await asyncio.sleep(0.1)  # the payment service
    return f"{cents / 100:.2f} from {card}, {idempotency_key}"


@app.workflow(name="purchaseTicket", class_name="DBOSTicketAuthority")
async def purchase_ticket(event: str, seats: list[str], date: datetime) -> TicketInfo:
    """Charge the card, then wait up to an hour for somebody to approve the sale."""
    receipt = await charge("4242", 2500 * len(seats), aio.workflow_id())
    await aio.set_event("status", {"stage": "charged"})
    approval = await aio.recv("approval", timeout=3600)
    return TicketInfo(event, seats, date, receipt, approved=bool(approval and approval["ok"]))


def buy(database_url: str) -> None:
    """What a web server or a script does: it needs the database, and none of the code above."""
    options = EnqueueOptions(
        workflow_name="purchaseTicket", workflow_class_name="DBOSTicketAuthority", queue_name="ticketQueue"
    )
    with DBOSClient.create(database_url) as client:
        date = datetime(2026, 5, 1, 19, 30, tzinfo=UTC)
        handle = client.enqueue(options, "Stonebraker: The Musical", ["a1", "a2"], date)
        print(handle.workflow_id, client.get_event(handle.workflow_id, "status", timeout_seconds=60))
        client.send(handle.workflow_id, {"ok": True}, topic="approval", idempotency_key=handle.workflow_id)
        print(handle.get_result(timeout=60))


def main() -> None:
    """Buy on the server of DURABLY_DATABASE_URL, otherwise on the embedded one that the worker made."""
    if url := os.environ.get("DURABLY_DATABASE_URL"):
        buy(url)
        return
    with embedded.start() as server:
        buy(server.url("tickets"))


if __name__ == "__main__":
    main()
