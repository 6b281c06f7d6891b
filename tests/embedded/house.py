"""A home under test, its users as processes, and questions about what runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from durably.embedded.locks import hold, is_locked

USER = Path(__file__).with_name("user.py")


class User:
    """A process that uses the server of a home."""

    def __init__(
        self,
        home: Path,
        *,
        python: str = sys.executable,
        uid: int | None = None,
        env: dict[str, str] | None = None,
    ) -> None:
        self._process = subprocess.Popen(
            [python, USER, home],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            user=uid,
            group=uid,
            extra_groups=None if uid is None else [],
            env={**os.environ, **(env or {})},
        )
        self._said: str | None = None

    @property
    def said(self) -> str:
        """What it has to say once it uses the server, or cannot."""
        if self._said is None:
            assert self._process.stdout
            self._said = self._process.stdout.readline().rstrip("\n")
            if self._said.startswith("error:"):
                self._said += "\n" + self._process.stdout.read()
        return self._said

    @property
    def url(self) -> str:
        assert self.said.startswith("postgresql:"), self.said
        return self.said.split()[0]

    def leave(self) -> None:
        self._process.communicate(timeout=20)

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate(timeout=20)


class House:
    """A home directory and everybody in it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.users: list[User] = []

    @property
    def root(self) -> Path:
        return self.home / "pg-test"

    @property
    def base(self) -> Path:
        elsewhere = self.root / "elsewhere"
        return Path(elsewhere.read_text().strip()) if elsewhere.exists() else self.root

    @property
    def postmaster(self) -> int:
        return int((self.base / "data/postmaster.pid").read_text().split()[0])

    @property
    def keeper(self) -> int:
        written = self.root / "keeper.lock"
        until(lambda: written.read_text().strip() != "" and self._holds("keeper.lock"))
        return int(written.read_text())

    def enter(self, **options: object) -> User:
        """A new user, which may still be starting; `said` and `url` wait for it."""
        self.users.append(User(self.home, **options))  # type: ignore[arg-type]
        return self.users[-1]

    def runs(self) -> bool:
        """Does any process of the server live?"""
        return self._holds("server.lock")

    def is_kept(self) -> bool:
        """Does a keeper live?"""
        return self._holds("keeper.lock")

    def close(self) -> None:
        """Everybody ends, without waiting for the keeper's next look."""
        for user in self.users:
            user.kill()
        if self.root.exists() and self.base.exists():
            until(self._has_no_keeper, timeout=20)
            if self.runs():
                os.kill(self.postmaster, signal.SIGINT)
                until(lambda: not self.runs(), timeout=20)

    def _has_no_keeper(self) -> bool:
        written = (self.root / "keeper.lock").read_text()
        if written and self.is_kept():
            with suppress(ProcessLookupError):
                kill(int(written))
        return not self.is_kept()

    def _holds(self, name: str) -> bool:
        with hold(self.root / "change.lock", timeout=20):
            return is_locked(self.root / name)


def until(condition: Callable[[], bool], *, timeout: float = 10) -> None:
    """Wait for a condition, and fail when it does not come true in time."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"not within {timeout} s"
        time.sleep(0.01)  # the interval of a poll, not a guess at how long something takes


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
