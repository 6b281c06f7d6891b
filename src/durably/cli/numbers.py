"""`durably workflow names|attempts|summary`: what is known of workflows, in names and numbers."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from durably.cli import connection, output
from durably.cli.command import Session, command
from durably.cli.completion import ids_completed
from durably.cli.output import Form

__all__ = ["app"]

app = typer.Typer()

WorkflowId = Annotated[
    str, typer.Argument(metavar="ID", help="The workflow's id.", autocompletion=ids_completed)
]


@app.command()
@command
def names(session: Session) -> None:
    """List the workflows that are known here by name, and where each ran last.

    Example: durably workflow names
    """
    with connection.client(session) as client:
        found = client.list_known_workflows()
    output.print_list(
        session.form,
        found,
        columns=("name", "class_name", "queue_name", "application", "last_started"),
        row=lambda each: (
            each.name,
            each.class_name,
            each.queue_name,
            each.application_name,
            output.clock(each.last_started_at),
        ),
        id_of=lambda each: each.name,
        empty="no workflow has run here yet",
    )


@app.command()
@command
def attempts(workflow_id: WorkflowId, session: Session) -> None:
    """Show a workflow's attempts: those of its retry, and the process that has it or had it last.

    Example: durably workflow attempts order-17
    """
    with connection.client(session) as client:
        client.get_workflow(workflow_id)  # raises where there is none
        found = client.get_workflow_attempts(workflow_id)
    if found is None:
        return output.note("nothing is known of attempts here: run `durably db migrate`")
    _show(session, workflow_id, found)


@app.command()
@command
def summary(workflow_id: WorkflowId, session: Session) -> None:
    """Show how many steps a workflow has recorded, how many failed, and when.

    Example: durably workflow summary order-17
    """
    with connection.client(session) as client:
        found = client.summarize_steps(workflow_id)
    _show(session, workflow_id, found)


def _show(session: Session, workflow_id: str, found: Any) -> None:
    if session.form is not Form.table:
        return output.answer(session.form, found, "", id_=workflow_id)
    shown = {name: value for name, value in vars(found).items() if value is not None and name != "bins"}
    output.print_fields(
        {name: output.instant(v) if name.endswith("_epoch_ms") else v for name, v in shown.items()}
    )
