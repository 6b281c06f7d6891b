"""The worker process of the demo: started, killed, started again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from durably.cli.demo import journal
from durably.errors import DurablyError

__all__ = ["Worker"]

APPLICATION = "durably.cli.demo.ticket_authority:app"
GRACE = 10.0  # seconds for a clean stop


class Worker:
    """A process that runs the ticket authority; `executor_id` is what it calls itself in the database."""

    def __init__(self, process: subprocess.Popen[str], executor_id: str) -> None:
        self._process = process
        self.executor_id = executor_id

    @classmethod
    def start(cls, url: str, notes: Path, log: Path) -> Worker:
        """Start one, and return once it takes work."""
        command = [sys.executable, "-m", "durably.cli.main", "worker", APPLICATION]
        options = ["--system-database-url", url, "--json", "--log-level", "error"]
        environment = {**os.environ, journal.ENVIRONMENT: str(notes)}
        with log.open("a") as errors:
            process = subprocess.Popen(
                command + options, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment
            )
        return cls(process, _ready(process, log)["executor_id"])

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def kill(self) -> int:
        """SIGKILL: nothing of it gets a chance to tidy up. Returns its exit status."""
        self._process.kill()
        return self._end()

    def stop(self) -> int:
        """SIGTERM: it lets go of its work, and ends. Returns its exit status."""
        self._process.terminate()
        return self._end()

    def _end(self) -> int:
        try:
            return self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()
        finally:
            assert self._process.stdout is not None, "it was started with a pipe"
            self._process.stdout.close()


def _ready(process: subprocess.Popen[str], log: Path) -> dict[str, Any]:
    assert process.stdout is not None, "it was started with a pipe"
    line = process.stdout.readline()
    if not line:
        process.wait()
        raise DurablyError(f"the demo's worker did not start:\n{log.read_text()[-2000:].strip()}")
    facts: dict[str, Any] = json.loads(line)
    return facts
