"""Assembles the command `durably`; its entry point."""

from __future__ import annotations

import importlib.metadata
import os
import sys
from collections.abc import Sequence
from typing import Annotated, Any

try:
    import typer
except ModuleNotFoundError:
    sys.exit("durably: the command line needs typer and rich: pip install 'durably[cli]'")

from durably.cli import (
    account,
    audit,
    console,
    db,
    dead_letter,
    demo,
    doctor,
    enqueue,
    executor,
    explain,
    messages,
    queue,
    schedule,
    top,
    version,
    worker,
    workflow,
)
from durably.cli.failures import EXIT_CODES, INTERRUPTED, USAGE
from durably.cli.text import printable

__all__ = ["app", "main"]

EPILOG = "Exit codes: " + "; ".join(f"{code} {meaning}" for code, meaning in EXIT_CODES.items()) + "."
COMPLETING = "_DURABLY_COMPLETE"
HELP_OPTION = {"help_option_names": ["-h", "--help"]}

app = typer.Typer(
    name="durably",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings=HELP_OPTION,
    epilog=EPILOG,
    help="Durable workflows on PostgreSQL: run applications, and drive any that uses DBOS's system database.",
)
PANELS = {
    "Run": (worker, demo, console),
    "Start and talk to workflows": (enqueue, messages),
    "Look": (explain, top, doctor, audit),
}
GROUPS = {
    "workflow": workflow.app,
    "queue": queue.app,
    "schedule": schedule.app,
    "dead-letter": dead_letter.app,
    "executor": executor.app,
    "version": version.app,
    "db": db.app,
    "account": account.app,
    "token": account.tokens,
}
for panel, modules in PANELS.items():
    for module in modules:
        for info in module.app.registered_commands:
            info.rich_help_panel = panel
            app.registered_commands.append(info)
for noun, group in GROUPS.items():
    app.add_typer(group, name=noun, rich_help_panel="List and operate, by noun")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit code."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    if COMPLETING in os.environ:  # the shell asks: typer answers and exits
        app(arguments, prog_name="durably")
    try:
        code = app(arguments, standalone_mode=False, prog_name="durably")
        sys.stdout.flush()
    except (BrokenPipeError, SystemExit):  # typer exits so when the pipe that it prints to is closed
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    except typer.Abort:
        return INTERRUPTED
    except _UsageError as error:
        return _refuse(error)
    return code if isinstance(code, int) else 0


def _refuse(error: Any) -> int:
    if message := error.format_message():  # none where the help was printed instead
        path = error.ctx.command_path if error.ctx else "durably"
        print(f"{path}: {printable(message)}\nSee {path} --help.", file=sys.stderr)
    return USAGE


_UsageError: Any = typer.BadParameter.__base__  # click's, which newer releases of typer carry inside


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"durably {importlib.metadata.version('durably')}")
        raise typer.Exit


@app.callback()
def _durably(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None: ...


if __name__ == "__main__":
    sys.exit(main())
