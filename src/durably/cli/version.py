"""`durably version`: the versions of applications, and which of them is the latest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from durably.cli import connection, output
from durably.cli.command import Session, command
from durably.cli.completion import versions_completed
from durably.cli.output import Form
from durably.types import ApplicationVersion

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="The versions of applications, and which one is the latest.")

VersionName = Annotated[
    str, typer.Argument(metavar="VERSION", help="The version's name.", autocompletion=versions_completed)
]


@app.command("list")
@command
def list_versions(session: Session) -> None:
    """List the versions that workers have registered, the latest first, and how many executors of each live.

    Example: durably version list
    """
    with connection.client(session) as client:
        found = client.list_application_versions()
        alive = [each.app_version for each in client.list_executors() if each.state == "alive"]
    output.print_list(
        session.form,
        [{**vars(version), "executors": alive.count(version.version_name)} for version in found],
        columns=("version_name", "application_name", "latest_since", "created_at", "executors"),
        row=lambda v: (
            v["version_name"],
            v["application_name"],
            output.clock(v["version_timestamp"]),
            output.clock(v["created_at"]),
            v["executors"],
        ),
        id_of=lambda v: str(v["version_name"]),
        empty="no worker has registered a version here yet",
    )


@app.command()
@command
def loads(session: Session) -> None:
    """Count the work that has not ended, by the version that it is for; none: for the latest one.

    Example: durably version loads
    """
    with connection.client(session) as client:
        found = client.version_loads()
    output.print_list(
        session.form,
        found,
        columns=("version_name", "enqueued", "delayed", "running"),
        row=lambda each: (
            each.app_version,
            *(output.up_to(n, each.counted_to) for n in (each.enqueued, each.delayed, each.running)),
        ),
        id_of=lambda each: each.app_version or "",
        empty="all work has ended",
    )


@app.command()
@command
def latest(session: Session) -> None:
    """Show the latest version: its workers run what was enqueued for no version.

    Example: durably version latest -o ids
    """
    with connection.client(session) as client:
        found = client.get_latest_application_version()
    if session.form is Form.json:
        output.print_json(found)
    else:
        _show(session, [found] if found else [])


@app.command()
@command
def set_latest(version_name: VersionName, session: Session) -> None:
    """Make a version the latest, from now on: a deploy is ready, or is taken back.

    Example: durably version set-latest tickets@2026-11-26
    """
    with connection.client(session) as client:
        found = client.set_latest_application_version(version_name)
    output.answer(session.form, found, f"{found.version_name} is the latest", id_=found.version_name)


def _show(session: Session, versions: Sequence[ApplicationVersion]) -> None:
    output.print_list(
        session.form,
        versions,
        columns=("version_name", "application_name", "latest_since", "created_at"),
        row=lambda v: (
            v.version_name,
            v.application_name,
            output.clock(v.version_timestamp),
            output.clock(v.created_at),
        ),
        id_of=lambda v: v.version_name,
        empty="no worker has registered a version here yet",
    )
