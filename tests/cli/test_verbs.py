"""Every verb of the client is a command's, and every command has a line of help and an example."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

import durably.cli
from durably.cli.main import app
from durably.client import AsyncDBOSClient

# Verbs that no command calls, and why.
WITHOUT_COMMAND = {
    "create": "every command's options are what it takes",
    "destroy": "a command closes its client",
    "schema": "it is the option --schema",
    "application_name": "it is the option --application-name",
    "delete_workflow": "`workflow delete` gives one id to delete_workflows, which says the same of it",
    "account_of_session": "it is the console's, for whom a browser's session is",
    "keeps_audit": "`audit` says so itself",
    "log_in": "it is the console's: a command has the rights of its database role",
    "log_out": "it is the console's",
    "token_of_secret": "it is the HTTP API's",
    "get_workflow_payloads": "`workflow get` has them whole; this cuts them for a page",
    "list_event_records": "`workflow events` has them whole; this is a page of the console",
    "list_message_records": "`workflow messages` has them whole; this is a page of the console",
    "list_step_records": "`workflow steps` has them whole; this is a page of the console",
    "list_stream_keys": "`workflow streams` has them; this is a page of the console",
    "list_stream_records": "`workflow streams` and `stream` have them whole; this is a page of the console",
    "list_workflow_family": "`workflow tree` has all descendants; this cuts the tree for a picture",
    "activity": "it counts for a picture of the console; `queue activity` and `top` are for terminals",
    "count_by_status": "it is what /metrics tells; `workflow count` counts at a terminal",
    "count_statuses": "it labels the filters of a page of the console; `workflow count` counts at a terminal",
    "as_completed": "a command answers once: `workflow wait` when all have ended, or with --any the first",
    "get_overview": "it is the console's first page; `top` is the terminal's",
    "search_workflows": "it is a page of the console; `workflow list` has the filters",
    "workflows_by_id_prefix": "`workflow list --id-prefix` lists them; this completes what is typed",
    "diagnose": "`doctor` must work where no client can be opened, and asks diagnose_database",
}
WITHOUT_EXAMPLE = {"console", "demo", "worker", "account", "token"}  # and the groups of these names


def called() -> set[str]:
    """The attributes that the commands' sources call."""
    found = set()
    for path in Path(inspect.getfile(durably.cli)).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                found.add(node.func.attr)
    return found


def verbs() -> set[str]:
    return {name for name in dir(AsyncDBOSClient) if not name.startswith("_")}


def test_every_verb_of_the_client_has_a_command() -> None:
    assert sorted(verbs() - called() - WITHOUT_COMMAND.keys()) == []


def test_no_exception_outlives_its_reason() -> None:
    assert sorted(WITHOUT_COMMAND.keys() - verbs()) == []


def commands(group: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    group = group or typer.main.get_command(app)
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        elif not command.hidden:
            yield " ".join((*path, name)), command


COMMANDS = dict(commands())


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_says_what_it_does_and_how_it_is_called(name: str) -> None:
    said = inspect.cleandoc(COMMANDS[name].help)
    first = said.splitlines()[0]
    assert first.endswith("."), first
    if name.split()[0] not in WITHOUT_EXAMPLE:
        assert f"durably {name}" in said.partition("Example: ")[2]


@pytest.mark.parametrize("name", COMMANDS)
def test_options_mean_the_same_everywhere(name: str) -> None:
    """One letter, one meaning."""
    short = {
        letter: param.name for param in COMMANDS[name].params for letter in param.opts if len(letter) == 2
    }
    meanings = {
        "-o": {"chosen_form"},
        "-y": {"yes"},
        "-q": {"queue_name"},
        "-n": {"name"},
        "-S": {"status"},
        "-v": {"app_version"},
        "-u": {"authenticated_user"},
        "-l": {"limit"},
        "-t": {"start_time"},
        "-e": {"end_time"},
    }
    assert {letter: name for letter, name in short.items() if name not in meanings.get(letter, ())} == {}
