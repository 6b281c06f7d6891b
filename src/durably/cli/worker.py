"""`durably worker`: run an application until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from contextlib import AbstractContextManager, ExitStack
from typing import TYPE_CHECKING, Annotated, Any

import typer

from durably import config
from durably.cli import applications, connection, output
from durably.cli.command import Session, command
from durably.cli.failures import INTERRUPTED, UsageError

if TYPE_CHECKING:
    from durably.app import App

__all__ = ["app"]

app = typer.Typer()

LEVELS = ("debug", "info", "warning", "error")
STOPS = (signal.SIGTERM, signal.SIGINT)


@app.command()
@command
def worker(
    target: Annotated[
        str, typer.Argument(metavar="MODULE:APP", help="The application: tickets:app, or src/tickets.py:app.")
    ],
    session: Session,
    log_level: Annotated[
        str, typer.Option(metavar="LEVEL", help=f"What to log on stderr: {', '.join(LEVELS)}.")
    ] = "info",
    queues: Annotated[
        str | None,
        typer.Option(metavar="NAME,NAME", help="Take work of these queues only, and of DBOS's internal one."),
    ] = None,
    http: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="Serve /metrics, /health/live and /health/ready there: 127.0.0.1:9100, say.",
        ),
    ] = None,
) -> None:
    """Run an application: its queues, and what a dead process of it left.

    SIGTERM or Ctrl-C: running workflows get a while to end, the others go on in another worker or at the next
    start. A second one: stop at once.

    Example: durably worker src/tickets.py:app --queues mails --http 127.0.0.1:9100
    """
    _log_to_stderr(log_level)
    application = applications.load(target)
    if queues is not None:
        application.listen_queues = [name.strip() for name in queues.split(",")]
    with ExitStack() as exits:
        url = _system_database(application, session, exits)
        served = exits.enter_context(_served(application, http)) if http is not None else None
        asyncio.run(_run(application, url, as_json=session.as_json, served=served))


def _served(application: App, address: str) -> AbstractContextManager[str]:
    """The worker's health and metrics, answered also while its event loop is blocked."""
    try:
        from durably.cli.serving import serving
        from durably.integrations.health import health_app

        return serving(health_app(application), address)
    except ModuleNotFoundError as missing:
        raise UsageError(f"--http needs {missing.name}: pip install 'durably[console]'") from missing


async def _run(application: App, url: str, *, as_json: bool, served: str | None = None) -> None:
    stop = asyncio.Event()
    for number in STOPS:
        asyncio.get_running_loop().add_signal_handler(number, _asked_to_stop, stop)
    async with application:
        _announce(application, url, as_json=as_json, served=served)
        await stop.wait()
        output.note(
            f"stopping {application.name}: running workflows get a while to end; again to stop at once"
        )
    output.note(
        f"stopped {application.name}: what has not ended goes on in another worker, or at the next start"
    )


def _asked_to_stop(stop: asyncio.Event) -> None:
    """A second signal does not wait: a lease that is not given back runs out by itself."""
    if stop.is_set():
        os._exit(INTERRUPTED)
    stop.set()


def _announce(application: App, url: str, *, as_json: bool, served: str | None) -> None:
    """Say on stdout that work is taken from now on, in one line."""
    facts = {
        "application_name": application.name,
        "app_version": application.version,
        "executor_id": application.executor_id,
        "database": config.redact(url),
        **({} if served is None else {"http": served}),
    }
    if as_json:
        output.print_line(facts)
    else:
        print(
            output.printable(
                f"ready: {facts['application_name']}, version {facts['app_version']}, "
                f"executor {facts['executor_id']}, on {facts['database']}"
                + ("" if served is None else f", health and metrics at {served}")
            ),
            flush=True,
        )


def _system_database(application: App, session: Session, exits: ExitStack) -> str:
    """Where the application runs: what the command line says, then what its code says, then the environment.

    It is settled here, so that the line that says `ready` names it.
    """
    settings = application._settings  # the one place that looks inside: App has no question or setter for it
    own = settings.urls
    named = session.database_url is not None or session.system_database_url is not None
    if not named and own[0] is None and own[2] is None:
        url = connection.configured_url(session) or _embedded(application, session, exits)
    elif named:
        url = str(connection.configured_url(session))
    else:
        url = config.system_database_url(own[0], own[1], outright=own[2])
    exits.enter_context(connection.running(url))
    settings.urls = (None, None, url)
    if session.schema != "dbos":
        settings.schema = session.schema
    return url


def _embedded(application: App, session: Session, exits: ExitStack) -> str:
    from durably import embedded

    server = exits.enter_context(embedded.start())
    return config.system_database_url(server.url(application.name), session.system_database)


def _log_to_stderr(level: str) -> None:
    if level.lower() not in LEVELS:
        raise UsageError(f"--log-level {level}: there is no such level; there are {', '.join(LEVELS)}")
    form: dict[str, Any] = {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}
    logging.basicConfig(level=level.upper(), **form)
