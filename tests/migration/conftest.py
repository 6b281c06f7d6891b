"""A server to migrate on, databases to spoil, and every generation that the real package makes."""

from __future__ import annotations

import os
import subprocess
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from tests.migration.catalog import catalog
from tests.support import server as support

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]

Connection = psycopg.AsyncConnection[Any]


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
def server(server: support.Server) -> Iterator[Server]:
    """The session's PostgreSQL, with a password in its URL that must not show up in a message."""
    dsn = server.url("DATABASE").replace("postgres@", "postgres:secret@", 1).replace("DATABASE", "{}")
    ours = Server(dsn)
    yield ours
    ours.drop()


def database_name(url: str) -> str:
    """The database that a URL names."""
    return urlsplit(url).path.removeprefix("/")


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
