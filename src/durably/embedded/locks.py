"""File locks that the kernel gives back: kill -9 of a holder releases what it held.

flock belongs to the *open file*, not to the process, and that decides three things here:
a child made by exec must not inherit it (Python opens every file close-on-exec), a child made by fork
does inherit it and must close its copy at once (`_forget_in_child`), and a lock can be given to another
program on purpose, by letting it inherit the file and closing our own copy (`Lock.hand_over`).
Every `Lock` is a holder of its own, also within one process: counting users is the kernel's work.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

with suppress(ImportError):  # Windows has none, and `binaries.find` says so before any lock is taken
    import fcntl

__all__ = ["Lock", "hold", "is_locked", "ticks", "try_lock"]

TICK = 0.005  # seconds between two looks at something that has no way to wake us

_held: set[Lock] = set()  # of this process, so that a forked child can close its copies


class Lock:
    """A lock that this process holds on one file, which exists."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fd: int = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
        _held.add(self)

    @property
    def is_held(self) -> bool:
        """Is it still ours? False after `release`, and in a forked child."""
        return self in _held

    def release(self) -> None:
        """Let go, whoever has inherited the file; the second call does nothing."""
        if self.is_held:
            fcntl.flock(self.fd, fcntl.LOCK_UN)
            self.hand_over()

    def hand_over(self) -> None:
        """Close our copy only: the lock lives on in the programs that inherited the file."""
        if self.is_held:
            _held.discard(self)
            os.close(self.fd)


def try_lock(path: Path, *, shared: bool = False) -> Lock | None:
    """The lock on `path`, or None where another holder is in the way; never waits."""
    lock = Lock(path)
    try:
        fcntl.flock(lock.fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.hand_over()
        return None
    return lock


def is_locked(path: Path) -> bool:
    """Does anybody hold `path`? Asks by taking it for a moment, so ask only where nobody else may take it."""
    if (lock := try_lock(path)) is None:
        return True
    lock.release()
    return False


@contextmanager
def hold(path: Path, *, timeout: float) -> Iterator[Lock]:
    """Hold `path` exclusively for a block; TimeoutError when it is not free within `timeout` seconds."""
    lock = next((got for _ in ticks(timeout) if (got := try_lock(path))), None)
    if lock is None:
        raise TimeoutError(f"{path} is held by another process for more than {timeout:g} s")
    try:
        yield lock
    finally:
        lock.release()


def ticks(timeout: float) -> Iterator[float]:
    """Yield at once, then every few milliseconds until `timeout` seconds are over."""
    deadline = time.monotonic() + timeout
    while (now := time.monotonic()) < deadline:
        yield deadline - now
        time.sleep(TICK)


def _forget_in_child() -> None:
    for lock in _held:
        os.close(lock.fd)
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)
