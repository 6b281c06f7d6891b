"""Makes the system database, brings an older one up, and says what a database is.

    schema.sql              DBOS's tables at generation 125, for an empty database
    migrations/dbos/        one step per generation, from 100 up to the same
    migrations/durably/     the extension schema, with a numbering of its own
    migrations/queries/     what this module asks

A migration is one transaction that also records its number. The exception are indexes, built and dropped
CONCURRENTLY so that nobody waits: those are statements of their own, repeated until they are recorded. All of
it happens under the advisory lock that DBOS's own migrations take, so that applications of both kinds can
launch at once.

Generations before 100 differ between languages; the application's own DBOS has to bring them to 100. Those
after 125 are used as they are, as DBOS does: only a missing column is refused.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
from psycopg import errors as pg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import class_row, tuple_row

from durably.errors import (
    ConfigurationError,
    DatabaseError,
    DatabaseUnavailable,
    InvalidOption,
    NotASystemDatabase,
    SchemaTooNew,
    SchemaTooOld,
    WrongContext,
)
from durably.store.sql import Schemas, extension_schema, quote

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

    Connection = psycopg.AsyncConnection[Any]

__all__ = [
    "KNOWN_EXTENSION",
    "KNOWN_GENERATION",
    "NEEDED_GENERATION",
    "OLDEST_GENERATION",
    "SchemaState",
    "check",
    "ensure_database",
    "indexes",
    "inspect",
    "migrate",
]

OLDEST_GENERATION = 100
"""The oldest generation that `migrate` brings up."""
NEEDED_GENERATION = 123
"""The oldest generation that works as it is; what comes after it are indexes."""
KNOWN_GENERATION = 125
"""The generation that `migrate` makes."""
KNOWN_EXTENSION = 14
"""The last migration of the extension schema."""

_LOCK_SECONDS = 30.0
_LOCK_PAUSE = 0.1
_SETTLING_PAUSE = 0.5
_TABLE_LOCK_TIMEOUT = "3s"
_TABLE_LOCK_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)
_RACED = (
    pg.DuplicateTable,
    pg.DuplicateSchema,
    pg.DuplicateFunction,
    pg.DuplicateObject,
    pg.UniqueViolation,
    pg.DeadlockDetected,
)
_ROOT = files("durably.store")
_MIGRATIONS = "dbos_migrations"
_EXTENSION_MIGRATIONS = "migrations"
_NAME_BYTES = 63
_LISTEN_NOTIFY = "-- listen_notify:"
_UNUSED_COLUMNS = {("workflow_status", "request")}
_UNUSED_TABLES = {"event_dispatch_kv"}


@dataclass(frozen=True)
class SchemaState:
    """What was found; `generation` and `extension` are None where there is none, or none may be read."""

    exists: bool
    generation: int | None
    extension: int | None
    has_notify_trigger: bool
    problems: tuple[str, ...]


async def inspect(conn: Connection, schema: str = "dbos") -> SchemaState:
    """What the database holds in this schema; raises only when the database cannot be asked.

    Needs no right on the tables: what this role may not read is None.

        state = await inspect(conn)
        print(state.generation, state.problems)
    """
    names = _checked(schema)
    async with conn.transaction():
        tables = await _tables(conn, names)
        generation = await _version(conn, tables.get(_MIGRATIONS), "dbos_version", names)
        extension = await _version(conn, tables.get(_EXTENSION_MIGRATIONS), "durably_version", names)
    return SchemaState(
        exists=bool(generation) or bool(_present(tables)),
        generation=generation,
        extension=extension,
        has_notify_trigger="notifications" in tables and tables["notifications"].notifies,
        problems=tuple(_problems(tables, generation)),
    )


async def check(conn: Connection, schema: str = "dbos", *, need_extension: bool = False) -> SchemaState:
    """The state of a system database that this release can work with as it is.

    Raises NotASystemDatabase, SchemaTooOld or SchemaTooNew, each saying what to do. With `need_extension` the
    extension schema has to be there and current too; a client works without.

        await check(conn)
    """
    state = await inspect(conn, schema)
    _refuse(state, _where(conn, schema), NEEDED_GENERATION)
    if need_extension and (state.extension or 0) < KNOWN_EXTENSION:
        raise SchemaTooOld(
            f"{_where(conn, schema)} lacks what durably's applications need beside DBOS's tables (schema "
            f"{quote(extension_schema(schema))}): run `durably db migrate`, or launch with migrate=True",
            found=state.extension or 0,
            needed=KNOWN_EXTENSION,
        )
    return state


async def migrate(conn: Connection, schema: str = "dbos", *, listen_notify: bool = True) -> SchemaState:
    """Creates the tables or brings them up to date; does nothing where nothing is to do.

    Safe when several processes call it at once, and while DBOS applications launch. `conn` must be outside
    a transaction. `listen_notify=False` leaves out, when creating, the trigger that wakes waiters. Raises
    NotASystemDatabase (foreign tables, a sharded layout), SchemaTooOld (before generation 100) and
    DatabaseError (no privilege; tables locked for long; somebody else migrating for long).

        state = await migrate(conn)
        assert state.generation >= KNOWN_GENERATION
    """
    names = _checked(schema)
    async with _outside_transaction(conn):
        if not _is_current(await inspect(conn, schema)):
            async with _migration_lock(conn, names), _explained(conn, schema):
                await _bring_up(conn, names, listen_notify)
        return await check(conn, schema, need_extension=True)


async def ensure_database(url: str) -> bool:
    """Creates the database that the URL names unless it is there; True when this call created it.

    Creates from the database `postgres` of the same server. Raises DatabaseUnavailable when the server cannot
    be reached, DatabaseError when this role may not create databases, ConfigurationError for no URL at all.

        await ensure_database("postgresql://localhost/tickets_dbos_sys")
    """
    try:
        name = conninfo_to_dict(url).get("dbname")
    except psycopg.Error:  # its message quotes the URL, so perhaps a password
        raise ConfigurationError("the database URL cannot be read: no libpq connection string") from None
    if not name:
        raise ConfigurationError("the database URL names no database: add one, postgresql://host/name")
    return not await _can_connect(url) and await _create_database(url, str(name))


# ------------------------------------------------------------------------------------------------ bringing up


async def _bring_up(conn: Connection, names: Schemas, listen_notify: bool) -> None:
    """Once more when somebody was in the way: TypeScript applications migrate without the lock."""
    for more in (True, True, False):
        try:
            await _bring_up_once(conn, names, listen_notify)
            return
        except _RACED:
            if not more:
                raise


async def _bring_up_once(conn: Connection, names: Schemas, listen_notify: bool) -> None:
    state = await _settled(conn, names.system)
    if _is_empty(state):
        await _create(conn, names, listen_notify)
    else:
        _refuse(state, _where(conn, names.system), OLDEST_GENERATION)
        await _upgrade(conn, names, state.generation or KNOWN_GENERATION)
    await _extend(conn, names, state.extension or 0)


async def _settled(conn: Connection, schema: str) -> SchemaState:
    """The state, once it no longer moves below 100: somebody may be migrating who does not take the lock."""
    before, state = None, await inspect(conn, schema)
    while state != before and state.generation is not None and 0 < state.generation < OLDEST_GENERATION:
        await asyncio.sleep(_SETTLING_PAUSE)
        before, state = state, await inspect(conn, schema)
    return state


async def _create(conn: Connection, names: Schemas, listen_notify: bool) -> None:
    text, _, notify = _read("schema.sql").partition(_LISTEN_NOTIFY)
    async with conn.transaction():
        await _create_schema(conn, names.system)
        await _run(conn, _fill(text, names))
        if listen_notify:
            await _run(conn, _fill(f"{_LISTEN_NOTIFY}{notify}", names))
        await _ask(conn, "dbos_set_version", names, version=KNOWN_GENERATION)


async def _upgrade(conn: Connection, names: Schemas, generation: int) -> None:
    for migration in _migrations("dbos"):
        if migration.version > generation:
            await _apply(conn, names, migration)


async def _extend(conn: Connection, names: Schemas, version: int) -> None:
    if not version:
        async with conn.transaction():
            await _create_schema(conn, names.extension)
            await _ask(conn, "durably_versions_table", names)
    for migration in _migrations("durably"):
        if migration.version > version:
            await _apply(conn, names, migration)


async def _apply(conn: Connection, names: Schemas, migration: _Migration) -> None:
    if migration.concurrent:
        await _drop_invalid_index(conn, names, migration)
        await _run(conn, _fill(migration.text, names))
        await _ask(conn, f"{migration.series}_set_version", names, version=migration.version)
    else:
        await _apply_in_transaction(conn, names, migration)


async def _apply_in_transaction(conn: Connection, names: Schemas, migration: _Migration) -> None:
    for pause in (*_TABLE_LOCK_PAUSES, None):
        try:
            async with conn.transaction():
                await _ask(conn, "impatient", timeout=_TABLE_LOCK_TIMEOUT)
                await _run(conn, _fill(migration.text, names))
                await _ask(conn, f"{migration.series}_set_version", names, version=migration.version)
            return
        except pg.LockNotAvailable as error:
            if pause is None:
                raise DatabaseError(
                    f"{_where(conn, names.system)} cannot be migrated to {migration.version}: long "
                    "transactions hold its tables; end them (see pg_stat_activity) and try again, what is "
                    "done stays done"
                ) from error
            await asyncio.sleep(pause)


async def _drop_invalid_index(conn: Connection, names: Schemas, migration: _Migration) -> None:
    """A build that died leaves an invalid index behind, which IF NOT EXISTS takes for the real one."""
    index = migration.creates_index
    if index and await _ask(conn, "invalid_index", names, schema=names.system, index=index):
        await _run(conn, _fill(_query("drop_index"), names, index=index))


async def _create_schema(conn: Connection, name: str) -> None:
    if not await _ask(conn, "schema_exists", None, name=name):
        await _run(conn, _fill(_query("create_schema"), None, name=name))


# ------------------------------------------------------------------------------------------- session and lock


@asynccontextmanager
async def _outside_transaction(conn: Connection) -> AsyncIterator[None]:
    if conn.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
        raise WrongContext("migrate() needs a connection that is not inside a transaction: commit first")
    before = conn.autocommit
    await conn.set_autocommit(True)
    try:
        yield
    finally:
        if not conn.closed:
            await conn.set_autocommit(before)


@asynccontextmanager
async def _migration_lock(conn: Connection, names: Schemas) -> AsyncIterator[None]:
    await _take_lock(conn, names)
    try:
        async with _without_timeouts(conn):
            yield
    finally:
        if not conn.closed:
            await _ask(conn, "unlock")


@asynccontextmanager
async def _without_timeouts(conn: Connection) -> AsyncIterator[None]:
    before = await _timeouts(conn, "0", "0")
    try:
        yield
    finally:
        if not conn.closed:
            await _timeouts(conn, *before)


async def _take_lock(conn: Connection, names: Schemas) -> None:
    for _ in range(round(_LOCK_SECONDS / _LOCK_PAUSE)):
        if await _ask(conn, "try_lock"):
            return
        await asyncio.sleep(_LOCK_PAUSE)
    raise DatabaseError(
        f"{_where(conn, names.system)} has been under migration by another process for {_LOCK_SECONDS:g} s "
        f"(server process {await _ask(conn, 'lock_holder')}): wait for it, then try again"
    )


async def _timeouts(conn: Connection, statement: str, lock: str) -> tuple[str, str]:
    async with conn.cursor(row_factory=tuple_row) as cursor:
        values = {"statement": statement, "lock": lock}
        await cursor.execute(_query("session_timeouts").encode(), values, prepare=False)
        row = await cursor.fetchone()
    return (row[0], row[1]) if row else ("0", "0")


@asynccontextmanager
async def _explained(conn: Connection, schema: str) -> AsyncIterator[None]:
    """Says what to do about the refusals of the server that an operator can do something about."""
    try:
        yield
    except pg.InsufficientPrivilege as error:
        raise DatabaseError(
            f"{_where(conn, schema)} cannot be migrated by role {quote(conn.info.user)} "
            f"({error.diag.message_primary}): run `durably db migrate` as the owner of the tables"
        ) from error
    except pg.UndefinedTable as error:
        raise NotASystemDatabase(
            f"{_where(conn, schema)} is only a part of a system database ({error.diag.message_primary}): "
            "restore the rest, or choose another schema"
        ) from error
    except pg.ReadOnlySqlTransaction as error:
        raise DatabaseError(
            f"{_where(conn, schema)} cannot be migrated: this server is read-only (a standby?); "
            "name the primary, or add target_session_attrs=read-write to the URL"
        ) from error


# --------------------------------------------------------------------------------------------------- refusing


def _is_empty(state: SchemaState) -> bool:
    return not state.exists and not state.problems


def _is_current(state: SchemaState) -> bool:
    """A generation that this role may not read is somebody else's to migrate."""
    generation = KNOWN_GENERATION if state.generation is None else state.generation
    current = generation >= KNOWN_GENERATION and (state.extension or 0) >= KNOWN_EXTENSION
    return state.exists and current and not state.problems


def _where(conn: Connection, schema: str) -> str:
    return f"database {quote(conn.info.dbname)}, schema {quote(schema)}"


def _refuse(state: SchemaState, where: str, needed: int) -> None:
    if _is_empty(state):
        raise NotASystemDatabase(
            f"{where} holds no DBOS tables: is this the system database (its name often ends in _dbos_sys), "
            "and the right schema? If it is to become one, run `durably db migrate` or launch an application"
        )
    if state.problems:
        raise _unusable(state, where)
    if state.generation is not None and state.generation < needed:
        raise _too_old(state.generation, where, needed)


def _unusable(state: SchemaState, where: str) -> DatabaseError:
    found, problems = state.generation, "; ".join(state.problems)
    if found is None or found <= KNOWN_GENERATION:
        return NotASystemDatabase(f"{where} cannot be used: {problems}")
    return SchemaTooNew(
        f"{where} is at generation {found}, newer than this release knows ({KNOWN_GENERATION}), and cannot "
        f"be used: {problems}; upgrade durably",
        found=found,
        known=KNOWN_GENERATION,
    )


def _too_old(found: int, where: str, needed: int) -> SchemaTooOld:
    todo = "run `durably db migrate`, or launch an application (of durably or DBOS) on it once"
    if found < OLDEST_GENERATION:
        todo = (
            f"generations before {OLDEST_GENERATION} differ between languages, so only the application's own "
            "DBOS can bring it up: at a DBOS release that has generation 100 (Python 3, TypeScript 5), run "
            "its `dbos migrate`, or launch that application once"
        )
    return SchemaTooOld(
        f"{where} is at generation {found}, {needed} is needed: {todo}", found=found, needed=needed
    )


def _problems(tables: Mapping[str, _Table], generation: int | None) -> Iterator[str]:
    present = _present(tables)
    if "workflow_status" in tables and "shard_key" in tables["workflow_status"].columns:
        yield "workflow_status has a column shard_key: a sharded database of DBOS's enterprise, not supported"
    if present and _MIGRATIONS not in tables:
        yield (
            f"it has tables named {', '.join(present)} but no {_MIGRATIONS}: part of a restored dump, or "
            "another program's tables; restore the rest, or choose another schema"
        )
    elif _MIGRATIONS in tables and (generation is None or generation >= NEEDED_GENERATION):
        yield from _missing(tables)


def _missing(tables: Mapping[str, _Table]) -> Iterator[str]:
    for name, columns in _expected_columns().items():
        if name not in tables:
            yield f"table {name} is missing"
        elif lacking := sorted(columns - set(tables[name].columns)):
            yield f"table {name} lacks {', '.join(lacking)}"


def _present(tables: Mapping[str, _Table]) -> list[str]:
    """DBOS's tables that are there, but dbos_migrations: a launch that died early leaves that one, empty."""
    return [name for name in _expected_columns() if name in tables and name != _MIGRATIONS]


# -------------------------------------------------------------------------------------------------- databases


async def _can_connect(url: str) -> bool:
    """Whether it works as it is. (Why not is asked elsewhere: a refused connection carries no SQLSTATE.)"""
    try:
        await (await psycopg.AsyncConnection.connect(url)).close()
    except psycopg.OperationalError:
        return False
    return True


async def _create_database(url: str, name: str) -> bool:
    async with _maintenance(url, name) as conn:
        if await _ask(conn, "database_exists", None, name=name):
            await _connect(url, f"database {quote(name)} exists, but it cannot be used")
            return False
        try:
            await _run(conn, _fill(_query("create_database"), None, database=name))
        except (pg.DuplicateDatabase, pg.UniqueViolation):
            return False
        except pg.InsufficientPrivilege as error:
            raise DatabaseError(
                f"database {quote(name)} does not exist and role {quote(conn.info.user)} may not create it: "
                f"let an administrator run CREATE DATABASE {quote(name)} OWNER {quote(conn.info.user)}"
            ) from error
    return True


@asynccontextmanager
async def _maintenance(url: str, name: str) -> AsyncIterator[Connection]:
    what = f'database {quote(name)} cannot be reached, nor can "postgres", from where it would be created'
    conn = await _connect(make_conninfo(url, dbname="postgres"), what)
    try:
        yield conn
    finally:
        await conn.close()


async def _connect(url: str, what: str) -> Connection:
    try:
        return await psycopg.AsyncConnection.connect(url, autocommit=True)
    except psycopg.OperationalError as error:
        raise DatabaseUnavailable(f"{what}: {error}") from error


# ------------------------------------------------------------------------------------------ files and queries


class _Migration(NamedTuple):
    series: str
    version: int
    text: str

    @property
    def concurrent(self) -> bool:
        """Whether it must run outside a transaction."""
        return "INDEX CONCURRENTLY" in self.text

    @property
    def creates_index(self) -> str | None:
        found = re.search(r"CREATE (?:UNIQUE )?INDEX CONCURRENTLY IF NOT EXISTS (\w+)", self.text)
        return found and found[1]


@dataclass(frozen=True)
class _Table:
    is_extension: bool
    name: str
    columns: list[str]
    readable: bool
    notifies: bool


def _checked(schema: str) -> Schemas:
    names = Schemas(schema)
    if not schema or "\0" in schema or re.search(r"\$(body|migration)\$", schema) or schema.startswith("pg_"):
        raise InvalidOption("schema", schema, "not a name that PostgreSQL takes for a schema")
    if len(names.extension.encode()) > _NAME_BYTES:
        longest = _NAME_BYTES - len("_durably")
        raise InvalidOption(
            "schema", schema, f"too long, {longest} bytes is the most (durably's own ends in _durably)"
        )
    return names


@cache
def _read(path: str) -> str:
    return _ROOT.joinpath(*path.split("/")).read_text("utf-8")


def _query(name: str) -> str:
    return _read(f"migrations/queries/{name}.sql")


@cache
def _migrations(series: str) -> tuple[_Migration, ...]:
    directory = _ROOT.joinpath("migrations", series)
    names = sorted(entry.name for entry in directory.iterdir() if entry.name.endswith(".sql"))
    return tuple(
        _Migration(series, int(name.partition("_")[0]), _read(f"migrations/{series}/{name}"))
        for name in names
    )


@cache
def indexes() -> Mapping[str, str]:
    """The indexes that DBOS's tables have at `KNOWN_GENERATION`, and the tables that they are on.

    print(indexes()["idx_workflow_status_pending"])
    """
    found = re.findall(r"CREATE (?:UNIQUE )?INDEX (\w+) ON \{schema\}\.(\w+)", _read("schema.sql"))
    return dict(found)


@cache
def _expected_columns() -> Mapping[str, frozenset[str]]:
    """The tables of schema.sql and those of their columns that durably uses."""
    tables = re.findall(r"^CREATE TABLE .*?\{schema\}\.(\w+) \((.*?)^\);", _read("schema.sql"), re.M | re.S)
    columns = {name: re.findall(r'^    "?([a-z]\w*)"? [a-z]', body, re.M) for name, body in tables}
    return {
        name: frozenset(column for column in columns[name] if (name, column) not in _UNUSED_COLUMNS)
        for name in columns
        if name not in _UNUSED_TABLES
    }


def _fill(text: str, names: Schemas | None, *, percent: str = "%", **identifiers: str) -> str:
    """The statement with its names in place; in one pass, so that a name may contain a placeholder.

    `percent` is how a % of a name is written: doubled where the driver looks for parameters.
    """
    known = {placeholder: quote(name) for placeholder, name in identifiers.items()}
    if names:
        known |= {"schema": quote(names.system), "extension": quote(names.extension)}
        known["schema_text"] = sql.Literal(names.system).as_string(None)
    code = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("--"))
    return re.sub(r"\{([a-z_]+)\}", lambda found: known[found[1]].replace("%", percent), code)


async def _run(conn: Connection, statements: str) -> None:
    await conn.execute(statements.encode(), prepare=False)


async def _ask(conn: Connection, query: str, names: Schemas | None = None, **values: object) -> Any:
    """The first column of the first row, if the statement returns rows."""
    statement = _fill(_query(query), names, percent="%%" if values else "%")
    async with conn.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute(statement.encode(), values or None, prepare=False)
        row = await cursor.fetchone() if cursor.description else None
    return row and row[0]


async def _tables(conn: Connection, names: Schemas) -> dict[str, _Table]:
    """What stands in both schemas, by name; of ours only the versions table, under its own name."""
    values = {
        "schema": names.system,
        "extension": names.extension,
        "tables": [*_expected_columns(), _EXTENSION_MIGRATIONS],
    }
    async with conn.cursor(row_factory=class_row(_Table)) as cursor:
        await cursor.execute(_query("tables").encode(), values, prepare=False)
        rows = await cursor.fetchall()
    return {row.name: row for row in rows if row.is_extension == (row.name == _EXTENSION_MIGRATIONS)}


async def _version(conn: Connection, table: _Table | None, query: str, names: Schemas) -> int | None:
    if table is None or not table.readable:
        return None
    return int(await _ask(conn, query, names) or 0)
