"""`durably console`: the web console, served from this machine."""

from __future__ import annotations

import ipaddress
import socket
import webbrowser
from typing import TYPE_CHECKING, Annotated, Any

import typer

from durably.cli import connection, output
from durably.cli.command import Session, command
from durably.cli.failures import UsageError

if TYPE_CHECKING:
    from durably.console import Access, Console

__all__ = ["app"]

LOOPBACK = ("localhost", "127.0.0.1", "::1")

app = typer.Typer()


@app.command()
@command
def console(
    session: Session,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The port to listen on; 0: any free one.")
    ] = 8642,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Everybody looks, and nobody changes anything.")
    ] = False,
    browse: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Serve the web console.

    Where there are accounts (durably account add), people log in. Without any it listens on this machine
    only, and everybody on this machine may do everything.

    Example: durably console --port 8642 --read-only --open
    """
    try:
        import uvicorn

        from durably.console import Console
    except ModuleNotFoundError as missing:
        raise UsageError(f"the console needs {missing.name}: pip install 'durably[console]'") from missing
    with connection.database(session) as url:
        logs_in = _has_accounts(session)
        if not logs_in and not _is_loopback(host):
            raise UsageError(
                f"{host} can be reached from other machines, and nobody has an account: let people log in "
                "(durably account add NAME --role admin), or listen on 127.0.0.1"
            )
        served = Console(
            system_database_url=url,
            schema=session.schema,
            application_name=session.application_name,
            allow_serializations=session.allow_serializations or (),
            access=_access(logs_in=logs_in, read_only=read_only),
            hosts=None if logs_in else [*LOOPBACK, host],
        )
        _serve(uvicorn, served, host, port, browse=browse)


def _has_accounts(session: Session) -> bool:
    """Whether there is any account: disabled ones count, so that disabling the last one opens nothing."""
    with connection.client(session) as client:
        return bool(client.list_accounts())


def _access(*, logs_in: bool, read_only: bool) -> Access:
    from durably.console import Accounts, Open, ReadOnly

    access: Access = Accounts() if logs_in else Open()
    return ReadOnly(access) if read_only else access


def _serve(uvicorn: Any, served: Console, host: str, port: int, *, browse: bool) -> None:
    listening = _listening(host, port)
    shown = f"[{host}]" if ":" in host else host
    url = f"http://{shown}:{listening.getsockname()[1]}/"
    output.note(f"the console is at {url}")
    if browse:
        webbrowser.open(url)
    config = uvicorn.Config(served, log_level="warning", server_header=False, access_log=False)
    with listening:
        uvicorn.Server(config).run(sockets=[listening])


def _listening(host: str, port: int) -> socket.socket:
    """Bound before anything is said, so that what is said is so."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise UsageError(f"cannot listen on {host} port {port}: {error.strerror or error}") from error


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
