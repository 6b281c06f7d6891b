"""The real peers as processes: DBOS applications, DBOS clients and a durably worker.

An application is started and says READY; a client reads one JSON object a line and answers each with one
(the protocol is in apps/PROTOCOL.md). Everything that a process printed is kept and shown when it fails.
Each process leads a process group of its own, ends when its stdin closes, and is killed at the end
whatever happened.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote, urlencode

from psycopg.conninfo import conninfo_to_dict

ROOT = Path(__file__).resolve().parents[2]
APPS = Path(__file__).resolve().parent / "apps"
TYPESCRIPT = APPS / "typescript"
PYTHON_DBOS = APPS / "python_dbos"
PEER_PYTHON = ROOT / ".venv-peers" / "bin" / "python"

START_SECONDS = 40.0  # a cold start on a busy machine, with a database to create and migrate
REPLY_SECONDS = 40.0
STOP_SECONDS = 8.0


class PeerUnavailable(Exception):
    """A peer cannot run here: no node, no npm, or nothing to install it from."""


class PeerFailed(Exception):
    """A peer process ended, or did not answer in time."""


class PeerError(Exception):
    """The peer's own client raised: its class, name, message, code and data."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        super().__init__(f"{fields['name']}: {fields['message']}")
        self.class_name: str = fields["class"]
        self.name: str = fields["name"]
        self.message: str = fields["message"]
        self.code: Any = fields["code"]
        self.data: Any = fields["data"]


class Process:
    """A peer process: lines out, lines in, an end that always comes."""

    def __init__(self, name: str, command: Sequence[str], *, env: Mapping[str, str] | None = None) -> None:
        self.name = name
        self._log: deque[str] = deque(maxlen=400)
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **(env or {}), "STOP_ON_STDIN_EOF": "1", "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._readers = [
            threading.Thread(target=self._read_stdout, daemon=True),
            threading.Thread(target=self._read_stderr, daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def write_line(self, line: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._failure("does not listen any more") from None

    def read_line(self, start: str, seconds: float) -> str:
        """The next line of stdout that starts so; other lines are log."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise self._failure(f"said nothing that starts with {start!r} in {seconds:g} s") from None
            if line is None:
                raise self._failure(f"ended (exit code {self._process.wait(STOP_SECONDS)})")
            if line.startswith(start):
                return line

    @contextlib.contextmanager
    def suspended(self) -> Iterator[None]:
        """The whole group stands still meanwhile; its lease must outlast that."""
        os.killpg(self._process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self._process.pid, signal.SIGCONT)

    def kill(self) -> None:
        """Ends the whole group at once, as a crash would; a second time it does nothing."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(STOP_SECONDS)
        for reader in self._readers:
            reader.join(STOP_SECONDS)
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()

    def stop(self) -> int:
        """Asks it to end, then makes it; the exit code says which it was."""
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            return -signal.SIGKILL
        finally:
            self.kill()

    def finish(self) -> int:
        """Closes its stdin and waits for its own end."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            return self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            return -signal.SIGKILL
        finally:
            self.kill()

    def log(self) -> str:
        return "\n".join(self._log)

    def _failure(self, what: str) -> PeerFailed:
        return PeerFailed(f"{self.name} {what}\n--- its last lines ---\n{self.log()}")

    def _read_stdout(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._log.append(line.rstrip("\n"))
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    def _read_stderr(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._log.append(line.rstrip("\n"))


class PeerClient:
    """A real DBOSClient of another language, one call at a time."""

    def __init__(
        self,
        language: str,
        url: str,
        *,
        application_name: str | None = None,
        serializer: str | None = None,
    ) -> None:
        self.language = language
        self._process = Process(f"{language} client", _client_command(language))
        request: dict[str, Any] = {"systemDatabaseUrl": url}
        if application_name is not None:
            request["applicationName"] = application_name
        if serializer is not None:
            request["serializer"] = serializer
        self.call("create", **request)

    def call(self, op: str, **fields: Any) -> Any:
        """Performs one operation; raises PeerError when the peer's client raised."""
        self._process.write_line(json.dumps({"op": op, **fields}))
        reply = json.loads(self._process.read_line('{"ok":', REPLY_SECONDS))
        if reply["ok"]:
            return reply["value"]
        raise PeerError(reply["error"])

    def close(self) -> None:
        self._process.finish()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextlib.contextmanager
def running(process: Process) -> Iterator[Process]:
    """The application until the block ends; what it printed is shown when the block fails."""
    try:
        process.read_line("READY", START_SECONDS)
        yield process
    except BaseException:
        print(f"--- log of {process.name} ---\n{process.log()}", file=sys.stderr)
        raise
    finally:
        process.stop()


def typescript_app(url: str, **settings: str) -> Process:
    """The TypeScript application on this system database; settings are APP_NAME, EXECUTOR_ID, APP_VERSION."""
    command = [_typescript(), str(TYPESCRIPT / "dist" / "app.js")]
    return Process("TypeScript application", command, env={"DBOS_SYSTEM_DATABASE_URL": url, **settings})


def python_app(url: str, **settings: str) -> Process:
    """The Python dbos application on this system database; settings as for typescript_app."""
    command = [peer_python(), str(PYTHON_DBOS / "app.py")]
    return Process("Python dbos application", command, env={"DBOS_SYSTEM_DATABASE_URL": url, **settings})


def durably_app(url: str, **settings: str) -> Process:
    """Our own application on this system database, in a process like the peers'."""
    command = [sys.executable, str(APPS / "durably_app.py")]
    return Process("durably application", command, env={"DBOS_SYSTEM_DATABASE_URL": url, **settings})


def uri(conninfo: str) -> str:
    """The connection URI that every peer takes, of any URL or keyword string that libpq takes.

    JavaScript wants a host in it, and finds the directory of a Unix socket in the query only.
    """
    fields = {key: str(value) for key, value in conninfo_to_dict(conninfo).items()}
    user, password, database = (fields.pop(key, "") for key in ("user", "password", "dbname"))
    account = quote(user, safe="") + (":" + quote(password, safe="") if password else "")
    at = "@" if account else ""
    query = f"?{urlencode(fields, quote_via=quote)}" if fields else ""
    return f"postgresql://{account}{at}localhost/{quote(database, safe='')}{query}"


def _client_command(language: str) -> list[str]:
    if language == "typescript":
        return [_typescript(), str(TYPESCRIPT / "dist" / "client.js")]
    return [peer_python(), str(PYTHON_DBOS / "client.py")]


@cache
def _typescript() -> str:
    """The node executable, with the application's packages installed and its sources compiled."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise PeerUnavailable("the TypeScript peer needs node and npm")
    dist = TYPESCRIPT / "dist"
    dist.mkdir(exist_ok=True)
    with _one_installer():
        if _is_stale(TYPESCRIPT / "node_modules" / ".package-lock.json", [TYPESCRIPT / "package-lock.json"]):
            _install([npm, "ci", "--no-audit", "--no-fund"], cwd=TYPESCRIPT)
        sources = [*(TYPESCRIPT / "src").glob("*.ts"), TYPESCRIPT / "tsconfig.json"]
        if _is_stale(dist / "app.js", sources) or _is_stale(dist / "client.js", sources):
            (dist / ".tsbuildinfo").unlink(missing_ok=True)
            _install([npm, "run", "build"], cwd=TYPESCRIPT)
            for built in ("app.js", "client.js"):
                (dist / built).touch()
    return node


@cache
def peer_python() -> str:
    """An interpreter that has the dbos package and not ours."""
    pins = ROOT / "requirements" / "peers.txt"
    with _one_installer():
        if not PEER_PYTHON.exists():
            _install([sys.executable, "-m", "venv", str(ROOT / ".venv-peers")], cwd=ROOT)
            packages = ["-r", str(pins)] if pins.exists() else ["dbos==3.4.0"]
            _install([str(PEER_PYTHON), "-m", "pip", "install", "-q", *packages], cwd=ROOT)
    return str(PEER_PYTHON)


def _is_stale(made: Path, sources: Sequence[Path]) -> bool:
    return not made.exists() or any(source.stat().st_mtime > made.stat().st_mtime for source in sources)


def _install(command: Sequence[str], *, cwd: Path) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        raise PeerUnavailable(f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}")


@contextlib.contextmanager
def _one_installer() -> Iterator[None]:
    """One process at a time, so that parallel test workers do not install over each other."""
    directory = os.open(APPS, os.O_RDONLY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        yield
    finally:
        os.close(directory)
