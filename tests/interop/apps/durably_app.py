"""The application of the peers once more, with durably: what their clients are let loose on.

Environment: DBOS_SYSTEM_DATABASE_URL, APP_NAME, APP_VERSION, STOP_ON_STDIN_EOF=1. Prints READY; ends on
SIGTERM.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from durably import App, aio

app = App(
    os.environ.get("APP_NAME", "tickets-durably"),
    system_database_url=os.environ["DBOS_SYSTEM_DATABASE_URL"],
    version=os.environ.get("APP_VERSION", "1"),
)
app.queue("ticketQueue")
app.queue("soloQueue", concurrency=1)
app.queue("pairQueue", concurrency=2)


@dataclass(frozen=True)
class TicketInfo:
    ticketId: str
    eventName: str
    seats: list[str]
    eventDate: datetime
    total: int
    dateType: str
    approval: Any


class SoldOutError(Exception):
    def __init__(self, seats: list[str]) -> None:
        super().__init__(f"sold out: {', '.join(seats)}")
        self.code = 409
        self.data = {"seats": seats}


@app.step(name="charge")
async def charge(seats: list[str]) -> int:
    return 25 * len(seats)


@app.step(name="double")
async def double(n: int) -> int:
    return 2 * n


@app.step(name="explode")
async def explode(message: str) -> None:
    raise TypeError(message)


@app.workflow(name="purchaseTicket", class_name="DBOSTicketAuthority")
async def purchase_ticket(event_name: str, seats: list[str], event_date: datetime) -> TicketInfo:
    total = await charge(seats)
    await aio.set_event("status", {"stage": "charged"})
    approval = await aio.recv("approval", timeout=30)
    await aio.set_event("status", {"stage": "done"})
    seen = type(event_date).__name__
    return TicketInfo(aio.workflow_id(), event_name, seats, event_date, total, seen, approval)


@app.workflow(name="failPurchase", class_name="DBOSTicketAuthority")
async def fail_purchase(seats: list[str]) -> None:
    await charge(seats)
    raise SoldOutError(seats)


@app.workflow(name="failPlain", class_name="DBOSTicketAuthority")
async def fail_plain(message: str) -> None:
    raise ValueError(message)


@app.workflow(name="echo", class_name="Interop")
async def echo(value: Any) -> Any:
    return value


@app.workflow(name="echoAll", class_name="Interop")
async def echo_all(*values: Any) -> list[Any]:
    return list(values)


@app.workflow(name="collect", class_name="Interop")
async def collect(topic: str | None, n: int, timeout_seconds: float) -> list[Any]:
    return [await aio.recv(topic, timeout=timeout_seconds) for _ in range(n)]


@app.workflow(name="sleepy", class_name="Interop")
def sleepy(ms: int) -> str:
    from durably import sync

    sync.set_event("status", "asleep")
    sync.sleep(ms / 1000)
    sync.set_event("status", "awake")
    return "slept"


@app.workflow(name="child", class_name="Interop")
async def child(n: int) -> int:
    return await double(n)


@app.workflow(name="parent", class_name="Interop")
async def parent(n: int) -> int:
    total = sum([await double(i) for i in range(1, n + 1)])
    try:
        await explode("caught by the parent")
    except TypeError:
        total += 1000
    handle = await child.start(n)
    return total + await handle.get_result()


@app.workflow(name="stream", class_name="Interop")
async def stream(n: int) -> int:
    for i in range(n):
        await aio.write_stream("progress", {"i": i})
    await aio.close_stream("progress")
    return n


@app.workflow(name="gate", class_name="Interop")
async def gate() -> Any:
    before = await double(21)
    await aio.set_event("status", "waiting")
    message = await aio.recv("open", timeout=60)
    return {"before": before, "message": message}


@app.workflow(name="bareEcho")
async def bare_echo(value: Any) -> Any:
    return value


async def main() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if os.environ.get("STOP_ON_STDIN_EOF"):
        loop.add_reader(sys.stdin.fileno(), lambda: None if os.read(sys.stdin.fileno(), 4096) else stop.set())
    async with app:
        print("READY", flush=True)
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(main())
