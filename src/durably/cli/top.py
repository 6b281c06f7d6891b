"""`durably top`: queues, executors and runs as they move, on a terminal."""

from __future__ import annotations

import os
import select
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from durably.cli import bulk, connection, output
from durably.cli.command import Session, command
from durably.cli.failures import UsageError
from durably.cli.top_view import Look, Snapshot, frame, pressed
from durably.errors import DatabaseError
from durably.types import WorkflowFilter

if TYPE_CHECKING:
    from durably.client import DBOSClient

__all__ = ["app"]

app = typer.Typer()

RUNS = 200  # of the newest that are looked at
COUNTED = 10_000  # to which a queue is counted
PATIENCE = 2.0  # seconds that a refresh may wait for the database
TICK = 0.2  # seconds until a new size of the terminal is noticed
ONCE_LINES = 40  # of a frame for a pipe


@app.command()
@command
def top(
    session: Session,
    once: Annotated[bool, typer.Option("--once", help="Print one frame, and end.")] = False,
    refresh: Annotated[
        float, typer.Option("--refresh", metavar="SECONDS", min=0.2, help="How often it looks.")
    ] = 1.0,
) -> None:
    """Watch queues, executors and runs as they move. Keys: q, p, s, tab, up, down.

    Example: durably top --refresh 5
    """
    with connection.client(session, retry_for=PATIENCE) as client:
        where = client.application_name or "all applications"
        if session.as_json:
            return output.print_json(_snapshot(client))
        if once:
            return _print_once(_snapshot(client), where)
        if not (sys.stdout.isatty() and sys.stdin.isatty()):
            raise UsageError("top needs a terminal: give --once to print one frame, or -o json")
        _watch(client, where, refresh)


def _snapshot(client: DBOSClient) -> Snapshot:
    newest = WorkflowFilter(sort_desc=True, limit=RUNS, load_input=False, load_output=False)
    queues = client.queue_activity(count_to=COUNTED)
    measured = queues[0].measured_at if queues else round(time.time() * 1000)
    return Snapshot(
        measured_at=measured,
        queues=queues,
        registered=client.list_queues(),
        executors=[each for each in client.list_executors() if each.state != "closed"],
        runs=client.list_workflows(newest),
    )


def _print_once(snapshot: Snapshot, where: str) -> None:
    from rich.console import Console

    console = Console()
    height = console.height - 1 if sys.stdout.isatty() else ONCE_LINES
    console.print(frame(snapshot, Look(pane=""), width=console.width, height=height, where=where))


def _watch(client: DBOSClient, where: str, refresh: float) -> None:
    """Draw until q: when there is news, a key, or another size."""
    from rich.console import Console
    from rich.live import Live

    console, look = Console(), Look()
    snapshot: Snapshot = _snapshot(client)
    looked, size = time.monotonic(), console.size
    live = Live(console=console, screen=True, auto_refresh=False)
    with bulk.stoppable() as is_stopped, _keys() as read_key, live:
        live.update(_drawn(snapshot, look, console, where), refresh=True)
        while not is_stopped():
            key = read_key(min(TICK, refresh))
            after = pressed(look, key) if key else look
            if after is None:
                return
            due = not after.stands and time.monotonic() - looked >= refresh
            if due:
                snapshot, after = _refreshed(client, snapshot, after)
                looked = time.monotonic()
            if due or after != look or console.size != size:
                look, size = after, console.size
                live.update(_drawn(snapshot, look, console, where), refresh=True)


def _refreshed(client: DBOSClient, before: Snapshot, look: Look) -> tuple[Snapshot, Look]:
    """The news; where there are none, what was seen before and why."""
    try:
        return _snapshot(client), replace(look, trouble=None)
    except DatabaseError as error:
        return before, replace(look, trouble=str(error))


def _drawn(snapshot: Snapshot, look: Look, console: Any, where: str) -> Any:
    return frame(snapshot, look, width=console.width, height=console.height, where=where)


@contextmanager
def _keys() -> Iterator[Any]:
    """Reads a key within so many seconds; '' when none came. The terminal is as before at the end."""
    import termios
    import tty

    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    tty.setcbreak(terminal)

    def read(seconds: float) -> str:
        ready, _, _ = select.select([terminal], [], [], seconds)
        if not ready:
            return ""
        return os.read(terminal, 8).decode(errors="replace") or "q"  # nothing: the terminal is gone

    try:
        yield read
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
