"""Runs `durably` as a shell does, and keeps what it said.

A command is a process of its own, forked from a server that has imported durably already: importing it costs
more than most commands do. What is started in the background is started as a shell starts it.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["APPS", "COMMAND", "Done", "Durably", "background"]

APPS = Path(__file__).parent / "apps"
COMMAND = [sys.executable, "-m", "durably.cli.main"]
TIMEOUT = 40.0  # seconds for a command

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["durably.cli.main", "durably.client", "tests.cli.shell"])


@dataclass(frozen=True)
class Done:
    """What a command came to."""

    code: int | None
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


@dataclass(frozen=True)
class Durably:
    """The command, with its environment: `durably("workflow", "list")`."""

    environment: dict[str, str] = field(default_factory=dict)
    cwd: Path | None = None

    def __call__(self, *arguments: str, **environment: str) -> Done:
        with tempfile.TemporaryDirectory() as directory:
            out, err = Path(directory, "out"), Path(directory, "err")
            environment = self._environment(environment)
            job = (arguments, environment, str(self.cwd or Path.cwd()), str(out), str(err))
            process = _forks.Process(target=_command, args=job)
            process.start()
            process.join(TIMEOUT)
            process.kill()
            done = Done(process.exitcode, out.read_text(), err.read_text())
        assert "Traceback" not in done.err, done.err
        return done

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """The same in the background."""
        return subprocess.Popen(
            [*COMMAND, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.cwd,
            env=self._environment(environment),
            preexec_fn=_heed_interrupts,
        )

    def _environment(self, more: dict[str, str]) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith("DURABLY_")}
        return {**own, "NO_COLOR": "1", **self.environment, **more}


def _heed_interrupts() -> None:
    """As in a terminal: what a script starts in the background ignores SIGINT, these tests perhaps too."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class background:
    """Kills a process at the end, if a test has not ended it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def __enter__(self) -> subprocess.Popen[str]:
        return self.process

    def __exit__(self, *exc: object) -> None:
        self.process.kill()
        self.process.communicate()


def _command(arguments: Sequence[str], environment: dict[str, str], cwd: str, out: str, err: str) -> None:
    """In the new process: what a shell sets up, then the command."""
    from durably.cli.main import main

    for descriptor, path in ((0, os.devnull), (1, out), (2, err)):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), descriptor)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    sys.exit(main(list(arguments)))
