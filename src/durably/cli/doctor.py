"""`durably doctor`: is everything as it should be, and what to do where it is not."""

from __future__ import annotations

import asyncio
import sys
import textwrap
from collections.abc import Sequence
from shutil import get_terminal_size
from typing import Annotated

import typer

from durably.cli import connection, output
from durably.cli.command import Session, command
from durably.cli.output import Form
from durably.types import Finding

__all__ = ["app"]

app = typer.Typer()

COLOURS = {"ok": "32", "warning": "33", "error": "31"}
CHECK_WIDTH = 13  # of the longest check
INDENT = 24  # of what is said about one


@app.command()
@command
def doctor(
    session: Session,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 for a warning, too.")] = False,
) -> None:
    """Check connection, server, tables, privileges, vacuum and work, and say what to do.

    It only reads, and works on any DBOS system database, with every worker down. Exits with 1 where
    something is wrong.

    Example: durably doctor -o json
    """
    from durably.client.diagnosing import diagnose_database

    with connection.database(session) as url:
        found = asyncio.run(diagnose_database(url, schema=session.schema))
    _show(session, found)
    bad = ("error", "warning") if strict else ("error",)
    if any(each.level in bad for each in found):
        raise typer.Exit(1)


def _show(session: Session, found: Sequence[Finding]) -> None:
    if session.form is not Form.table:
        output.print_list(
            session.form, found, columns=(), row=lambda each: (), id_of=lambda each: each.check, empty=""
        )
    elif sys.stdout.isatty():
        print("\n".join(line for each in found for line in _lines(each)))
        print(f"\n{_summary(found)}")
    else:
        rows = [(each.level, each.check, each.seen, each.advice, "; ".join(each.examples)) for each in found]
        output.print_table(("level", "check", "seen", "advice", "examples"), rows, empty="")


def _lines(finding: Finding) -> list[str]:
    """A finding for a person: what is seen, what to do, examples."""
    head = f"{finding.level:8} {finding.check:{CHECK_WIDTH}}".ljust(INDENT)
    lines = _wrapped(head, finding.seen)
    lines[0] = lines[0].replace(finding.level, output.coloured(finding.level, COLOURS[finding.level]), 1)
    if finding.level != "ok":
        for example in finding.examples:
            lines += _wrapped(" " * INDENT + "- ", example)
    if finding.advice:
        lines += _wrapped(" " * INDENT + "-> ", finding.advice)
    return lines


def _wrapped(head: str, text: str) -> list[str]:
    width = max(get_terminal_size().columns, INDENT + 20)
    body = textwrap.wrap(output.printable(text), width - len(head)) or [""]
    return [(head if number == 0 else " " * len(head)) + line for number, line in enumerate(body)]


def _summary(found: Sequence[Finding]) -> str:
    counts = {level: sum(each.level == level for each in found) for level in ("ok", "warning", "error")}
    return f"{counts['ok']} ok, {counts['warning']} to look at, {counts['error']} wrong"
