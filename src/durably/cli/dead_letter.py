"""`durably dead-letter`: workflows that were set aside after too many recoveries."""

from __future__ import annotations

from typing import Annotated

import typer

from durably.cli import connection, output
from durably.cli.command import Session, command
from durably.types import WorkflowFilter

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Workflows that were set aside after too many recoveries.")

Named = Annotated[str | None, typer.Option("--name", metavar="NAME", help="Only of this workflow name.")]


@app.command("list")
@command
def list_dead_letters(session: Session, name: Named = None) -> None:
    """List the workflows that were set aside."""
    with connection.client(session) as client:
        found = client.list_dead_letters(WorkflowFilter(name=name))
    if session.as_json:
        output.print_json(found)
        return
    columns = ("workflow_id", "name", "attempts", "created_at")
    rows = [(w.workflow_id, w.name, w.recovery_attempts, output.clock(w.created_at)) for w in found]
    output.print_table(columns, rows, empty="no workflow is set aside")


@app.command()
@command
def requeue(
    session: Session,
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Which; otherwise all, or all of --name.")
    ] = None,
    name: Named = None,
    queue: Annotated[
        str | None, typer.Option(metavar="QUEUE", help="Where they go on; otherwise DBOS's internal queue.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say which.")] = False,
) -> None:
    """Let them go on from their last recorded operation, with their attempts counted anew."""
    chosen = WorkflowFilter(workflow_ids=tuple(ids) if ids else None, name=name)
    with connection.client(session) as client:
        found = client.requeue_dead_letters(chosen, queue_name=queue, dry_run=dry_run)
    if session.as_json:
        output.print_json(found)
    else:
        print("\n".join(map(output.printable, found)) if found else "none is set aside")
