"""A file beside the database in which every step body notes that it runs.

The database says what was recorded; only this says what was executed, which after a kill is more.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from durably import aio

__all__ = ["ENVIRONMENT", "Run", "executions", "note", "wait_until_begun"]

ENVIRONMENT = "DURABLY_DEMO_JOURNAL"
POLL = 0.005  # seconds

Run = tuple[str, str]  # workflow id, step name


def note(step: str) -> None:
    """In a step's body: it runs now."""
    line = f"{aio.workflow_id()}\t{step}\n"
    file = os.open(os.environ[ENVIRONMENT], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, line.encode())
    finally:
        os.close(file)


def executions(path: Path) -> Counter[Run]:
    """How often each step body ran."""
    lines = path.read_text().splitlines() if path.exists() else []
    return Counter((workflow_id, step) for workflow_id, step in (line.split("\t") for line in lines))


def wait_until_begun(path: Path, step: str, workflow_ids: Iterable[str], *, seconds: float) -> bool:
    """Return as soon as the step's body has begun in each of these workflows; False if it does not."""
    wanted = {(workflow_id, step) for workflow_id in workflow_ids}
    deadline = time.monotonic() + seconds
    while not wanted <= executions(path).keys():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL)
    return True
