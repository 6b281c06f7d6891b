"""A shop with a worker, that the commands of a module share; and a database of their own for the rest."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from psycopg import conninfo

from tests.cli.shell import APPS, Durably, background
from tests.support.databases import Databases


def uri(dsn: str) -> str:
    """The URI of a keyword string: what a person passes on a command line."""
    if "://" in dsn:
        return dsn
    parts = {name: str(value) for name, value in conninfo.conninfo_to_dict(dsn).items()}
    database = parts.pop("dbname")
    return f"postgresql:///{database}?" + "&".join(f"{name}={value}" for name, value in parts.items())


@pytest.fixture(scope="module")
def shop(databases: Databases) -> Iterator[Durably]:
    """`durably` on the system database of a shop whose worker runs."""
    url = databases.migrated()
    durably = Durably({"DURABLY_SYSTEM_DATABASE_URL": uri(url)})
    with background(durably.start("worker", f"{APPS / 'shop.py'}:app", "--log-level", "error")) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline().startswith("ready: shop")
        yield durably
    databases.drop(url)


@pytest.fixture
def system(database_url: str) -> Durably:
    """`durably` on a system database that nobody else has, with no worker."""
    return Durably({"DURABLY_SYSTEM_DATABASE_URL": uri(database_url)})


@pytest.fixture
def nowhere(tmp_path: Path) -> Durably:
    """`durably` in an empty directory, with nothing configured."""
    return Durably(cwd=tmp_path)


@pytest.fixture
def new_id() -> Callable[[], str]:
    return lambda: f"w-{uuid.uuid4().hex[:8]}"
