"""`durably schedule`: what fires when, and firing out of turn."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, cast

import typer

from durably.cli import connection, output
from durably.cli.command import Session, command
from durably.cli.failures import UsageError
from durably.types import Schedule, ScheduleOverlap

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Schedules: what fires when, pausing, firing out of turn.")

Name = Annotated[str, typer.Argument(metavar="SCHEDULE", help="The schedule's name.")]


@app.command("list")
@command
def list_schedules(
    session: Session,
    status: Annotated[str | None, typer.Option(metavar="STATUS", help="ACTIVE or PAUSED.")] = None,
    prefix: Annotated[str | None, typer.Option(metavar="TEXT", help="Names that begin so.")] = None,
) -> None:
    """List the schedules, when they fire next and what is wrong with them."""
    with connection.client(session) as client:
        found = client.list_schedules(status=status, schedule_name_prefix=prefix)
    if session.as_json:
        output.print_json([_plain(schedule) for schedule in found])
        return
    columns = ("name", "schedule", "zone", "workflow", "status", "next", "problem")
    rows = [
        (
            each.schedule_name,
            each.schedule,
            each.cron_timezone or "UTC",
            each.workflow_name,
            each.status,
            _text(each.next_fire_at),
            each.problem,
        )
        for each in found
    ]
    output.print_table(columns, rows, empty="there is no schedule here yet")


@app.command()
@command
def show(name: Name, session: Session) -> None:
    """Show a schedule."""
    with connection.client(session) as client:
        _print(session, client.get_schedule(name))


@app.command()
@command
def create(
    name: Name,
    workflow: Annotated[str, typer.Argument(metavar="WORKFLOW", help="The workflow's name.")],
    schedule: Annotated[str, typer.Argument(metavar="CRON", help="5 fields, or 6 with seconds first.")],
    session: Session,
    timezone: Annotated[
        str | None, typer.Option(metavar="ZONE", help="Such as Europe/Berlin; UTC if left out.")
    ] = None,
    class_name: Annotated[str | None, typer.Option("--class", metavar="NAME", help="Its class.")] = None,
    queue: Annotated[str | None, typer.Option(metavar="QUEUE", help="Where its runs go.")] = None,
    context: Annotated[
        str, typer.Option(metavar="JSON", help="What the workflow gets beside the time.")
    ] = "null",
    backfill: Annotated[
        bool, typer.Option("--automatic-backfill", help="Fire all that was missed, however old.")
    ] = False,
    catch_up: Annotated[float, typer.Option(metavar="SECONDS", help="Fire what was missed so long.")] = 60.0,
    jitter: Annotated[float, typer.Option(metavar="SECONDS", help="Spread runs over so long.")] = 0.0,
    overlap: Annotated[
        str, typer.Option(metavar="POLICY", help="allow, skip, or buffer_one: while a run goes on.")
    ] = "allow",
) -> None:
    """Create a schedule."""
    try:
        value = json.loads(context)
    except ValueError as error:
        raise UsageError(f"--context is not JSON: {error}") from None
    with connection.client(session) as client:
        made = client.create_schedule(
            schedule_name=name,
            workflow_name=workflow,
            schedule=schedule,
            context=value,
            workflow_class_name=class_name,
            automatic_backfill=backfill,
            cron_timezone=timezone,
            queue_name=queue,
            catch_up=catch_up,
            jitter=jitter,
            overlap=cast("ScheduleOverlap", overlap),
        )
    _print(session, made)


@app.command()
@command
def preview(
    name: Name,
    session: Session,
    count: Annotated[int, typer.Option(metavar="N", help="How many times.")] = 5,
) -> None:
    """Print the next times of a schedule, in its zone."""
    with connection.client(session) as client:
        times = client.preview_schedule(name, count)
    _say(session, [time.isoformat() for time in times], *map(str, times))


@app.command()
@command
def pause(name: Name, session: Session) -> None:
    """Let a schedule rest; what runs goes on."""
    with connection.client(session) as client:
        client.pause_schedule(name)
    _say(session, {"schedule_name": name, "status": "PAUSED"}, f"{name} is paused")


@app.command()
@command
def resume(name: Name, session: Session) -> None:
    """Let a schedule go on from now."""
    with connection.client(session) as client:
        client.resume_schedule(name)
    _say(session, {"schedule_name": name, "status": "ACTIVE"}, f"{name} goes on")


@app.command()
@command
def delete(name: Name, session: Session) -> None:
    """Delete a schedule; its runs stay."""
    with connection.client(session) as client:
        client.get_schedule(name)
        client.delete_schedule(name)
    _say(session, {"schedule_name": name, "deleted": True}, f"{name} is deleted")


@app.command()
@command
def trigger(name: Name, session: Session) -> None:
    """Start a schedule's workflow now; prints the run's id."""
    with connection.client(session) as client:
        workflow_id = client.trigger_schedule(name).workflow_id
    _say(session, {"workflow_id": workflow_id}, workflow_id)


@app.command()
@command
def backfill(
    name: Name,
    start: Annotated[str, typer.Argument(metavar="START", help="ISO 8601; UTC without a zone.")],
    end: Annotated[str, typer.Argument(metavar="END", help="ISO 8601; both are outside.")],
    session: Session,
) -> None:
    """Start what a schedule had to fire between two instants; prints the runs' ids."""
    instants = [_instant(option, text) for option, text in (("START", start), ("END", end))]
    with connection.client(session) as client:
        ids = [handle.workflow_id for handle in client.backfill_schedule(name, *instants)]
    _say(session, [{"workflow_id": id_} for id_ in ids], *ids)


def _instant(option: str, text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option} {text}: give an instant such as 2026-11-26T03:00") from None


def _plain(schedule: Schedule) -> dict[str, Any]:
    upcoming = schedule.next_fire_at
    return asdict(schedule) | {"next_fire_at": None if upcoming is None else upcoming.isoformat()}


def _text(instant: datetime | None) -> str | None:
    return None if instant is None else str(instant)


def _print(session: Session, schedule: Schedule) -> None:
    if session.as_json:
        output.print_json(_plain(schedule))
    else:
        output.print_fields({name: value for name, value in _plain(schedule).items() if value is not None})


def _say(session: Session, value: Any, *lines: str) -> None:
    if session.as_json:
        output.print_json(value)
    else:
        for line in lines:
            print(output.printable(line))
