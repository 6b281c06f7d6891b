"""The asynchronous client: what a type checker accepts and refuses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from durably import AsyncDBOSClient, EnqueueOptions, WorkflowFilter, declare_workflow


@dataclass(frozen=True)
class TicketInfo:
    seats: list[str]


@declare_workflow(name="purchaseTicket", class_name="DBOSTicketAuthority", queue_name="ticketQueue")
def purchase(event: str, seats: list[str], date: datetime) -> TicketInfo:
    raise NotImplementedError


@declare_workflow(queue_name="sums")
async def add(one: int, two: int = 2) -> int:
    raise NotImplementedError


async def use(date: datetime, connection: object) -> None:
    opened = await AsyncDBOSClient.create("postgresql://localhost/shop", retry_for=5)
    again: AsyncDBOSClient = opened
    await again.destroy()
    await AsyncDBOSClient.create(7)  # E: mypy[arg-type] pyright[reportArgumentType]
    await AsyncDBOSClient.create(pool=7)  # E: mypy[call-arg] pyright[reportCallIssue]

    async with AsyncDBOSClient.create("postgresql://localhost/shop") as client:
        handle = await client.enqueue(purchase, "x", ["a1"], date)
        ticket: TicketInfo = await handle.get_result(timeout=1)
        number: int = await handle.get_result()  # E: mypy[assignment] pyright[reportAssignmentType]
        await client.enqueue(purchase, "x", ["a1"])  # E: mypy[call-overload] pyright[reportCallIssue]
        await client.enqueue(purchase, 1, ["a"], date)  # E: mypy[call-overload] pyright[reportArgumentType]
        await client.enqueue(
            purchase.options(workflow_id="1"), "x", seats=["a1"], when=date
        )  # E: mypy[call-arg] pyright[reportCallIssue]
        await client.enqueue(purchase.options(workflow_id="1"), "x", date=date, seats=["a1"])
        await client.enqueue(purchase, "x", ["a1"], date, connection=connection)

        total: int = await (await client.enqueue(add, 1)).get_result()
        await client.enqueue(add, "1")  # E: mypy[call-overload] pyright[reportArgumentType]
        later: TicketInfo = await client.retrieve_workflow("1", purchase).get_result()
        wrong: int = await client.retrieve_workflow(
            "1", purchase
        ).get_result()  # E: mypy[assignment] pyright[reportAssignmentType]
        anything = await client.retrieve_workflow("1").get_result()
        anything.whatever()

        untyped = await client.enqueue(EnqueueOptions(workflow_name="w", queue_name="q"), 1, "two", three=3)
        (await untyped.get_result()).whatever()
        await client.enqueue(
            "w", 1
        )  # E: mypy[call-overload] pyright[reportCallIssue] pyright[reportArgumentType]

        first = await client.wait_first([handle])
        ticket = await first.get_result()
        await client.list_workflows(WorkflowFilter(status="ERROR"))
        await client.list_workflows(
            WorkflowFilter(status="DONE")
        )  # E: mypy[arg-type] pyright[reportArgumentType]
        print(ticket, number, total, later, wrong)
