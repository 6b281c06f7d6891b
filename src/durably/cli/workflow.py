"""`durably workflow`: look at workflows; `steering`, `forking` and `waiting` have its other commands."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import typer

from durably.cli import connection, dead_letter, forking, numbers, output, steering, waiting
from durably.cli.command import Session, command
from durably.cli.completion import ids_completed
from durably.cli.conditions import PAGE, Conditions, Wanted
from durably.cli.output import Form
from durably.types import StepInfo, WorkflowFilter, WorkflowStatus

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="List, look at and steer workflows.")

WorkflowId = Annotated[
    str, typer.Argument(metavar="ID", help="The workflow's id.", autocompletion=ids_completed)
]
TIMES = {
    "created_at",
    "updated_at",
    "dequeued_at",
    "completed_at",
    "delay_until_epoch_ms",
    "workflow_deadline_epoch_ms",
}
COLUMNS = ("workflow_id", "status", "name", "queue_name", "created_at")
FAMILY = 10_000  # descendants that a tree shows
TOGETHER = 500  # parents whose children are asked for at once


@app.command("list")
@command
def list_workflows(session: Session, wanted: Wanted) -> None:
    """List workflows, the newest first.

    Example: durably workflow list --status ERROR --name sendEmail -o ids
    """
    conditions = wanted.filter(session.form)
    with connection.client(session) as client:
        found = client.list_workflows(conditions)
    _list(session, found, "no such workflows")
    if wanted.limit is None and len(found) == conditions.limit:
        output.note(f"these are {PAGE}, and there may be more: --limit N, or -o ids for all")


@app.command()
@command
def count(session: Session, conditions: Conditions) -> None:
    """Count workflows.

    Example: durably workflow count --status active --queue mails
    """
    with connection.client(session) as client:
        number = client.count_workflows(WorkflowFilter(**conditions.conditions()))
    output.answer(session.form, {"count": number}, str(number), id_=str(number))


@app.command()
@command
def get(workflow_id: WorkflowId, session: Session) -> None:
    """Show one workflow: all that its row says.

    Example: durably workflow get order-17
    """
    with connection.client(session) as client:
        found = client.get_workflow(workflow_id)
    if session.form is not Form.table:
        return output.answer(session.form, found, "", id_=workflow_id)
    fields = {name: value for name, value in vars(found).items() if value not in (None, (), False)}
    output.print_fields({k: output.instant(v) if k in TIMES else v for k, v in fields.items()})


@app.command()
@command
def steps(workflow_id: WorkflowId, session: Session) -> None:
    """List what a workflow has done: its recorded steps, in order.

    Example: durably workflow steps order-17
    """
    with connection.client(session) as client:
        found = client.list_workflow_steps(workflow_id)
        if not found:
            client.get_workflow(workflow_id)  # raises where there is none
    output.print_list(
        session.form,
        found,
        columns=("function_id", "function_name", "started_at", "took", "outcome"),
        row=_step_row,
        id_of=lambda step: str(step.function_id),
        empty=f"{workflow_id} has no steps yet",
    )


@app.command()
@command
def messages(workflow_id: WorkflowId, session: Session) -> None:
    """List the messages that were sent to a workflow, and which operation received them.

    Example: durably workflow messages order-17 -o json
    """
    with connection.client(session) as client:
        found = client.list_workflow_messages(workflow_id)
        if not found:
            client.get_workflow(workflow_id)  # raises where there is none
    output.print_list(
        session.form,
        found,
        columns=("created_at", "topic", "received_by", "message"),
        row=lambda m: (output.clock(m.created_at_epoch_ms), m.topic, m.consumed_by_function_id, m.message),
        id_of=lambda m: m.message_uuid,
        empty=f"{workflow_id} was sent no message",
    )


@app.command()
@command
def events(
    workflow_id: WorkflowId,
    session: Session,
    latest: Annotated[bool, typer.Option("--latest", help="Only the last value of each key.")] = False,
) -> None:
    """List what a workflow has published: every value, in order.

    Example: durably workflow events order-17 --latest
    """
    with connection.client(session) as client:
        if latest:
            items = [{"key": k, "value": v} for k, v in client.get_all_events(workflow_id).items()]
        else:
            items = [vars(event) for event in client.list_workflow_events(workflow_id)]
        if not items:
            client.get_workflow(workflow_id)  # raises where there is none
    columns = ("key", "value") if latest else ("function_id", "key", "value")
    output.print_list(
        session.form,
        items,
        columns=columns,
        row=lambda item: [item[column] for column in columns],
        id_of=lambda item: str(item["key"]),
        empty=f"{workflow_id} has published nothing",
    )


@app.command()
@command
def streams(workflow_id: WorkflowId, session: Session) -> None:
    """List what is in the streams of a workflow now; `durably stream` follows one.

    Example: durably workflow streams chat-17
    """
    with connection.client(session) as client:
        found = client.list_workflow_streams(workflow_id)
        if not found:
            client.get_workflow(workflow_id)  # raises where there is none
    items = [
        {"key": key, "offset": offset, "value": value}
        for key, values in found.items()
        for offset, value in enumerate(values)
    ]
    output.print_list(
        session.form,
        items,
        columns=("key", "offset", "value"),
        row=lambda item: tuple(item.values()),
        id_of=lambda item: str(item["key"]),
        empty=f"{workflow_id} has written no stream",
    )


@app.command()
@command
def generations(workflow_id: WorkflowId, session: Session) -> None:
    """List the generations of a workflow that continued as new, the oldest first.

    Example: durably workflow generations poller
    """
    with connection.client(session) as client:
        found = client.list_workflow_generations(workflow_id)
    _list(session, found, "no generations")


@app.command()
@command
def tree(workflow_id: WorkflowId, session: Session) -> None:
    """Show a workflow and all that it started, and that those started.

    Example: durably workflow tree order-17
    """
    with connection.client(session) as client:
        found = [client.get_workflow(workflow_id)]
        level = [workflow_id]
        while level and len(found) < FAMILY:
            wanted = WorkflowFilter(
                parent_workflow_id=level[:TOGETHER],
                limit=FAMILY - len(found),
                load_input=False,
                load_output=False,
            )
            children = client.list_workflows(wanted)
            found += children
            level = level[TOGETHER:] + [child.workflow_id for child in children]
    if session.form is not Form.table:
        return _list(session, found, "")
    for depth, each in _nested(found):
        print(output.printable(f"{'  ' * depth}{each.workflow_id}  {each.status}  {each.name}"))
    if len(found) >= FAMILY:
        output.note(f"and perhaps more: only {FAMILY:,} are shown")


@app.command()
@command
def stranded(session: Session, wanted: Wanted) -> None:
    """List workflows that were set aside because what they recorded does not fit the code any more.

    Example: durably workflow stranded -o ids | durably workflow move - --to-latest
    """
    conditions = replace(wanted.filter(session.form), status=None)
    with connection.client(session) as client:
        found = client.list_stranded(conditions)
    output.print_list(
        session.form,
        found,
        columns=("workflow_id", "name", "function_id", "recorded", "asked", "stranded_at"),
        row=lambda w: (
            w.workflow_id,
            w.name,
            w.function_id,
            w.recorded,
            w.asked,
            output.clock(w.stranded_at),
        ),
        id_of=lambda w: w.workflow_id,
        empty="no stranded workflows",
    )


app.registered_commands += steering.app.registered_commands
app.registered_commands += forking.app.registered_commands
app.registered_commands += waiting.app.registered_commands
app.registered_commands += numbers.app.registered_commands
app.command("requeue", hidden=True)(dead_letter.requeue)


def _list(session: Session, found: list[WorkflowStatus], empty: str) -> None:
    output.print_list(
        session.form,
        found,
        columns=COLUMNS,
        row=lambda w: (w.workflow_id, w.status, w.name, w.queue_name, output.clock(w.created_at)),
        id_of=lambda w: w.workflow_id,
        empty=empty,
    )


def _nested(found: list[WorkflowStatus]) -> list[tuple[int, WorkflowStatus]]:
    """Each with its depth, children behind their parent. A child is never its own ancestor."""
    children: dict[str | None, list[WorkflowStatus]] = {}
    for each in found[1:]:
        children.setdefault(each.parent_workflow_id, []).append(each)
    shown: list[tuple[int, WorkflowStatus]] = []
    todo = [(0, found[0])]
    while todo:
        depth, each = todo.pop()
        shown.append((depth, each))
        todo += [(depth + 1, child) for child in reversed(children.pop(each.workflow_id, []))]
    return shown


def _step_row(step: StepInfo) -> tuple[Any, ...]:
    took = output.seconds(step.started_at_epoch_ms, step.completed_at_epoch_ms)
    outcome = step.child_workflow_id or step.error or step.output
    return step.function_id, step.function_name, output.clock(step.started_at_epoch_ms), took, outcome
