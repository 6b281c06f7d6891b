"""A DBOS application as its users write it in Python. Nothing in it knows durably.

Environment: DBOS_SYSTEM_DATABASE_URL (required), APP_NAME, EXECUTOR_ID, APP_VERSION, QUEUE_POLL_MS,
STOP_ON_STDIN_EOF=1 (end when the parent process goes away). Prints READY when it takes work; ends on SIGTERM.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import signal
import sys
import threading
from typing import Any

from dbos import DBOS, DBOSConfig

DBOS(
    config=DBOSConfig(
        name=os.environ.get("APP_NAME", "tickets-py"),
        system_database_url=os.environ["DBOS_SYSTEM_DATABASE_URL"],
        executor_id=os.environ.get("EXECUTOR_ID"),
        application_version=os.environ.get("APP_VERSION", "1"),
    )
)


class SoldOutError(Exception):
    code = 409

    def __init__(self, seats: list[str]) -> None:
        super().__init__(f"sold out: {', '.join(seats)}")
        self.data = {"seats": seats}

    def __reduce__(self) -> tuple[Any, ...]:
        return SoldOutError, (self.data["seats"],)


@DBOS.dbos_class("DBOSTicketAuthority")
class DBOSTicketAuthority:
    @staticmethod
    @DBOS.step(name="charge")
    def charge(seats: list[str]) -> int:
        return 25 * len(seats)

    @staticmethod
    @DBOS.workflow(name="purchaseTicket")
    def purchase_ticket(event_name: str, seats: list[str], event_date: dt.datetime) -> dict[str, Any]:
        seen: Any = event_date  # an ISO string when the peer's arguments are not converted
        total = DBOSTicketAuthority.charge(seats)
        DBOS.set_event("status", {"stage": "charged"})
        approval = DBOS.recv("approval", timeout_seconds=30)
        DBOS.set_event("status", {"stage": "done"})
        date = dt.datetime.fromisoformat(seen) if isinstance(seen, str) else seen
        return {
            "ticketId": DBOS.workflow_id,
            "eventName": event_name,
            "seats": seats,
            "eventDate": date.isoformat(),
            "total": total,
            "dateType": type(seen).__name__,
            "approval": approval,
        }

    @staticmethod
    @DBOS.workflow(name="failPurchase")
    def fail_purchase(seats: list[str]) -> None:
        DBOSTicketAuthority.charge(seats)
        raise SoldOutError(seats)

    @staticmethod
    @DBOS.workflow(name="failPlain")
    def fail_plain(message: str) -> None:
        raise ValueError(message)


@DBOS.step(name="double")
def double(n: int) -> int:
    return 2 * n


@DBOS.step(name="explode")
def explode(message: str) -> None:
    raise TypeError(message)


@DBOS.dbos_class("Interop")
class Interop:
    @staticmethod
    @DBOS.workflow(name="echo")
    def echo(value: Any) -> Any:
        return value

    @staticmethod
    @DBOS.workflow(name="echoAll")
    def echo_all(*values: Any, **named: Any) -> Any:
        return [*values, named] if named else list(values)

    @staticmethod
    @DBOS.workflow(name="rich")
    def rich() -> Any:
        """Values that JSON has no form for."""
        return {
            "date": dt.datetime(2025, 5, 1, 12, 30, 0, 250_000, tzinfo=dt.UTC),
            "day": dt.date(2025, 5, 1),
            "set": {"a"},
            "tuple": (1, 2),
            "bytes": b"\x00\x01\xff",
        }

    @staticmethod
    @DBOS.workflow(name="collect")
    def collect(topic: str | None, n: int, timeout_seconds: float) -> list[Any]:
        """Receives n messages and returns them; one that does not come in time is None."""
        return [DBOS.recv(topic, timeout_seconds=timeout_seconds) for _ in range(n)]

    @staticmethod
    @DBOS.workflow(name="sleepy")
    def sleepy(ms: int) -> str:
        DBOS.set_event("status", "asleep")
        DBOS.sleep(ms / 1000)
        DBOS.set_event("status", "awake")
        return "slept"

    @staticmethod
    @DBOS.workflow(name="child")
    def child(n: int) -> int:
        return double(n)

    @staticmethod
    @DBOS.workflow(name="parent")
    def parent(n: int) -> int:
        total = sum(double(i) for i in range(1, n + 1))
        try:
            explode("caught by the parent")
        except TypeError:
            total += 1000
        return total + DBOS.start_workflow(Interop.child, n).get_result()

    @staticmethod
    @DBOS.workflow(name="stream")
    def stream(n: int) -> int:
        for i in range(n):
            DBOS.write_stream("progress", {"i": i})
        DBOS.close_stream("progress")
        return n

    @staticmethod
    @DBOS.workflow(name="whoami")
    def whoami() -> Any:
        return {
            "workflowId": DBOS.workflow_id,
            "user": DBOS.authenticated_user,
            "roles": DBOS.authenticated_roles,
            "version": DBOS.application_version,
            "executor": os.environ.get("EXECUTOR_ID"),
        }

    @staticmethod
    @DBOS.workflow(name="gate")
    async def gate() -> Any:
        """Starts only when something is sent: the subject of cancel and resume."""
        before = await asyncio.to_thread(lambda: 42)
        await DBOS.set_event_async("status", "waiting")
        message = await DBOS.recv_async("open", timeout_seconds=60)
        return {"before": before, "message": message}


@DBOS.workflow(name="bareEcho")
def bare_echo(value: Any) -> Any:
    return value


def main() -> None:
    DBOS.launch()
    poll = float(os.environ.get("QUEUE_POLL_MS", "30")) / 1000
    DBOS.register_queue("ticketQueue", polling_interval_sec=poll)
    DBOS.register_queue("soloQueue", global_concurrency=1, polling_interval_sec=poll)
    DBOS.register_queue("pairQueue", global_concurrency=2, polling_interval_sec=poll)

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if os.environ.get("STOP_ON_STDIN_EOF"):

        def watch() -> None:
            sys.stdin.read()
            stop.set()

        threading.Thread(target=watch, daemon=True).start()
    print("READY", flush=True)
    stop.wait()
    DBOS.destroy()


if __name__ == "__main__":
    main()
