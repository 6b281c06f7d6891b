"""`durably version`: the versions of applications, and which of them is the latest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from durably.cli import connection, output
from durably.cli.command import Session, command
from durably.types import ApplicationVersion

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="The versions of applications, and which one is the latest.")

VersionName = Annotated[str, typer.Argument(metavar="VERSION", help="The version's name.")]


@app.command("list")
@command
def list_versions(session: Session) -> None:
    """List the versions that workers have registered, the latest first."""
    with connection.client(session) as client:
        found = client.list_application_versions()
    _show(session, found)


@app.command()
@command
def latest(session: Session) -> None:
    """Show the latest version: its workers run what was enqueued for no version."""
    with connection.client(session) as client:
        found = client.get_latest_application_version()
    if session.as_json:
        output.print_json(found)
    else:
        _show(session, [found] if found else [])


@app.command()
@command
def set_latest(version_name: VersionName, session: Session) -> None:
    """Make a version the latest, from now on: a deploy is ready, or is taken back."""
    with connection.client(session) as client:
        found = client.set_latest_application_version(version_name)
    if session.as_json:
        output.print_json(found)
    else:
        print(output.printable(f"{found.version_name} is the latest"))


def _show(session: Session, versions: Sequence[ApplicationVersion]) -> None:
    if session.as_json:
        output.print_json(versions)
        return
    columns = ("version_name", "application_name", "latest_since", "created_at")
    rows = [
        (v.version_name, v.application_name, output.clock(v.version_timestamp), output.clock(v.created_at))
        for v in versions
    ]
    output.print_table(columns, rows, empty="no worker has registered a version here yet")
