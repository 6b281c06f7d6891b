"""`durably dead-letter`: workflows that were set aside after too many recoveries."""

from __future__ import annotations

from typing import Annotated

import typer

from durably.cli import bulk, connection, output
from durably.cli.bulk import Deed, Which
from durably.cli.command import Session, command
from durably.cli.completion import ids_completed, queues_completed
from durably.cli.conditions import Chosen
from durably.types import WorkflowFilter

__all__ = ["app", "requeue"]

app = typer.Typer(no_args_is_help=True, help="Workflows that were set aside after too many recoveries.")

Named = Annotated[str | None, typer.Option("--name", metavar="NAME", help="Only of this workflow name.")]


@app.command("list")
@command
def list_dead_letters(session: Session, name: Named = None) -> None:
    """List the workflows that were set aside.

    Example: durably dead-letter list --name charge
    """
    with connection.client(session) as client:
        found = client.list_dead_letters(WorkflowFilter(name=name))
    output.print_list(
        session.form,
        found,
        columns=("workflow_id", "name", "attempts", "created_at"),
        row=lambda w: (w.workflow_id, w.name, w.recovery_attempts, output.clock(w.created_at)),
        id_of=lambda w: w.workflow_id,
        empty="no workflow is set aside",
    )


@app.command()
@command
def requeue(
    session: Session,
    chosen: Chosen,
    ids: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ID]...",
            help="Which; `-` reads them from the standard input. Otherwise all that meet the conditions.",
            autocompletion=ids_completed,
        ),
    ] = None,
    on: Annotated[
        str | None,
        typer.Option(
            "--on",
            metavar="QUEUE",
            help="Where they go on; otherwise DBOS's internal queue.",
            autocompletion=queues_completed,
        ),
    ] = None,
) -> None:
    """Let them go on from their last recorded operation, with their attempts counted anew.

    Example: durably dead-letter requeue --name charge --dry-run
    """
    everything = not ids and not chosen.conditions()
    meant: Which = WorkflowFilter(limit=chosen.limit) if everything else bulk.which(ids, chosen)
    with connection.client(session) as client:
        deed = Deed(
            word="requeued",
            act=lambda some, dry: client.requeue_dead_letters(some, queue_name=on, dry_run=dry),
            otherwise="it is not set aside",
        )
        bulk.perform(session, chosen, meant, deed)
