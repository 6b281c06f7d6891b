"""`durably schedule`: what fires when, and firing out of turn."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from datetime import datetime
from typing import Annotated, Any, cast

import typer

from durably.cli import connection, jsonlines, output
from durably.cli.command import Session, command
from durably.cli.completion import schedules_completed
from durably.cli.failures import UsageError
from durably.cli.output import Form
from durably.types import Schedule, ScheduleOverlap, ScheduleSpec

__all__ = ["app"]

HELP = """Schedules: what fires when, pausing, firing out of turn.

What an application's code declares is stored when it starts, if the code has changed since last time: what is
changed here outlives a restart, new code replaces it, and a pause outlives both.
"""

app = typer.Typer(no_args_is_help=True, help=HELP)

Name = Annotated[
    str, typer.Argument(metavar="SCHEDULE", help="The schedule's name.", autocompletion=schedules_completed)
]


@app.command("list")
@command
def list_schedules(
    session: Session,
    status: Annotated[str | None, typer.Option(metavar="STATUS", help="ACTIVE or PAUSED.")] = None,
    prefix: Annotated[str | None, typer.Option(metavar="TEXT", help="Names that begin so.")] = None,
) -> None:
    """List the schedules, when they fire next, what code declares of them and what is wrong with them.

    "by code" is one that an application declares, with the fields that were changed at run time since.

    Example: durably schedule list --status PAUSED
    """
    with connection.client(session) as client:
        found = client.list_schedules(status=status, schedule_name_prefix=prefix)
    _list(session, found)


def _list(session: Session, found: list[Schedule]) -> None:
    output.print_list(
        session.form,
        found,
        columns=("name", "schedule", "zone", "workflow", "status", "declared", "next", "problem"),
        row=lambda each: (
            each.schedule_name,
            each.schedule,
            each.cron_timezone or "UTC",
            each.workflow_name,
            each.status,
            _declared(each),
            _text(each.next_fire_at),
            each.problem,
        ),
        id_of=lambda each: each.schedule_name,
        empty="there is no schedule here yet",
    )


@app.command()
@command
def get(name: Name, session: Session) -> None:
    """Show a schedule.

    Example: durably schedule get nightly
    """
    with connection.client(session) as client:
        _print(session, client.get_schedule(name))


app.command("show", hidden=True)(get)


@app.command("apply")
@command
def apply_schedules(
    session: Session,
    path: Annotated[
        str, typer.Argument(metavar="[FILE]", help="JSON lines; `-`, or nothing: the standard input.")
    ] = "-",
) -> None:
    """Create the schedules of a file of JSON lines, or give those that exist what is said there.

    A line has schedule_name, workflow_name and schedule, and any other field of ScheduleSpec.

    Example: durably schedule apply schedules.jsonl
    """
    needed = ("schedule_name", "workflow_name", "schedule")
    known = tuple(field.name for field in fields(ScheduleSpec))
    specs = [ScheduleSpec(**line) for line in jsonlines.read_lines(path, needed=needed, known=known)]
    with connection.client(session) as client:
        _list(session, client.apply_schedules(specs))


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
    """Create a schedule.

    Example: durably schedule create nightly report '0 3 * * *' --timezone Europe/Berlin
    """
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
    """Print the next times of a schedule, in its zone.

    Example: durably schedule preview nightly --count 3
    """
    with connection.client(session) as client:
        times = client.preview_schedule(name, count)
    output.print_list(
        session.form,
        [time.isoformat() for time in times],
        columns=(),
        row=lambda time: (time.replace("T", " "),),
        id_of=str,
        empty="",
        bare=True,
    )


@app.command()
@command
def pause(name: Name, session: Session) -> None:
    """Let a schedule rest; what runs goes on.

    Example: durably schedule pause nightly
    """
    with connection.client(session) as client:
        client.pause_schedule(name)
    _say(session, name, {"schedule_name": name, "status": "PAUSED"}, f"{name} is paused")


@app.command()
@command
def resume(name: Name, session: Session) -> None:
    """Let a schedule go on from now.

    Example: durably schedule resume nightly
    """
    with connection.client(session) as client:
        client.resume_schedule(name)
    _say(session, name, {"schedule_name": name, "status": "ACTIVE"}, f"{name} goes on")


@app.command()
@command
def delete(name: Name, session: Session) -> None:
    """Delete a schedule; its runs stay.

    Example: durably schedule delete nightly
    """
    with connection.client(session) as client:
        client.get_schedule(name)
        client.delete_schedule(name)
    _say(session, name, {"schedule_name": name, "deleted": True}, f"{name} is deleted")


@app.command()
@command
def trigger(name: Name, session: Session) -> None:
    """Start a schedule's workflow now; prints the run's id.

    Example: durably schedule trigger nightly
    """
    with connection.client(session) as client:
        workflow_id = client.trigger_schedule(name).workflow_id
    _say(session, workflow_id, {"workflow_id": workflow_id}, workflow_id)


@app.command()
@command
def backfill(
    name: Name,
    start: Annotated[str, typer.Argument(metavar="START", help="ISO 8601; UTC without a zone.")],
    end: Annotated[str, typer.Argument(metavar="END", help="ISO 8601; both are outside.")],
    session: Session,
) -> None:
    """Start what a schedule had to fire between two instants; prints the runs' ids.

    Example: durably schedule backfill nightly 2026-11-01 2026-11-08
    """
    instants = [_instant(option, text) for option, text in (("START", start), ("END", end))]
    with connection.client(session) as client:
        ids = [handle.workflow_id for handle in client.backfill_schedule(name, *instants)]
    output.print_list(
        session.form,
        [{"workflow_id": id_} for id_ in ids],
        columns=(),
        row=lambda item: (item["workflow_id"],),
        id_of=lambda item: item["workflow_id"],
        empty="",
        bare=True,
    )


def _instant(option: str, text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option} {text}: give an instant such as 2026-11-26T03:00") from None


def _plain(schedule: Schedule) -> dict[str, Any]:
    upcoming = schedule.next_fire_at
    return asdict(schedule) | {"next_fire_at": None if upcoming is None else upcoming.isoformat()}


def _declared(schedule: Schedule) -> str | None:
    if not schedule.declared:
        return None
    return "by code" + (f"; changed: {', '.join(schedule.changed)}" if schedule.changed else "")


def _text(instant: datetime | None) -> str | None:
    return None if instant is None else str(instant)


def _print(session: Session, schedule: Schedule) -> None:
    if session.form is not Form.table:
        return output.answer(session.form, schedule, "", id_=schedule.schedule_name)
    output.print_fields({name: value for name, value in _plain(schedule).items() if value is not None})


def _say(session: Session, name: str, value: Any, text: str) -> None:
    output.answer(session.form, value, text, id_=name)
