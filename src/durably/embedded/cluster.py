"""One PostgreSQL cluster: created whole or not at all, started, and stopped.

Everything here is called with the place's change lock held.

Whether a server lives is never read from postmaster.pid, which a kill leaves behind with a number that any
process may have by now. The server's processes inherit a lock (`Place.server_lock`): held means that at
least one of them lives, free means that none does, and then a postmaster.pid is stale and can go. (A server
that somebody started by hand does not have the lock; PostgreSQL's own lock, on shared memory that is named
after the data directory's inode, then refuses ours.)
"""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import struct
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from durably.embedded.binaries import Binaries
from durably.embedded.locks import hold, is_locked, ticks, try_lock
from durably.embedded.place import PORT, Place
from durably.errors import EmbeddedUnavailable

__all__ = ["create", "data_major", "ensure_running", "is_alive", "is_ready", "stop"]

START_TIMEOUT = 60.0  # seconds; a crash recovery is a part of it
STOP_TIMEOUT = 30.0  # seconds for a fast shutdown, after which it is an immediate one
LOG_LINES = 15  # of the log, in an error
LOG_SIZE = 10_000_000  # bytes after which a start begins a new log

SSL_REQUEST = struct.pack("!ii", 8, 80877103)

SETTINGS = {  # written by initdb, so ALTER SYSTEM or an editor can change them
    "max_connections": "200",
    "shared_buffers": "128MB",
    "log_line_prefix": "%m [%p] %u@%d ",
}
VOLATILE = {"fsync": "off", "full_page_writes": "off"}  # kill -9 loses no commit, a power failure may


def create(place: Place, binaries: Binaries) -> None:
    """initdb, under another name until it is complete: a half-done one is thrown away by the next."""
    if place.data.exists():
        return
    unfinished = place.data.with_name("data.new")
    with hold(place.server_lock, timeout=START_TIMEOUT) as lock:  # an initdb whose starter was killed has it
        shutil.rmtree(unfinished, ignore_errors=True)
        place.account.make_private(unfinished)
        done = place.account.run(*_initdb(place, binaries), cwd=place.base, pass_fds=(lock.fd,))
        if done.returncode != 0:
            said = _last_lines(done.stdout.splitlines())
            raise EmbeddedUnavailable(f"initdb failed in {place.base}:\n{said}")
        unfinished.rename(place.data)
        _sync(place.base)


def _initdb(place: Place, binaries: Binaries) -> list[str | Path]:
    command: list[str | Path] = [binaries.program("initdb"), "-D", "data.new", "-U", "postgres", "-E", "UTF8"]
    command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    command += ["--auth-local=trust", "--auth-host=reject", "--no-instructions"]
    command += [f"--set={name}={value}" for name, value in SETTINGS.items()]
    return command if place.durable else [*command, "--no-sync"]


def data_major(place: Place) -> int | None:
    """The major version that the data was written by; None before there is any."""
    version = place.data / "PG_VERSION"
    return int(version.read_text()) if version.exists() else None


def ensure_running(place: Place, binaries: Binaries) -> None:
    """Return once the server accepts connections, starting it if none lives.

    EmbeddedUnavailable, with the last lines of the log, when it does not come up.
    """
    launched = False
    for _ in ticks(START_TIMEOUT):
        if is_alive(place):
            if is_ready(place):
                return
        elif launched:
            raise _failure(place, "did not start")
        else:
            _launch(place, binaries)
            launched = True
    raise _failure(place, f"is not ready after {START_TIMEOUT:g} s")


def is_alive(place: Place) -> bool:
    """Does any process of the server live? Also true while it starts, recovers or stops."""
    return is_locked(place.server_lock)


def is_ready(place: Place) -> bool:
    """Does the server say that it is ready, and does its socket answer?"""
    return _status(place) == "ready" and _answers(place.socket)


def stop(place: Place, binaries: Binaries) -> None:
    """Stop the server if it runs, and return when its last process has gone."""
    if not (_stops(place, binaries, "fast") or _stops(place, binaries, "immediate")):
        raise _failure(place, "does not stop")
    if place.sockets != place.log.parent:
        with suppress(OSError):  # the next one makes another
            place.sockets.rmdir()


def _stops(place: Place, binaries: Binaries, mode: str) -> bool:
    if not is_alive(place):
        return True
    _pg_ctl(place, binaries, "stop", "-m", mode)
    return any(not is_alive(place) for _ in ticks(STOP_TIMEOUT))


def _launch(place: Place, binaries: Binaries) -> None:
    """Start the server, detached (pg_ctl forks twice), as the holder of the server lock."""
    lock = try_lock(place.server_lock)
    if lock is None:
        return
    try:
        for stale in (place.data / "postmaster.pid", place.socket.with_name(f"{place.socket.name}.lock")):
            stale.unlink(missing_ok=True)
        _turn_log(place.log)
        options = shlex.join(_options(place))
        command = ("start", "-o", options, "-l", f"run/{place.log.name}")
        _pg_ctl(place, binaries, *command, pass_fds=(lock.fd,))
    finally:
        lock.hand_over()


def _options(place: Place) -> list[str]:
    quoted = str(place.sockets).replace('"', '""')
    settings = {
        "listen_addresses": "",
        "port": str(PORT),
        "unix_socket_directories": f'"{quoted}"',
        "unix_socket_permissions": "0700",
        **({} if place.durable else VOLATILE),
    }
    return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]


def _pg_ctl(place: Place, binaries: Binaries, *arguments: str, pass_fds: tuple[int, ...] = ()) -> None:
    """Never waiting (-W), and by relative paths: pg_ctl hands them to a shell without quoting them.

    What it says is not asked for: the caller looks at the server itself.
    """
    pg_ctl = binaries.program("pg_ctl")
    place.account.run(pg_ctl, *arguments, "-W", "-D", "data", cwd=place.base, pass_fds=pass_fds)


def _status(place: Place) -> str:
    """The eighth line of postmaster.pid: starting, ready, stopping."""
    try:
        lines = (place.data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return ""
    return lines[7].strip() if len(lines) > 7 else ""


def _answers(path: Path) -> bool:
    """Does anybody answer the first question of the protocol (TLS? no)?

    A connection alone proves nothing: for a moment after kill -9 of the server one can still be opened.
    """
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1)
        try:
            client.connect(os.fspath(path))
            client.sendall(SSL_REQUEST)
            return client.recv(1) in (b"N", b"S")
        except OSError:
            return False


def _failure(place: Place, what: str) -> EmbeddedUnavailable:
    return EmbeddedUnavailable(f"the embedded PostgreSQL in {place.base} {what}; {_log_tail(place.log)}")


def _log_tail(log: Path) -> str:
    try:
        with open(log, errors="replace", opener=_no_link) as lines:
            return f"the last lines of its log {log}:\n{_last_lines(lines)}"
    except FileNotFoundError:
        return f"it wrote no log {log}"


def _last_lines(lines: Iterable[str]) -> str:
    return "\n".join(line.rstrip("\n") for line in deque(lines, maxlen=LOG_LINES))


def _no_link(path: str, flags: int) -> int:
    """Root must not read through a link: the directory belongs to the server's account."""
    return os.open(path, flags | os.O_NOFOLLOW)


def _turn_log(log: Path) -> None:
    if log.exists() and log.stat().st_size > LOG_SIZE:
        log.replace(log.with_name(f"{log.name}.1"))


def _sync(directory: Path) -> None:
    fd = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
