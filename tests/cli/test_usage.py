"""Help, version, and what is wrong with a command line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from durably.cli.failures import EXIT_CODES
from durably.cli.main import app
from tests.cli.shell import COMMAND, Durably

GROUPS = ["worker", "enqueue", "send", "event", "workflow", "db", "demo"]


def test_help_lists_commands_and_exit_codes(nowhere: Durably) -> None:
    done = nowhere("--help")
    assert (done.code, done.err) == (0, "")
    words = " ".join(done.out.split())
    assert [group for group in GROUPS if group not in words] == []
    assert [code for code, meaning in EXIT_CODES.items() if f"{code} {meaning}" not in words] == []


@pytest.mark.parametrize("command", ["worker", "enqueue", "workflow list", "db migrate", "demo"])
def test_every_command_has_help(nowhere: Durably, command: str) -> None:
    done = nowhere(*command.split(), "--help")
    assert (done.code, done.err) == (0, "")
    assert f"durably {command}" in done.out
    assert max(map(len, done.lines)) <= 80


def _commands(group: Any, *path: str) -> Iterator[tuple[str, Any]]:
    for name, command in getattr(group, "commands", {}).items():
        if not command.hidden:
            yield from _commands(command, *path, name)
    if not hasattr(group, "commands"):
        yield " ".join(path), group


def test_every_command_has_an_example_of_itself() -> None:
    found = dict(_commands(typer.main.get_command(app)))
    assert len(found) > 60
    lacking = [name for name, each in found.items() if f"durably {name}" not in _examples(each.help)]
    assert lacking == []


def _examples(help_text: str) -> str:
    return help_text.partition("Example")[2]


def test_version(nowhere: Durably) -> None:
    done = nowhere("--version")
    assert done.code == 0
    assert done.out.startswith("durably ")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["frob"], "No such command 'frob'"),
        (["workflow", "get"], "Missing argument 'ID'"),
        (["enqueue", "echo"], "Missing option '--queue'"),
        (["enqueue", "echo", "--queue", "q", "--priority", "high"], "Invalid value for '--priority'"),
        (["enqueue", "echo", "--queue", "q", "--kwargs", "{bad"], "--kwargs is not JSON"),
        (["enqueue", "echo", "--queue", "q", "--kwargs", "[1]"], "--kwargs must be a JSON object"),
        (["workflow", "list", "--status", "DONE"], "--status DONE: there is no such status"),
        (["workflow", "list", "--start-time", "yesterday"], "--start-time 'yesterday' is not a time"),
        (["workflow", "list", "--database-url", "mysql://shop"], "mysql://shop is not a PostgreSQL URL"),
        (["worker", "shop"], "'shop' names no application: write it as module:app"),
        (["worker", "shop:app", "--log-level", "loud"], "--log-level loud: there is no such level"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_misuse_exits_with_2(nowhere: Durably, command: list[str], said: str) -> None:
    environment = {"DURABLY_SYSTEM_DATABASE_URL": "postgresql://127.0.0.1:1/none"}
    done = nowhere(*command, **environment)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert len(done.err.splitlines()) <= 2


def test_what_the_client_refuses_exits_with_2(system: Durably) -> None:
    done = system("enqueue", "echo", "--queue", "q", "--priority", "0")
    assert (done.code, done.out) == (2, "")
    assert "priority=0" in done.err


def test_without_its_extra_it_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("raise ModuleNotFoundError('no typer')")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(COMMAND, capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        "durably: the command line needs typer and rich: pip install 'durably[cli]'"
    ]


def test_a_pipe_that_closes_is_no_error() -> None:
    shell = f"{' '.join(COMMAND)} --help | true"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", shell], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_debug_shows_the_traceback(nowhere: Durably) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "durably.cli.main", "worker", "no_such_module:app", "--debug"],
        capture_output=True,
        text=True,
        check=False,
        cwd=nowhere.cwd,
    )
    assert done.returncode == 2
    assert "Traceback (most recent call last)" in done.stderr
