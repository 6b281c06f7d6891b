"""What the client knows of the ticket authority, and what it buys there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from durably.client import declare_workflow

__all__ = ["Purchase", "TicketInfo", "purchase_ticket", "purchases"]

EVENT = "Stonebraker: The Musical"
DATE = datetime(2026, 5, 1, 19, 30, tzinfo=UTC)


@dataclass(frozen=True)
class TicketInfo:
    """What the workflow returns."""

    event: str
    seats: list[str]
    date: datetime
    receipt: str
    approved_by: list[str]
    tickets: list[str]


@declare_workflow(name="purchaseTicket", class_name="DBOSTicketAuthority", queue_name="ticketQueue")
def purchase_ticket(event: str, seats: list[str], date: datetime) -> TicketInfo:
    """A workflow that another process runs: only its address and its types are here."""
    raise NotImplementedError


@dataclass(frozen=True)
class Purchase:
    """One purchase, and what must come of it."""

    workflow_id: str
    seats: list[str]
    approver: str = "box office"

    @property
    def expected(self) -> TicketInfo:
        """The result, if everything happened exactly once."""
        return TicketInfo(
            event=EVENT,
            seats=self.seats,
            date=DATE,
            receipt=f"{25 * len(self.seats):.2f} for {self.workflow_id}",
            approved_by=[self.approver],
            tickets=[f"ticket-{seat}" for seat in self.seats],
        )


def purchases(run: str) -> tuple[list[Purchase], list[Purchase]]:
    """Five single buyers, and three groups, whose payments take longer; `run` makes their ids new."""
    sizes = [1, 2, 1, 2, 1, 10, 12, 11]
    bought = [
        Purchase(f"{run}-{number}", [f"{chr(96 + number)}{seat}" for seat in range(1, size + 1)])
        for number, size in enumerate(sizes, start=1)
    ]
    return bought[:5], bought[5:]
