"""What a person sees: on a terminal of 80 columns, with and without colour."""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Callable

import pytest

from tests.cli.shell import COMMAND, Durably

See = Callable[..., str]
LONG = "a-long-id-" + "x" * 60


@pytest.fixture
def see(system: Durably) -> See:
    """What a command shows on a terminal."""

    def see(*arguments: str, **environment: str) -> str:
        ours, theirs = pty.openpty()
        own = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        env = {**own, **system.environment, "COLUMNS": "80", "TERM": "xterm-256color", **environment}
        process = subprocess.Popen(
            [*COMMAND, *arguments], stdout=theirs, stderr=theirs, stdin=theirs, env=env
        )
        os.close(theirs)
        shown = _read(ours).replace("\x1b[1m", "").replace("\x1b[0m", "")  # bold is no colour
        os.close(ours)
        assert process.wait(20) == 0, shown
        return shown

    return see


def _read(terminal: int) -> str:
    parts: list[bytes] = []
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # how a terminal says on Linux that nobody writes any more
            part = b""
        if not part:
            return b"".join(parts).decode().replace("\r\n", "\n")
        parts.append(part)


@pytest.fixture
def filled(system: Durably) -> Durably:
    for workflow_id in ("[red]x[/red]", LONG):
        system("enqueue", "[bold]say", "x" * 500, "--queue", "orders", "--id", workflow_id)
    return system


def test_a_list_fits_and_shows_every_id_whole(filled: Durably, see: See) -> None:
    shown = see("workflow", "list", NO_COLOR="1")
    assert max(map(len, shown.splitlines())) <= 80
    assert "[red]x[/red]" in shown
    assert "[bold]say" in shown
    assert "ENQUEUED" in shown
    assert LONG in "".join(line[:36] for line in shown.splitlines())
    assert "\x1b" not in shown


def test_colours_are_for_terminals(filled: Durably, see: See) -> None:
    filled("workflow", "cancel", LONG)
    assert "\x1b[33mCANCELLED" in see("workflow", "list")
    assert "\x1b" not in filled("workflow", "list").out


def test_an_empty_list_says_so(see: See) -> None:
    assert see("workflow", "list") == "no such workflows\n"
