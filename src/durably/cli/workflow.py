"""`durably workflow`: list, look at, cancel, resume and move workflows."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from durably.cli import connection, output
from durably.cli.command import Session, command
from durably.cli.failures import UsageError
from durably.types import ACTIVE, TERMINAL, StepInfo, WorkflowFilter, WorkflowStatus

if TYPE_CHECKING:
    from durably.client import DBOSClient

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="List, look at, cancel, resume and move workflows.")

WorkflowId = Annotated[str, typer.Argument(metavar="ID", help="The workflow's id.")]
TIMES = {
    "created_at",
    "updated_at",
    "dequeued_at",
    "completed_at",
    "delay_until_epoch_ms",
    "workflow_deadline_epoch_ms",
}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which workflows to list: every condition that is given holds, one given twice is any of them."""

    status: Annotated[
        list[str] | None,
        typer.Option(
            "--status", "-S", metavar="STATUS", help=", ".join(ACTIVE + TERMINAL) + "; or `active`."
        ),
    ] = None
    name: Annotated[
        list[str] | None, typer.Option("--name", "-n", metavar="WORKFLOW", help="The workflow's name.")
    ] = None
    queue_name: Annotated[
        list[str] | None, typer.Option("--queue", "-q", metavar="QUEUE", help="The queue it was put on.")
    ] = None
    workflow_id_prefix: Annotated[
        str | None, typer.Option("--id-prefix", metavar="TEXT", help="How its id begins.")
    ] = None
    app_version: Annotated[
        list[str] | None, typer.Option("--app-version", "-v", metavar="VERSION", help="The version it is of.")
    ] = None
    executor_id: Annotated[
        list[str] | None, typer.Option("--executor", metavar="ID", help="The process that runs or ran it.")
    ] = None
    authenticated_user: Annotated[
        list[str] | None, typer.Option("--user", "-u", metavar="USER", help="For whom it runs.")
    ] = None
    parent_workflow_id: Annotated[
        list[str] | None, typer.Option("--parent", metavar="ID", help="The workflow that started it.")
    ] = None
    start_time: Annotated[
        str | None,
        typer.Option("--start-time", "-t", metavar="TIME", help="Created then or later: ISO 8601."),
    ] = None
    end_time: Annotated[
        str | None, typer.Option("--end-time", "-e", metavar="TIME", help="Created then or before: ISO 8601.")
    ] = None
    oldest_first: Annotated[bool, typer.Option("--oldest-first", help="Otherwise the newest is first.")] = (
        False
    )
    limit: Annotated[int, typer.Option("--limit", "-l", metavar="N", min=0, help="At most so many.")] = 20
    offset: Annotated[int, typer.Option("--offset", "-o", metavar="N", min=0, help="Leave out so many.")] = 0
    payloads: Annotated[
        bool, typer.Option("--payloads", help="With --json: their inputs and outputs, too.")
    ] = False

    def filter(self) -> WorkflowFilter:
        """The client's filter."""
        given = {k: v for k, v in asdict(self).items() if k not in ("oldest_first", "payloads") and v != []}
        return WorkflowFilter(
            **given
            | {
                "status": _statuses(self.status),
                "start_time": _instant("--start-time", self.start_time),
                "end_time": _instant("--end-time", self.end_time),
                "sort_desc": not self.oldest_first,
                "load_input": self.payloads,
                "load_output": self.payloads,
            }
        )


@app.command("list")
@command
def list_workflows(session: Session, wanted: Wanted) -> None:
    """List workflows, the newest first."""
    conditions = wanted.filter()
    with connection.client(session) as client:
        found = client.list_workflows(conditions)
    if session.as_json:
        output.print_json(found)
        return
    columns = ("workflow_id", "status", "name", "queue_name", "created_at")
    rows = [(w.workflow_id, w.status, w.name, w.queue_name, output.clock(w.created_at)) for w in found]
    output.print_table(columns, rows, empty="no such workflows")


@app.command()
@command
def get(workflow_id: WorkflowId, session: Session) -> None:
    """Show one workflow: all that its row says."""
    with connection.client(session) as client:
        found = client.get_workflow(workflow_id)
    _show(session, found)


@app.command()
@command
def steps(workflow_id: WorkflowId, session: Session) -> None:
    """List what a workflow has done: its recorded steps, in order."""
    with connection.client(session) as client:
        found = client.list_workflow_steps(workflow_id)
        if not found:
            client.get_workflow(workflow_id)  # raises where there is none
    if session.as_json:
        output.print_json(found)
        return
    columns = ("function_id", "function_name", "started_at", "took", "outcome")
    output.print_table(columns, map(_step_row, found), empty=f"{workflow_id} has no steps yet")


@app.command()
@command
def messages(workflow_id: WorkflowId, session: Session) -> None:
    """List the messages that were sent to a workflow, and which operation received them."""
    with connection.client(session) as client:
        found = client.list_workflow_messages(workflow_id)
        if not found:
            client.get_workflow(workflow_id)  # raises where there is none
    if session.as_json:
        output.print_json(found)
        return
    rows = [
        (output.clock(m.created_at_epoch_ms), m.topic, m.consumed_by_function_id, m.message) for m in found
    ]
    columns = ("created_at", "topic", "received_by", "message")
    output.print_table(columns, rows, empty=f"{workflow_id} was sent no message")


@app.command()
@command
def events(workflow_id: WorkflowId, session: Session) -> None:
    """List what a workflow has published: every value, in order."""
    with connection.client(session) as client:
        found = client.list_workflow_events(workflow_id)
        if not found:
            client.get_workflow(workflow_id)  # raises where there is none
    if session.as_json:
        output.print_json(found)
        return
    rows = [(event.function_id, event.key, event.value) for event in found]
    output.print_table(("function_id", "key", "value"), rows, empty=f"{workflow_id} has published nothing")


@app.command()
@command
def cancel(workflow_id: WorkflowId, session: Session) -> None:
    """Cancel a workflow: it stops at its next step. One that has ended stays as it is."""
    with connection.client(session) as client:
        client.cancel_workflow(workflow_id)
        _report(session, client, workflow_id)


@app.command()
@command
def resume(workflow_id: WorkflowId, session: Session) -> None:
    """Resume a workflow that was cancelled or set aside: it goes on from its last recorded step."""
    with connection.client(session) as client:
        client.resume_workflow(workflow_id)
        _report(session, client, workflow_id)


@app.command()
@command
def stranded(session: Session, wanted: Wanted) -> None:
    """List workflows that were set aside because what they recorded does not fit the code any more."""
    conditions = replace(wanted.filter(), status=None)
    with connection.client(session) as client:
        found = client.list_stranded(conditions)
    if session.as_json:
        output.print_json(found)
        return
    columns = ("workflow_id", "name", "function_id", "recorded", "asked", "stranded_at")
    rows = [
        (w.workflow_id, w.name, w.function_id, w.recorded, w.asked, output.clock(w.stranded_at))
        for w in found
    ]
    output.print_table(columns, rows, empty="no stranded workflows")


@app.command()
@command
def move(
    workflow_ids: Annotated[list[str], typer.Argument(metavar="ID...", help="The workflows' ids.")],
    session: Session,
    to: Annotated[
        str | None, typer.Option("--to", metavar="VERSION", help="A version that a worker has registered.")
    ] = None,
    to_latest: Annotated[
        bool, typer.Option("--to-latest", help="Whichever version is the latest when they run.")
    ] = False,
) -> None:
    """Let the workers of another version run workflows that wait; stranded ones go back on their queues."""
    if (to is None) is not to_latest:
        raise UsageError("where to? give --to VERSION, or --to-latest")
    with connection.client(session) as client:
        moved = client.move_workflows(workflow_ids, to)
    if session.as_json:
        output.print_json({"moved": moved})
        return
    for workflow_id in workflow_ids:
        word = "moved" if workflow_id in moved else "not moved: it runs, has ended, or does not exist"
        print(output.printable(f"{workflow_id} {word}"))


def _report(session: Session, client: DBOSClient, workflow_id: str) -> None:
    found = client.get_workflow(workflow_id)
    if session.as_json:
        output.print_json(found)
    else:
        print(output.printable(f"{found.workflow_id} {found.status}"))


def _show(session: Session, found: WorkflowStatus) -> None:
    if session.as_json:
        output.print_json(found)
        return
    fields = {name: value for name, value in vars(found).items() if value not in (None, (), False)}
    output.print_fields({k: output.instant(v) if k in TIMES else v for k, v in fields.items()})


def _step_row(step: StepInfo) -> tuple[Any, ...]:
    took = output.seconds(step.started_at_epoch_ms, step.completed_at_epoch_ms)
    outcome = step.child_workflow_id or step.error or step.output
    return step.function_id, step.function_name, output.clock(step.started_at_epoch_ms), took, outcome


def _statuses(given: list[str] | None) -> Any:
    if not given:
        return None
    chosen = [status for text in given for status in (ACTIVE if text == "active" else [text.upper()])]
    unknown = [status for status in chosen if status not in ACTIVE + TERMINAL]
    if unknown:
        allowed = ", ".join(ACTIVE + TERMINAL)
        raise UsageError(f"--status {unknown[0]}: there is no such status; there are {allowed}, or active")
    return cast("Any", chosen)


def _instant(option: str, text: str | None) -> datetime | None:
    """An instant; local time where it names no zone."""
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        raise UsageError(f"{option} {text!r} is not a time: write it like 2026-05-01T19:30 (local)") from None
