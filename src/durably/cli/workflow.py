"""`durably workflow`: list, look at and move workflows; `steering` has what else is done to them."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import typer

from durably.cli import connection, output, steering
from durably.cli.command import Session, command
from durably.cli.conditions import Wanted
from durably.cli.failures import UsageError
from durably.types import StepInfo, WorkflowStatus

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="List, look at and steer workflows.")

WorkflowId = Annotated[str, typer.Argument(metavar="ID", help="The workflow's id.")]
TIMES = {
    "created_at",
    "updated_at",
    "dequeued_at",
    "completed_at",
    "delay_until_epoch_ms",
    "workflow_deadline_epoch_ms",
}


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


app.registered_commands += steering.app.registered_commands


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
