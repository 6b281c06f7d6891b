"""The keeper: a small process beside the server that covers what kill -9 leaves undone.

Twice a second it asks two questions, under the change lock. Does the server have users? If not, it stops the
server and ends. Does a server that has users live? If not, it starts it again. Users who leave in good order
stop the server themselves, so only the kill -9 cases depend on the keeper; and if the keeper is killed, the
next user to come starts another.

Why it looks instead of waiting: blocked in an exclusive flock it would be in the way of whoever leaves and
wants to know whether anybody else is there, and a look costs two system calls beside a running PostgreSQL.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

from durably.embedded import cluster
from durably.embedded.account import Account
from durably.embedded.binaries import Binaries
from durably.embedded.locks import Lock, is_locked, try_lock
from durably.embedded.place import Place
from durably.errors import EmbeddedUnavailable

__all__ = ["ensure_running", "main"]

PERIOD = 0.5  # seconds between two looks
PERIOD_AFTER_FAILURE = 10.0  # seconds; a server that cannot start should not fill its log with attempts

# What the keeper's Python runs. It forks first: the process that started it must not be left with a child,
# and need not wait for imports. Then it makes `durably` and `durably.embedded` known as bare directories:
# their own __init__ would load the driver and everything else into a process that only waits.
BOOT = """
import os, sys
if os.fork():
    os._exit(0)
from types import ModuleType
here = os.path.dirname(sys.argv[1])
for name, directory in (("durably", os.path.dirname(here)), ("durably.embedded", here)):
    sys.modules[name] = ModuleType(name)
    sys.modules[name].__path__ = [directory]
from durably.embedded.keeper import main
main(sys.argv[2], int(sys.argv[3]))
"""


def ensure_running(place: Place, programs: Binaries) -> None:
    """Start a keeper for this place if none lives; called with the change lock held."""
    lock = try_lock(place.keeper_lock)
    python = _python()
    if lock is None:
        return
    try:
        os.ftruncate(lock.fd, 0)
        if python is not None:
            _start(python, json.dumps([asdict(place), asdict(programs)], default=str), lock.fd)
    finally:
        lock.hand_over()


def main(job: str, fd: int) -> None:
    """The keeper's life; `fd` is the keeper lock, which it inherited."""
    place, programs = _read(job)
    os.write(fd, f"{os.getpid()}\n".encode())  # for people, and for tests that kill it
    while (pause := _look(place, programs, fd)) is not None:
        time.sleep(pause)


def _start(python: Path, job: str, fd: int) -> None:
    subprocess.run(
        [python, "-I", "-S", "-c", BOOT, __file__, job, str(fd)],
        pass_fds=(fd,),
        cwd="/",
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )


def _python() -> Path | None:
    """This interpreter's program; under uwsgi and the like sys.executable is something else."""
    usual = Path(sys.base_prefix, "bin", "python{}.{}".format(*sys.version_info))
    candidates = (Path(sys.executable or "/"), usual)
    return next(
        (one for one in candidates if one.name.startswith("python") and os.access(one, os.X_OK)), None
    )


def _read(job: str) -> tuple[Place, Binaries]:
    place, programs = json.loads(job)
    account = Account(**place.pop("account"))
    durable = place.pop("durable")
    paths = {name: Path(path) for name, path in place.items()}
    return Place(**paths, account=account, durable=durable), Binaries(
        Path(programs["directory"]), programs["major"]
    )


def _look(place: Place, programs: Binaries, fd: int) -> float | None:
    """One look; the seconds until the next one, or None to end."""
    try:
        change = try_lock(place.change_lock)
        return PERIOD if change is None else _act(place, programs, fd, change)
    except (EmbeddedUnavailable, OSError):  # the server's log has the reason; a deleted home needs no keeper
        return PERIOD_AFTER_FAILURE if place.change_lock.exists() else None


def _act(place: Place, programs: Binaries, fd: int, change: Lock) -> float | None:
    try:
        if is_locked(place.users_lock):
            if not cluster.is_alive(place):
                cluster.ensure_running(place, programs)
            return PERIOD
        cluster.stop(place, programs)
        os.close(fd)  # before the change lock is free: who comes next must see that there is no keeper
        return None
    finally:
        change.release()
