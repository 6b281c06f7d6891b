"""Writes docs/cli.md from the commands: `python -m tools.generate_cli_docs`, and `--check` in a test."""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from durably.cli.command import PANEL
from durably.cli.failures import EXIT_CODES
from durably.cli.main import app

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs/cli.md"

HEAD = """# The command `durably`

<!-- Generated from the commands; do not edit: python -m tools.generate_cli_docs -->

Drives any DBOS system database, whatever language its applications are written in, with every worker down.

## Manners

* **Which database**: `--system-database-url` or `--database-url`, otherwise `DURABLY_SYSTEM_DATABASE_URL`,
  otherwise `DURABLY_DATABASE_URL`, otherwise the embedded server of `./.durably`.
* **Answers are on stdout, everything else on stderr.** A table is for a person; to a pipe it is whole, and
  separated by tabs. `-o json` is one document, `-o jsonl` one document a line, `-o ids` one id a line.
* **Ids are read from stdin** where an id is `-`:
  `durably workflow list --status ERROR -o ids | durably workflow rewind - --from failure`.
* **What is done to many** is tried with `--dry-run` first: it says how many, shows some, and changes nothing.
  On a terminal you are asked before more than 10 are changed (`--yes`: you are not). Ctrl-C lets the batch
  under way end, says how many were done, and exits with 130; a second one stops at once.
* **Ids, names and payloads are text**, never markup; what a terminal would obey is shown as `\\x1b`.
* **Deeds are audited**, in the console's words (`durably audit`), as done by `DURABLY_ACTOR`, otherwise by
  the user of the operating system and the machine: `ada@db-1`. Dry runs leave no trace; without durably's own
  schema nothing is noted.
* **Completion**: `durably --install-completion` for bash, zsh and fish. Ids, queues, schedules and versions
  come from the database, within two seconds or not at all.

## Exit codes

| code | meaning |
|---|---|
"""


def main() -> int:
    """Write the reference, or with --check tell that it is stale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if it would change")
    check = parser.parse_args().check
    wanted, present = generate(), TARGET.read_text("utf-8") if TARGET.exists() else ""
    if wanted == present:
        return 0
    if check:
        print("docs/cli.md is not as generated: python -m tools.generate_cli_docs", file=sys.stderr)
        return 1
    TARGET.write_text(wanted, "utf-8")
    print(f"wrote {TARGET.relative_to(ROOT)}")
    return 0


def generate() -> str:
    """The whole reference."""
    codes = "".join(f"| {code} | {meaning} |\n" for code, meaning in EXIT_CODES.items())
    commands = dict(_commands(typer.main.get_command(app), ()))
    shared = [each for each in next(iter(commands.values())).params if _is_shared(each)]
    parts = [
        HEAD + codes,
        "## Options of every command\n\n" + _options(shared),
        "## Commands\n\n" + _index(commands),
    ]
    parts += [_section(name, command) for name, command in commands.items()]
    return "\n".join(parts)


def _commands(group: Any, path: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, (*path, name))
        elif not command.hidden:
            yield " ".join((*path, name)), command


def _index(commands: dict[str, Any]) -> str:
    rows = (
        f"| [`{name}`](#durably-{name.replace(' ', '-')}) | {_first(each)} |\n"
        for name, each in commands.items()
    )
    return "| command | what it does |\n|---|---|\n" + "".join(rows)


def _first(command: Any) -> str:
    return _cell(inspect.cleandoc(command.help).partition("\n\n")[0])


def _section(name: str, command: Any) -> str:
    said, _, example = inspect.cleandoc(command.help).partition("Example: ")
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    own = [each for each in command.params if each.param_type_name == "option" and not _is_shared(each)]
    words = " ".join(["durably", name, *map(_metavar, arguments), *(["[OPTIONS]"] if own else [])])
    parts = [f"### durably {name}\n", said.strip() + "\n", f"```\n{words}\n```\n"]
    if example:
        parts.append(f"```sh\n{example.strip()}\n```\n")
    if arguments:
        parts.append("".join(f"* `{_metavar(each)}`: {each.help or ''}\n" for each in arguments))
    if own:
        parts.append(_options(own))
    return "\n".join(parts)


def _metavar(argument: Any) -> str:
    return str(argument.metavar or argument.name.upper())


def _is_shared(parameter: Any) -> bool:
    return getattr(parameter, "rich_help_panel", None) == PANEL


def _options(options: list[Any]) -> str:
    return "| option | meaning |\n|---|---|\n" + "".join(map(_option, options))


def _option(option: Any) -> str:
    names = ", ".join(
        f"`{name}`" for name in sorted([*option.opts, *option.secondary_opts], key=len, reverse=True)
    )
    metavar = "" if option.is_flag else f" {_cell(option.metavar or option.name.upper())}"
    needed = " Required." if option.required else ""
    default = "" if option.is_flag or option.default in (None, ()) else f" Otherwise {option.default}."
    return f"| {names}{metavar} | {_cell(option.help or '')}{needed}{default} |\n"


def _cell(text: str) -> str:
    """On one line, with what would end a cell escaped."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;") if text.strip() else ""


if __name__ == "__main__":
    sys.exit(main())
