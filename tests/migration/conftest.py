"""A server to migrate on, databases to spoil, and every generation that the real package makes."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from tests.migration.catalog import catalog

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
MEMORY = Path("/dev/shm")

Connection = psycopg.AsyncConnection[Any]


@pytest.fixture(scope="session")
def admin_dsn() -> Iterator[str]:
    """A server's URL for a superuser, with {} where the name of the database goes."""
    given = os.environ.get("DURABLY_TEST_DSN")
    if given:
        yield given
        return
    binaries = _binaries()
    memory = MEMORY if MEMORY.exists() and shutil.disk_usage(MEMORY).free > 2**31 else None
    directory = Path(tempfile.mkdtemp(prefix="durably-migration-", dir=memory))
    directory.chmod(0o777)
    data, port = directory / "data", _free_port()
    options = f"-p {port} -k {directory} -c listen_addresses=127.0.0.1 -c fsync=off -c full_page_writes=off"
    try:
        _as_postgres(
            [binaries / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]
        )
        _as_postgres([binaries / "pg_ctl", "-D", data, "-o", options, "-l", directory / "log", "-w", "start"])
        yield f"postgresql://postgres:secret@127.0.0.1:{port}/{{}}"
        _as_postgres([binaries / "pg_ctl", "-D", data, "-m", "immediate", "stop"])
    finally:
        shutil.rmtree(directory)


def _binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if not found:
        pytest.skip("no PostgreSQL here: set DURABLY_TEST_DSN to a superuser's URL with {} for the database")
    return found[-1]


def _as_postgres(command: list[str | Path]) -> None:
    user = "postgres" if os.getuid() == 0 else None
    subprocess.run(
        command, check=True, user=user, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/"
    )


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


@dataclass
class Server:
    """Databases with names that nobody else has; on a server that stays they are dropped at the end."""

    dsn: str

    def __post_init__(self) -> None:
        self.made: list[str] = []

    def url(self, name: str) -> str:
        return self.dsn.format(name)

    def new_name(self) -> str:
        name = f"migration_{uuid.uuid4().hex[:12]}"
        self.made.append(name)
        return name

    def create(self, template: str = "template1") -> str:
        """The URL of a new database, a copy of the template."""
        name = self.new_name()
        self.admin("CREATE DATABASE {} TEMPLATE {}", name, template)
        return self.url(name)

    def admin(self, statement: str, *names: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def drop(self) -> None:
        for name in self.made:
            self.admin("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


@pytest.fixture(scope="session")
def server(admin_dsn: str) -> Iterator[Server]:
    server = Server(admin_dsn)
    yield server
    if "DURABLY_TEST_DSN" in os.environ:
        server.drop()


@pytest.fixture
def database(server: Server) -> str:
    """The URL of an empty database."""
    return server.create()


@asynccontextmanager
async def connected(url: str, **options: Any) -> AsyncIterator[Connection]:
    async with await psycopg.AsyncConnection.connect(url, **options) as conn:
        yield conn


# ---------------------------------------------------------------------------------- the real package


@pytest.fixture(scope="session")
def peer_python() -> str:
    """An interpreter that has the real `dbos` package; without one the test is skipped, but not in CI."""
    given = os.environ.get("DURABLY_DBOS_PYTHON", str(ROOT / ".venv-peers" / "bin" / "python"))
    if not Path(given).exists():
        if os.environ.get("CI"):
            pytest.fail(f"no interpreter with the dbos package at {given}: run `make peers`")
        pytest.skip("no real dbos package here: run `make peers`")
    return given


Peer = Callable[..., str]


@pytest.fixture(scope="session")
def peer(peer_python: str) -> Peer:
    """Runs one of the peer scripts; what it prints is returned, what it says when it fails is shown."""

    def run(script: str, *arguments: str) -> str:
        command = [peer_python, str(HERE / script), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=50)
        assert done.returncode == 0, f"{script} failed:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    return run


GENERATIONS = range(100, 126)
OLD_GENERATIONS = (47, 99)


@pytest.fixture(scope="session")
def peer_databases(server: Server, peer: Peer) -> Mapping[int, str]:
    """For each generation the name of a database that the real package made: templates, never changed."""
    base = server.new_name()
    server.admin("CREATE DATABASE {}", base)
    generations = [*OLD_GENERATIONS, *GENERATIONS]
    copies = {generation: f"{base}_{generation}" for generation in generations}
    server.made.extend(copies.values())
    peer("peer_migrate.py", server.dsn, base, "dbos", "yes", *map(str, generations))
    return copies


@pytest.fixture(scope="session")
def peer_catalog(server: Server, peer_databases: Mapping[int, str]) -> Callable[[int], dict[str, str]]:
    """What the real package makes at a generation."""
    return cache(lambda generation: catalog(server.url(peer_databases[generation])))


@pytest.fixture
def peer_database(server: Server, peer_databases: Mapping[int, str]) -> Callable[[int], str]:
    """A fresh database of one generation, made by the real package."""
    return lambda generation: server.create(peer_databases[generation])
