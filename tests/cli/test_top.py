"""`durably top`, looked at on a terminal, and asked for one frame."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from durably.cli.top_view import Look, Snapshot, frame, pressed
from durably.types import QueueActivity
from tests.cli.shell import COMMAND, Durably
from tests.engine.support import rows

HOSTILE = "[red]evil\x1b[2J"


@pytest.fixture
def busy(system: Durably, database_url: str) -> Durably:
    """Queues with work, one of them nobody's; names that would like to be obeyed."""
    system("queue", "register", "mails", "--concurrency", "5")
    rows(
        database_url,
        "INSERT INTO dbos.workflow_status (workflow_uuid, status, name, queue_name, executor_id, created_at) "
        "SELECT 'w-' || n, (ARRAY['ERROR', 'PENDING', 'ENQUEUED'])[1 + n - n / 3 * 3], "
        "(ARRAY['send', %s])[1 + n - n / 2 * 2], (ARRAY['lost', 'mails'])[1 + n - n / 2 * 2], 'e', n "
        "FROM generate_series(1, 60) n",
        HOSTILE,
    )
    return system


class Terminal:
    """A command on a terminal of a size; `until` reads on till something is seen."""

    def __init__(self, durably: Durably, *arguments: str, width: int, height: int) -> None:
        self._ours, theirs = pty.openpty()
        self.resize(width, height)
        own = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES", "NO_COLOR")}
        env = {**own, **durably.environment, "TERM": "xterm-256color"}
        self.process = subprocess.Popen(
            [*COMMAND, *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=env,
            start_new_session=True,
        )
        os.close(theirs)
        self.shown = ""

    def resize(self, width: int, height: int) -> None:
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def until(self, holds: Callable[[str], bool]) -> str:
        """What was shown since the last time, when it is so."""
        deadline = time.monotonic() + 30
        seen = ""
        while not holds(seen):
            assert time.monotonic() < deadline, seen
            if select.select([self._ours], [], [], 0.2)[0]:
                seen += os.read(self._ours, 65536).decode()
        return seen

    def press(self, key: str) -> None:
        os.write(self._ours, key.encode())

    def end(self) -> int:
        """Its exit code, once it has ended."""
        deadline = time.monotonic() + 30
        while self.process.poll() is None:
            assert time.monotonic() < deadline
            if select.select([self._ours], [], [], 0.1)[0]:
                with suppress(OSError):  # how a terminal says on Linux that nobody writes any more
                    os.read(self._ours, 65536)
        return self.process.returncode


@contextmanager
def terminal(durably: Durably, *arguments: str, width: int = 80, height: int = 24) -> Iterator[Terminal]:
    started = Terminal(durably, *arguments, width=width, height=height)
    try:
        yield started
    finally:
        started.process.kill()
        started.process.wait()
        os.close(started._ours)


def test_it_lives_on_a_terminal_and_obeys_keys(busy: Durably, database_url: str) -> None:
    with terminal(busy, "top", "--refresh", "0.5") as screen:
        first = screen.until(lambda seen: "q quit" in seen and "w-60" in seen)
        assert "mails" in first
        assert "QUEUE (by enqueued)" in first
        assert "\x1b[2J" not in first.split("q quit")[0].replace("\x1b[2J\x1b[H", "", 1)
        assert "[red]evil\\x1b" in first
        screen.press("s")
        screen.until(lambda seen: "QUEUE (by running)" in seen)
        rows(
            database_url,
            "INSERT INTO dbos.workflow_status (workflow_uuid, status, name) VALUES ('new', 'SUCCESS', 'x')",
        )
        screen.until(lambda seen: "new " in seen)  # by itself: it looks again
        screen.press("p")
        screen.until(lambda seen: "STANDS" in seen)
        screen.resize(140, 40)
        screen.until(lambda seen: "w-30" in seen or "w-31" in seen)
        screen.press("q")
        assert screen.end() == 0


def test_ctrl_c_ends_it_and_leaves_the_terminal_as_it_was(busy: Durably) -> None:
    with terminal(busy, "top") as screen:
        screen.until(lambda seen: "q quit" in seen)
        screen.process.send_signal(signal.SIGINT)
        assert screen.end() == 0


def test_one_frame_is_for_scripts(busy: Durably) -> None:
    done = busy("top", "--once", COLUMNS="80")
    assert (done.code, done.err) == (0, "")
    assert max(map(len, done.lines)) <= 80
    assert "\x1b" not in done.out
    assert any(line.startswith("mails") and " 5 " in line for line in done.lines)
    snapshot = busy("top", "-o", "json").json
    assert {queue["name"] for queue in snapshot["queues"]} == {"mails", "lost"}


def test_without_a_terminal_it_says_what_to_do(system: Durably) -> None:
    done = system("top")
    assert (done.code, done.out) == (2, "")
    assert "--once" in done.err


@pytest.mark.parametrize(("width", "height"), [(80, 24), (40, 10), (200, 60), (10, 4)])
def test_a_frame_fits_its_terminal(width: int, height: int) -> None:
    from rich.console import Console

    queue = QueueActivity(
        name=HOSTILE * 9,
        is_registered=True,
        enqueued=10_000,
        delayed=0,
        running_on={"e": 7},
        oldest_enqueued_at=0,
        starts_in_period=None,
        starts=(0, 5, 1),
        finishes=(0, 4, 0),
        is_estimate=False,
        counted_to=10_000,
        measured_at=1000,
    )
    console = Console(width=width, height=height, record=True, file=io.StringIO())
    snapshot = Snapshot(measured_at=1_000, queues=[queue] * 30)
    console.print(frame(snapshot, Look(), width=width, height=height, where="x" * 300))
    lines = console.export_text().splitlines()
    assert max(map(len, lines)) <= width
    assert height < 10 or len(lines) <= height
    assert "\x1b" not in "".join(lines)


def test_keys_change_how_it_is_looked_at() -> None:
    look = Look()
    assert pressed(look, "q") is None
    moved = pressed(look, "\x1b[B")
    assert moved is not None and moved.offset("queues", 5) == 1
    assert moved.offset("queues", 1) == 0
    other = pressed(look, "\t")
    assert other is not None and other.pane == "executors"
    assert pressed(look, "x") == look
