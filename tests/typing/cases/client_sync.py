"""The blocking client: what a type checker accepts and refuses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from durably import DBOSClient, EnqueueOptions, declare_workflow


@dataclass(frozen=True)
class TicketInfo:
    seats: list[str]


@declare_workflow(name="purchaseTicket", class_name="DBOSTicketAuthority", queue_name="ticketQueue")
def purchase(event: str, seats: list[str], date: datetime) -> TicketInfo:
    raise NotImplementedError


def use(date: datetime, connection: object) -> None:
    opened: DBOSClient = DBOSClient.create("postgresql://localhost/shop", "shop_system")
    opened.destroy()
    with DBOSClient.create("postgresql://localhost/shop") as client:
        handle = client.enqueue(purchase, "x", ["a1"], date)
        ticket: TicketInfo = handle.get_result(timeout=1)
        number: int = handle.get_result()  # E: mypy[assignment] pyright[reportAssignmentType]
        client.enqueue(purchase, "x", ["a1"])  # E: mypy[call-overload] pyright[reportCallIssue]
        client.enqueue(purchase, "x", "a1", date)  # E: mypy[call-overload] pyright[reportArgumentType]
        client.enqueue(purchase.options(workflow_id="1"), "x", date=date, seats=["a1"])
        client.enqueue(purchase, "x", ["a1"], date, connection=connection)
        later: TicketInfo = client.retrieve_workflow("1", purchase).get_result()
        client.retrieve_workflow("1").get_result().whatever()
        client.enqueue(EnqueueOptions(workflow_name="w", queue_name="q"), 1, "two", three=3)
        first = client.wait_first([handle])
        ticket = first.get_result()
        client.send("1", {"ok": True}, "approval", "key", connection=connection)
        client.send(1, "x")  # E: mypy[arg-type] pyright[reportArgumentType]
        purchase("x", ["a1"], "today")  # E: mypy[arg-type] pyright[reportArgumentType]
        print(ticket, number, later)
