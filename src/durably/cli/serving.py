"""An ASGI application served beside a command, on a thread and a loop of its own."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING

import uvicorn

from durably.cli.failures import UsageError
from durably.concurrency.portal import Portal

if TYPE_CHECKING:
    from starlette.types import ASGIApp

__all__ = ["serving"]


@contextlib.contextmanager
def serving(served: ASGIApp, address: str) -> Iterator[str]:
    """Serve at `HOST:PORT` (port 0: a free one) while the block runs; the URL. UsageError if it cannot."""
    with _listening(address) as listening:
        config = uvicorn.Config(
            served, log_level="warning", server_header=False, access_log=False, lifespan="off"
        )
        server = uvicorn.Server(config)
        portal = Portal.start("durably-http")

        async def begin() -> asyncio.Task[None]:
            return asyncio.get_running_loop().create_task(server.serve(sockets=[listening]))

        task = portal.call(begin)

        async def finish() -> None:
            server.should_exit = True
            await task

        try:
            host, port = listening.getsockname()[:2]
            yield f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        finally:
            portal.call(finish)
            portal.close()


def _listening(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    if not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise UsageError(f"--http {address}: say HOST:PORT, as in 127.0.0.1:9100")
    try:
        family = socket.AF_INET6 if ":" in str(ipaddress.ip_address(host)) else socket.AF_INET
    except ValueError:
        family = socket.AF_INET
    try:
        return socket.create_server((host, int(port)), family=family)
    except OSError as error:
        raise UsageError(f"--http {address}: cannot listen there: {error.strerror or error}") from None
