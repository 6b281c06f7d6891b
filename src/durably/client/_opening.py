"""Opening a client: awaited, or entered as a context; and what its errors advise."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from durably.config import redact
from durably.errors import DatabaseUnavailable, EmbeddedUnavailable

if TYPE_CHECKING:
    from durably.embedded import EmbeddedPostgres

__all__ = ["Opening", "advised", "embedded_server"]


class Closable(Protocol):
    """What an opening opens."""

    async def destroy(self) -> None:
        """Close it."""


C = TypeVar("C", bound=Closable)


class Opening(Generic[C]):
    """A client about to be connected: `await` it, or enter it with `async with`."""

    def __init__(self, open_: Callable[[], Awaitable[C]]) -> None:
        self._open = open_
        self._client: C | None = None

    def __await__(self) -> Generator[Any, None, C]:
        return self._open().__await__()

    async def __aenter__(self) -> C:
        self._client = await self._open()
        return self._client

    async def __aexit__(self, *exc_info: object) -> None:
        if self._client is not None:
            await self._client.destroy()


async def embedded_server(url: str) -> EmbeddedPostgres | None:
    """The embedded server that a URL leads to, in use until its `stop`; None where it is another server.

    Where it cannot be started it may still run, or the connection says what is wrong.
    """
    if "host=" not in url:
        return None
    from durably import embedded

    try:
        return await asyncio.to_thread(embedded.join, url)
    except EmbeddedUnavailable:
        return None


def advised(error: DatabaseUnavailable, url: str) -> DatabaseUnavailable:
    """The error of a first connection, with what to do about it."""
    said = str(error)
    for sign, advice in _ADVICE:
        if sign in said:
            return DatabaseUnavailable(f"{said}; {advice}")
    return DatabaseUnavailable(f"{said}; is {redact(url)} right, and is PostgreSQL running there?")


_ADVICE = (
    (
        "does not exist",
        "check the name: an application's system database is called like its own with _dbos_sys appended "
        "unless it was given another; if there is none yet, run `durably db migrate` or launch the "
        "application",
    ),
    ("password authentication failed", "check user and password, and percent-encode what is special in them"),
    ("no password supplied", "put the password into the URL, a passfile or PGPASSWORD"),
    ("Connection refused", "is PostgreSQL running there, and listening on that port?"),
    ("No such file or directory", "is PostgreSQL running there, with its socket in that directory?"),
    ("translate host name", "check the host's name"),
    ("too many", "raise max_connections, or use fewer connections (pool_size)"),
    ("timeout expired", "is the host reachable from here, past its firewall?"),
)
