"""`durably explain`: why a workflow is not running."""

from __future__ import annotations

from typing import Annotated

import typer

from durably.cli import connection, output
from durably.cli.command import Session, command

__all__ = ["app"]

app = typer.Typer()


@app.command()
@command
def explain(
    workflow_id: Annotated[str, typer.Argument(metavar="ID", help="The workflow's id.")], session: Session
) -> None:
    """Say why a workflow is not running, or what it is doing."""
    with connection.client(session) as client:
        found = client.explain(workflow_id)
    if session.as_json:
        output.print_json(found)
    else:
        print(output.printable(f"{found.status}, {found.reason}: {found.message}"))
