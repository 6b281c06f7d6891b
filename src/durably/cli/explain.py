"""`durably explain`: why a workflow is not running."""

from __future__ import annotations

from typing import Annotated

import typer

from durably.cli import connection, output
from durably.cli.command import Session, command
from durably.cli.completion import ids_completed

__all__ = ["app"]

app = typer.Typer()


@app.command()
@command
def explain(
    workflow_id: Annotated[
        str, typer.Argument(metavar="ID", help="The workflow's id.", autocompletion=ids_completed)
    ],
    session: Session,
) -> None:
    """Say why a workflow is not running, or what it is doing.

    Example: durably explain order-17
    """
    with connection.client(session) as client:
        found = client.explain(workflow_id)
    output.answer(session.form, found, f"{found.status}, {found.reason}: {found.message}", id_=workflow_id)
