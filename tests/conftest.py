"""Fixtures and options of every test: a real PostgreSQL, and a database for each test that asks."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.support.databases import Databases
from tests.support.server import Server, embedded_server, server_at
from tests.support.skips import SkipsAreFailures


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--dsn",
        metavar="URL",
        default=os.environ.get("DURABLY_TEST_DSN"),
        help="use this PostgreSQL, whose role may create databases, and not the embedded one",
    )
    parser.addoption(
        "--faults",
        choices=("small", "full"),
        default="small",
        help="how many seeds the fault suite takes: small for every change, full for a night",
    )
    parser.addoption("--soak-seconds", type=float, default=8.0, help="how long the soak makes faults")
    parser.addoption("--faults-seed", type=int, default=1, help="the first seed of the fault suite")


def pytest_configure(config: pytest.Config) -> None:
    is_worker = hasattr(config, "workerinput")
    if os.environ.get("CI") and not is_worker:
        config.pluginmanager.register(SkipsAreFailures(), "skips-are-failures")


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The PostgreSQL of this session: `--dsn`, otherwise an embedded one that parallel workers share."""
    dsn: str | None = request.config.getoption("--dsn")
    if dsn:
        yield server_at(dsn)
        return
    base = tmp_path_factory.getbasetemp()
    home = base.parent if hasattr(request.config, "workerinput") else base
    with embedded_server(home / "postgresql") as server:
        yield server


@pytest.fixture(scope="session")
def databases(server: Server) -> Iterator[Databases]:
    """Makes databases, empty or migrated, and drops them; those of an embedded server go with it."""
    databases = Databases(server)
    yield databases
    if not server.is_embedded:
        databases.drop_all()


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """The URL of a system database that nobody else has: migrated, nothing in it."""
    url = databases.migrated()
    yield url
    databases.drop(url)


@pytest.fixture
def empty_database_url(databases: Databases) -> Iterator[str]:
    """The URL of a database that nobody else has, with no tables."""
    url = databases.empty()
    yield url
    databases.drop(url)
