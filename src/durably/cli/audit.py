"""`durably audit`: who did what, at the console, on the command line and over HTTP."""

from __future__ import annotations

from typing import Annotated

import typer

from durably.cli import connection, output
from durably.cli.command import Session, command
from durably.cli.conditions import instant

__all__ = ["app"]

app = typer.Typer()


@app.command()
@command
def audit(
    session: Session,
    who: Annotated[str | None, typer.Option("--who", metavar="NAME", help="Only what this one did.")] = None,
    verb: Annotated[str | None, typer.Option("--verb", metavar="VERB", help="Such as `pause`.")] = None,
    kind: Annotated[
        str | None, typer.Option("--kind", metavar="KIND", help="To what: `workflow`, `queue`, ...")
    ] = None,
    target: Annotated[str | None, typer.Option("--target", metavar="ID", help="To which one.")] = None,
    since: Annotated[str | None, typer.Option("--since", metavar="TIME", help="Then or later.")] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="TIME", help="Before then.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-l", metavar="N", min=1, help="At most so many.")] = 50,
) -> None:
    """List who did what, the newest first.

    Example: durably audit --kind queue --since 2026-05-01
    """
    with connection.client(session) as client:
        found = client.list_audit(
            who=who,
            verb=verb,
            kind=kind,
            target=target,
            since=instant("--since", since),
            until=instant("--until", until),
            limit=limit,
        )
    output.print_list(
        session.form,
        found,
        columns=("at", "who", "verb", "kind", "targets", "outcome", "did"),
        row=lambda each: (
            output.clock(each.at),
            each.who,
            each.verb,
            each.kind,
            ", ".join(each.targets),
            each.outcome,
            each.did,
        ),
        id_of=lambda each: str(each.audit_id),
        empty="nothing was done, or no audit is kept",
    )
