"""`durably executor`: the processes that run workflows."""

from __future__ import annotations

import typer

from durably.cli import connection, output
from durably.cli.command import Session, command

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="The processes that run workflows.")


@app.callback()
def _executor() -> None: ...


@app.command("list")
@command
def list_executors(session: Session) -> None:
    """List the processes that run workflows: durably's by their leases, DBOS's while something runs on them.

    Example: durably executor list
    """
    with connection.client(session) as client:
        found = client.list_executors()
    output.print_list(
        session.form,
        found,
        columns=("executor_id", "state", "application", "version", "running", "host", "pid", "heartbeat"),
        row=lambda each: (
            each.executor_id,
            each.state,
            each.application_name,
            each.app_version,
            each.running,
            each.host,
            each.pid,
            output.clock(each.heartbeat_at),
        ),
        id_of=lambda each: each.executor_id,
        empty="nobody runs workflows here",
    )
