"""`durably console`: the web console, served on this machine."""

from __future__ import annotations

import ipaddress
from typing import Annotated

import typer

from durably.cli import connection
from durably.cli.command import Session, command
from durably.cli.failures import UsageError

__all__ = ["app"]

app = typer.Typer()


@app.command()
@command
def console(
    session: Session,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The port to listen on; 0: any free one.")
    ] = 8642,
) -> None:
    """Serve the web console.

    Without accounts it listens on this machine only, and everybody on this machine may do everything.
    """
    if not _is_loopback(host):
        raise UsageError(
            f"{host} can be reached from other machines, and this console knows no accounts yet; "
            "listen on 127.0.0.1"
        )
    try:
        import uvicorn

        from durably.console import Console
    except ModuleNotFoundError as missing:
        raise UsageError(f"the console needs {missing.name}: pip install 'durably[console]'") from missing
    with connection.database(session) as url:
        served = Console(
            system_database_url=url,
            schema=session.schema,
            application_name=session.application_name,
            allow_serializations=session.allow_serializations or (),
        )
        uvicorn.run(served, host=host, port=port, log_level="warning", server_header=False, access_log=False)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
