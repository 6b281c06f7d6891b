"""The PostgreSQL that tests run on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from psycopg import conninfo

from durably import embedded

__all__ = ["Server", "embedded_server", "server_at"]


@dataclass(frozen=True)
class Server:
    """A running PostgreSQL; `url` gives the address of one of its databases, whether it exists or not."""

    url: Callable[[str], str]
    is_embedded: bool


def server_at(dsn: str) -> Server:
    """Return the server that a libpq URL or keyword string names."""
    return Server(url=lambda database: conninfo.make_conninfo(dsn, dbname=database), is_embedded=False)


@contextmanager
def embedded_server(home: Path) -> Iterator[Server]:
    """Run an embedded server without durability; processes that name the same home share it."""
    running = embedded.start(home, durable=False)
    try:
        yield Server(url=running.url, is_embedded=True)
    finally:
        running.stop()
