"""Statements on a connection of the caller's own, in a transaction that stays the caller's to commit.

The drivers are recognised by the names of their classes, so none of them is imported that is not in use.
Nothing here begins, commits, retries or closes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from types import SimpleNamespace
from typing import Any, NamedTuple

from psycopg.pq import TransactionStatus
from psycopg.rows import namedtuple_row

from durably.concurrency.portal import has_calling_thread, in_calling_thread
from durably.errors import InvalidOption, WrongContext
from durably.store.database import Call
from durably.store.sql import Schemas, statement

__all__ = ["execute", "is_deduplication", "perform"]

DEDUPLICATION_INDEX = "uq_workflow_status_dedup_id"

_PARAMETER = re.compile(r"%\((\w+)\)s")


async def perform(connection: object, schemas: Schemas, calls: Sequence[Call]) -> list[list[Any]]:
    """Execute statements whose parameters are all text, one after the other; the rows of each.

    Blocking connections are for the blocking client: they are used on the thread that called it.
    """
    driver = _driver(connection)
    if driver.is_async == has_calling_thread():
        given, wanted = (
            ("an asynchronous", "DBOSClient") if driver.is_async else ("a blocking", "AsyncDBOSClient")
        )
        raise WrongContext(
            f"{_shown(connection)} is {given} connection, which {wanted} cannot use: "
            f"use {'AsyncDBOSClient' if driver.is_async else 'DBOSClient'} with it"
        )
    if driver.is_async:
        return [await driver.execute(connection, schemas, *call) for call in calls]
    return await in_calling_thread(lambda: [driver.execute(connection, schemas, *call) for call in calls])


def execute(connection: object, schemas: Schemas, name: str, parameters: Mapping[str, Any]) -> Any:
    """Execute one statement where the connection is used anyway: its rows, or a coroutine of them."""
    return _driver(connection).execute(connection, schemas, name, parameters)


def is_deduplication(error: BaseException) -> bool:
    """Whether a driver's error, whichever driver's, says that a deduplication id is held."""
    return DEDUPLICATION_INDEX in str(error)


class _Driver(NamedTuple):
    is_async: bool
    execute: Callable[[Any, Schemas, str, Mapping[str, Any]], Any]


def _driver(connection: object) -> _Driver:
    for base in type(connection).__mro__:
        found = _DRIVERS.get(f"{base.__module__.partition('.')[0]}.{base.__name__}")
        if found is not None:
            return found
    raise InvalidOption(
        "connection",
        type(connection),
        "pass a connection of psycopg or asyncpg, or a Connection or Session of SQLAlchemy",
    )


def _shown(connection: object) -> str:
    return f"{type(connection).__module__.partition('.')[0]}.{type(connection).__name__}"


def _psycopg(connection: Any, schemas: Schemas, name: str, parameters: Mapping[str, Any]) -> list[Any]:
    _refuse_autocommit(connection)
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        cursor.execute(statement(name, schemas), parameters)
        return list(cursor.fetchall()) if cursor.description else []


async def _psycopg_async(
    connection: Any, schemas: Schemas, name: str, parameters: Mapping[str, Any]
) -> list[Any]:
    _refuse_autocommit(connection)
    async with connection.cursor(row_factory=namedtuple_row) as cursor:
        await cursor.execute(statement(name, schemas), parameters)
        return list(await cursor.fetchall()) if cursor.description else []


def _refuse_autocommit(connection: Any) -> None:
    if connection.autocommit and connection.info.transaction_status == TransactionStatus.IDLE:
        raise WrongContext(
            "the connection is in autocommit mode and in no transaction, so there is none to join: "
            "begin one (`with connection.transaction():`), or leave `connection` out"
        )


def _sqlalchemy(connection: Any, schemas: Schemas, name: str, parameters: Mapping[str, Any]) -> list[Any]:
    result = connection.execute(_text(name, schemas), dict(parameters))
    return list(result) if result.returns_rows else []


async def _sqlalchemy_async(
    connection: Any, schemas: Schemas, name: str, parameters: Mapping[str, Any]
) -> list[Any]:
    result = await connection.execute(_text(name, schemas), dict(parameters))
    return list(result) if result.returns_rows else []


@cache
def _text(name: str, schemas: Schemas) -> Any:
    from sqlalchemy import text

    return text(_PARAMETER.sub(r"CAST(:\1 AS text)", _plain(name, schemas)))


async def _asyncpg(connection: Any, schemas: Schemas, name: str, parameters: Mapping[str, Any]) -> list[Any]:
    if not connection.is_in_transaction():
        raise WrongContext(
            "the connection is in no transaction, so there is none to join: "
            "begin one (`async with connection.transaction():`), or leave `connection` out"
        )
    code, names = _numbered(name, schemas)
    rows = await connection.fetch(code, *(parameters[each] for each in names))
    return [SimpleNamespace(**dict(row)) for row in rows]


@cache
def _numbered(name: str, schemas: Schemas) -> tuple[str, tuple[str, ...]]:
    code = _plain(name, schemas)
    names = tuple(dict.fromkeys(_PARAMETER.findall(code)))
    return _PARAMETER.sub(lambda found: f"CAST(${names.index(found[1]) + 1} AS text)", code), names


def _plain(name: str, schemas: Schemas) -> str:
    """The statement without psycopg's doubling of %."""
    return statement(name, schemas).decode().replace("%%", "%")


_DRIVERS: dict[str, _Driver] = {
    "psycopg.Connection": _Driver(False, _psycopg),
    "psycopg.AsyncConnection": _Driver(True, _psycopg_async),
    "sqlalchemy.Connection": _Driver(False, _sqlalchemy),
    "sqlalchemy.Session": _Driver(False, _sqlalchemy),
    "sqlalchemy.scoped_session": _Driver(False, _sqlalchemy),
    "sqlalchemy.AsyncConnection": _Driver(True, _sqlalchemy_async),
    "sqlalchemy.AsyncSession": _Driver(True, _sqlalchemy_async),
    "sqlalchemy.async_scoped_session": _Driver(True, _sqlalchemy_async),
    "asyncpg.Connection": _Driver(True, _asyncpg),
    "asyncpg.PoolConnectionProxy": _Driver(True, _asyncpg),
}
