"""Throw-away PostgreSQL clusters, to crash, fill and promote: made of the embedded server's programs."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from pathlib import Path

import psycopg

from durably.embedded import account, binaries

__all__ = ["Cluster", "free_port"]

SETTINGS = {  # fsync is for power failures, which no process can make
    "fsync": "off",
    "max_connections": "60",
    "shared_buffers": "32MB",
    "unix_socket_directories": "",
    "listen_addresses": "127.0.0.1",
}


class Cluster:
    """A server of one's own on a port of the loopback.

    with Cluster() as cluster:
        cluster.stop("immediate")
        cluster.start()
    """

    def __init__(self, **settings: str) -> None:
        self.base = Path(tempfile.mkdtemp(prefix="durably-faults-"))
        self.port = free_port()
        self.account = account.choose(self.base / "data")
        self._programs = binaries.within_reach(binaries.find(), self.account)
        self._settings = {**SETTINGS, **settings, "port": str(self.port)}
        if self.account.switch:
            os.chown(self.base, self.account.uid, self.account.gid)

    def url(self, database: str = "postgres") -> str:
        """The address of a database of it."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}?sslmode=disable&gssencmode=disable"

    def __enter__(self) -> Cluster:
        self._run("initdb", "-D", "data", "-U", "postgres", "-E", "UTF8", "--locale=C", "--auth=trust", "-N")
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if (self.base / "data" / "postmaster.pid").exists():
            self.stop("immediate")
        shutil.rmtree(self.base, ignore_errors=True)

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        options = " ".join(f"-c {name}='{value}'" for name, value in self._settings.items())
        self._run("pg_ctl", "start", "-w", "-D", "data", "-l", "log", "-o", options)

    def stop(self, mode: str) -> None:
        """Stop it: `fast` as a restart does it, `immediate` as a crash does."""
        self._run("pg_ctl", "stop", "-w", "-D", "data", "-m", mode)

    def standby(self, **settings: str) -> Cluster:
        """A copy that follows this one, not yet started."""
        copy = Cluster(**settings)
        source = f"host=127.0.0.1 port={self.port} user=postgres application_name=standby"
        copy._run("pg_basebackup", "-D", "data", "-R", "-X", "stream", "-c", "fast", "-N", "-d", source)
        return copy

    def promote(self) -> None:
        """Make it the primary."""
        self._run("pg_ctl", "promote", "-w", "-D", "data")

    def execute(self, *statements: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Execute as its owner; the rows of the last."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def trust(self, network: str) -> None:
        """Let clients of another network in."""
        with (self.base / "data" / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {network} trust\n")
        self.execute("SELECT pg_reload_conf()")

    def configure(self, **settings: str) -> None:
        """Change settings while it runs."""
        changes = [f"ALTER SYSTEM SET {name} = '{value}'" for name, value in settings.items()]
        self.execute(*changes, "SELECT pg_reload_conf()")

    def _run(self, program: str, *arguments: str) -> None:
        done = self.account.run(self._programs.program(program), *arguments, cwd=self.base)
        if done.returncode != 0:
            raise AssertionError(f"{program} failed:\n{done.stdout}")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
