"""What the driver's errors mean: gone, busy, or refused. The one place that maps them."""

from __future__ import annotations

import psycopg
from psycopg import errors as pg

from durably.config import redact
from durably.errors import DatabaseError, DatabaseUnavailable, NotASystemDatabase

__all__ = ["Contention", "first_line", "is_ended_by_limit", "is_refused", "is_transient", "translate"]

# Connection exceptions, insufficient resources, operator intervention, and a server that turned read-only.
GONE = ("08", "53", "57")
BUSY = (
    pg.SerializationFailure,
    pg.DeadlockDetected,
    pg.LockNotAvailable,
    pg.InvalidSqlStatementName,  # a pooler's: the next time it is sent whole
)


class Contention(DatabaseError):
    """Another transaction was in the way; the same transaction works a moment later."""


class Ended(DatabaseError):
    """The server ended the statement: a limit of its own, or an operator."""


def translate(error: Exception, url: str) -> Exception:
    """The error of our own tree that stands for a driver's error."""
    match error:
        case psycopg.errors.UndefinedTable() | psycopg.errors.InvalidSchemaName():
            return NotASystemDatabase(
                f"{redact(url)} is not a DBOS system database: {first_line(error)}; "
                "name the right database, or create its tables with `durably db migrate`"
            )
        case pg.QueryCanceled():
            return Ended(f"{redact(url)}: {first_line(error)}")
        case _ if isinstance(error, BUSY):
            return Contention(f"{redact(url)}: {first_line(error)}")
        case pg.ReadOnlySqlTransaction() | TimeoutError() | OSError():
            return DatabaseUnavailable(f"cannot use {redact(url)}: {first_line(error)}")
        case psycopg.Error() if _is_gone(error):
            return DatabaseUnavailable(f"cannot use {redact(url)}: {first_line(error)}")
        case _:
            return error


def is_transient(error: BaseException) -> bool:
    """Whether the same transaction may succeed later."""
    return isinstance(error, DatabaseUnavailable | Contention)


def is_refused(error: BaseException) -> bool:
    """Whether the database refuses these very values, now and later: an error that `translate` leaves."""
    return isinstance(error, psycopg.Error)


def is_ended_by_limit(error: BaseException) -> bool:
    """Whether the server ended a statement because it took too long."""
    return isinstance(error, Ended)


def _is_gone(error: psycopg.Error) -> bool:
    if error.sqlstate is None:
        return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return error.sqlstate.startswith(GONE)


def first_line(error: BaseException) -> str:
    """The first line of a driver's message: the rest may quote values."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
