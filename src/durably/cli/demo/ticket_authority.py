"""A ticket authority: it holds seats, charges a card, waits for an approval, and issues the tickets.

Each step's outcome is in the database before the next step begins. So this process may die anywhere: another
one takes the recorded outcomes and goes on behind the last of them. Only a step that was under way begins
anew; that is why `charge` hands its payment service a key which is the same both times.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime

from durably import App, Retry, aio
from durably.cli.demo import journal

CENTS_PER_SEAT = 2500
GROUP = 10  # seats from which the payment service takes its time

app = App("tickets", version="demo")
queue = app.queue("ticketQueue", concurrency=20)


@dataclass(frozen=True)
class TicketInfo:
    """What the buyer gets."""

    event: str
    seats: list[str]
    date: datetime
    receipt: str
    approved_by: list[str]
    tickets: list[str]


@app.step(name="hold")
async def hold_seats(event: str, seats: list[str]) -> str:
    """Keep the seats for this buyer."""
    journal.note("hold")
    return f"{event}, {', '.join(seats)}"


@app.step(name="charge", retry=Retry(attempts=3), timeout=30)
async def charge_card(cents: int, idempotency_key: str) -> str:
    """Take the money; a payment service charges once for each idempotency key."""
    journal.note("charge")
    await asyncio.sleep(2.5 if cents >= GROUP * CENTS_PER_SEAT else 0.05)
    return f"{cents / 100:.2f} for {idempotency_key}"


@app.step(name="issue")
async def issue_tickets(seats: list[str]) -> list[str]:
    """Print one ticket for each seat."""
    journal.note("issue")
    return [f"ticket-{seat}" for seat in seats]


@app.workflow(name="purchaseTicket", class_name="DBOSTicketAuthority")
async def purchase_ticket(event: str, seats: list[str], date: datetime) -> TicketInfo:
    """Sell tickets; a person has to approve each sale."""
    await hold_seats(event, seats)
    receipt = await charge_card(CENTS_PER_SEAT * len(seats), idempotency_key=aio.workflow_id())
    await aio.set_event("status", {"stage": "charged"})

    approvals = [await aio.recv("approval", timeout=3600, type=str)]
    if another := await aio.recv("approval", timeout=0, type=str):
        approvals.append(another)

    tickets = await issue_tickets(seats)
    await aio.set_event("status", {"stage": "done"})
    return TicketInfo(event, seats, date, receipt, [name for name in approvals if name], tickets)
