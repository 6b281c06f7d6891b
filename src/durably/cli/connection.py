"""Which system database a command means, and a client of it.

What the command line says comes first, then DURABLY_SYSTEM_DATABASE_URL, then DURABLY_DATABASE_URL, then the
embedded server of DURABLY_HOME or ./.durably, if there is one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from durably import config
from durably.cli.command import Session
from durably.cli.failures import UsageError
from durably.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from durably.client import DBOSClient
    from durably.embedded import EmbeddedPostgres

__all__ = ["ENVIRONMENT_SYSTEM_URL", "SUFFIX", "client", "configured_url", "database", "running"]

ENVIRONMENT_SYSTEM_URL = "DURABLY_SYSTEM_DATABASE_URL"
SUFFIX = "_dbos_sys"
HOW = "give --database-url or --system-database-url, or set DURABLY_DATABASE_URL"


@contextmanager
def client(session: Session, *, retry_for: float = 60.0) -> Iterator[DBOSClient]:
    """A client of the database that is meant, its deeds audited; `retry_for` seconds it bears an outage."""
    from durably.cli import auditing
    from durably.client import DBOSClient

    with (
        database(session) as url,
        DBOSClient.create(
            system_database_url=url,
            schema=session.schema,
            application_name=session.application_name,
            allow_serializations=session.allow_serializations or (),
            retry_for=retry_for,
        ) as connected,
    ):
        yield auditing.audited(connected)


@contextmanager
def database(session: Session, *, create: bool = False) -> Iterator[str]:
    """The URL of the system database, with the embedded server running as long as it is used.

    `create` is for commands that make a database: then the embedded server is made too.
    """
    url = configured_url(session)
    if url is not None:
        with running(url):
            yield url
        return
    with _embedded(create=create) as server:
        yield server.url(_system_database(session, server, create=create))


@contextmanager
def running(url: str) -> Iterator[None]:
    """Keep the embedded server running, if it is the one of this URL: `durably db url` printed it, say."""
    from durably import embedded

    with embedded.join(url) or nullcontext():
        yield


def configured_url(session: Session) -> str | None:
    """The URL of the system database, if anything but the embedded server is meant."""
    database_url, outright = session.database_url, session.system_database_url
    if database_url is None and outright is None:
        outright = os.environ.get(ENVIRONMENT_SYSTEM_URL) or None
        database_url = config.default_url()
    if database_url is None and outright is None:
        return None
    return config.system_database_url(database_url, session.system_database, outright=outright)


def _embedded(*, create: bool) -> EmbeddedPostgres:
    from durably import embedded
    from durably.embedded.place import home_directory

    home = home_directory(None)
    if not create and not (home / "pg").exists():
        raise DatabaseUnavailable(
            f"no database was named, and {_relative(home)} has no embedded one (a worker makes it): "
            f"{HOW}; or go where the application runs, or set DURABLY_HOME"
        )
    return embedded.start(home)


def _system_database(session: Session, server: EmbeddedPostgres, *, create: bool) -> str:
    """The database that was named, otherwise the only one there is."""
    wanted = session.system_database or (session.application_name and session.application_name + SUFFIX)
    if wanted and create:
        return wanted
    there = _system_databases(server)
    if wanted in there or (len(there) == 1 and not wanted):
        return wanted or there[0]
    raise _undecided(wanted, there)


def _undecided(wanted: str | None, there: list[str]) -> Exception:
    applications = ", ".join(name.removesuffix(SUFFIX) for name in there)
    if not there:
        return DatabaseUnavailable(
            "the embedded server has no system database yet: run `durably worker`, which makes one, "
            "or `durably db migrate --app NAME`"
        )
    if wanted:
        return DatabaseUnavailable(
            f"the embedded server has no database {wanted!r}; it has the applications {applications}"
        )
    return UsageError(f"which application? --app NAME, one of: {applications}")


def _system_databases(server: EmbeddedPostgres) -> list[str]:
    """The databases of the server that are called like a system database."""
    import asyncio

    from durably.store.database import Database

    async def names() -> list[str]:
        async with Database(server.url()).dedicated() as connection:
            # The one statement outside the store: it is about the server, not about durably's tables.
            cursor = await connection.execute(b"SELECT datname FROM pg_database ORDER BY datname")
            return [name for (name,) in await cursor.fetchall() if name.endswith(SUFFIX)]

    return asyncio.run(names())


def _relative(path: Path) -> str:
    return f"./{path.relative_to(Path.cwd())}" if path.is_relative_to(Path.cwd()) else str(path)
