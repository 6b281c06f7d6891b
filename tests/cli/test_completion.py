"""Completion, asked as the shells ask: through the environment of the command itself."""

from __future__ import annotations

import os
import subprocess
import time

import pytest

from tests.cli.shell import COMMAND, Durably

SHELLS = ("bash", "zsh", "fish")


def offered(durably: Durably, line: str, shell: str = "bash", **more: str) -> list[str]:
    """What a shell is offered at the end of a line."""
    words = line.split(" ")
    asked = {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1), "_TYPER_COMPLETE_ARGS": line}
    fish = {"_TYPER_COMPLETE_FISH_ACTION": "get-args"} if shell == "fish" else {}
    own = {name: value for name, value in os.environ.items() if not name.startswith("DURABLY_")}
    env = {**own, **durably.environment, **asked, **fish, **more, "_DURABLY_COMPLETE": f"complete_{shell}"}
    done = subprocess.run(COMMAND, capture_output=True, text=True, check=False, env=env, cwd=durably.cwd)
    assert done.stderr == ""
    return done.stdout.split()


def in_time(durably: Durably, line: str) -> list[str]:
    """What is offered once the machine is quick enough: completion gives up after two seconds."""
    deadline = time.monotonic() + 60
    while not (found := offered(durably, line)):
        assert time.monotonic() < deadline
    return found


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_is_offered_commands(nowhere: Durably, shell: str) -> None:
    assert "workflow" in " ".join(offered(nowhere, "durably workfl", shell))


def test_options_and_statuses_are_offered(nowhere: Durably) -> None:
    assert "--dry-run" in offered(nowhere, "durably workflow cancel --dry")
    assert offered(nowhere, "durably workflow list --status CAN") == ["CANCELLED"]
    assert offered(nowhere, "durably workflow list -o js") == ["json", "jsonl"]


def test_ids_and_queues_come_from_the_database(system: Durably) -> None:
    system("queue", "register", "mails")
    system("enqueue", "send", "--queue", "mails", "--id", "order-17")
    assert in_time(system, "durably workflow get ord") == ["order-17"]
    assert in_time(system, "durably workflow list --queue ma") == ["mails"]
    assert in_time(system, "durably queue pause m") == ["mails"]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://127.0.0.1:1/shop",
        "postgresql://192.0.2.1/shop",  # nobody answers there: an address for documentation
        "nonsense",
    ],
)
def test_a_database_that_is_not_there_offers_nothing_soon(nowhere: Durably, url: str) -> None:
    began = time.monotonic()
    assert offered(nowhere, "durably workflow get ord", DURABLY_SYSTEM_DATABASE_URL=url) == []
    assert (
        time.monotonic() - began < 20
    )  # 2 s and the start of a process on a busy machine; a connect waits longer
