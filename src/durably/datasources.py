"""The application's database, for its transactions: a way to it for each kind of connection."""

from __future__ import annotations

import asyncio
import importlib
import logging
import typing
from collections.abc import Callable
from typing import Any

from durably.concurrency.tasks import end
from durably.engine.transactions import Datasource
from durably.errors import ConfigurationError, NotRunning
from durably.store import datasources
from durably.store.sql import Schemas

__all__ = ["Datasources", "kind_of"]

logger: logging.Logger = logging.getLogger(__name__)

KINDS = {  # kind -> whether it is asynchronous
    "psycopg.Connection": False,
    "psycopg.AsyncConnection": True,
    "sqlalchemy.Connection": False,
    "sqlalchemy.Session": False,
    "sqlalchemy.AsyncConnection": True,
    "sqlalchemy.AsyncSession": True,
}


class Datasources:
    """Opened with the application; `of(kind)` makes what is asked for the first time."""

    def __init__(self, url: str, schemas: Schemas, *, together: bool, size: int) -> None:
        self._url = url
        self._schemas = schemas
        self._together = together
        self._size = size
        self._sources: dict[str, Any] = {}
        self._psycopg = datasources.PsycopgSource(url, schemas, together=together, size=size)
        self._ended: list[str] = []  # workflows whose records can go
        self._forgetting: asyncio.Task[None] | None = None
        self._closed = False

    async def open(self, *, create: bool) -> None:
        """Look whether the table of records is there; create it where that is allowed."""
        if not self._together:
            await datasources.prepare(self._url, self._schemas, create=create)

    def of(self, kind: str) -> Datasource:
        """The way to the database for a kind of connection."""
        if self._closed:
            raise NotRunning("the application is closed: its transactions have no database any more")
        if kind.startswith("psycopg."):
            return self._psycopg
        if kind not in self._sources:
            source = importlib.import_module("durably.integrations.sqlalchemy").SQLAlchemySource
            self._sources[kind] = source(
                kind, self._url, self._schemas, together=self._together, size=self._size
            )
        found: Datasource = self._sources[kind]
        return found

    def forget(self, workflow_id: str) -> None:
        """Let the records of a workflow that has ended be deleted, soon and many at a time."""
        self._ended.append(workflow_id)
        if self._forgetting is None or self._forgetting.done():
            self._forgetting = asyncio.get_running_loop().create_task(self._forget(), name="durably-forget")

    async def forget_failed(self, workflow_id: str) -> None:
        """Delete the records of the transactions that failed: the workflow is about to be tried again."""
        await datasources.forget_failed(self._psycopg, workflow_id)

    async def forget_now(self, workflow_id: str) -> None:
        """Delete them at once: the workflow is about to run again."""
        if not self._together:
            await datasources.forget(self._psycopg, [workflow_id])

    async def _forget(self) -> None:
        while self._ended:
            ended, self._ended = self._ended, []
            try:
                await datasources.forget(self._psycopg, ended)
            except (
                Exception
            ) as error:  # they only take room: the next of this id is the one that asks for them
                logger.warning("the records of %d transactions stay: %s", len(ended), error)

    async def close(self) -> None:
        """Delete what is left to delete, and close the connections."""
        if self._forgetting is not None:
            await asyncio.wait([self._forgetting], timeout=5)
            await end(self._forgetting)
        self._closed = True
        for source in (self._psycopg, *self._sources.values()):
            await source.close()


def kind_of(name: str, function: Callable[..., Any], *, is_async: bool) -> str:
    """The kind of connection that a transaction's first parameter is annotated with.

    ConfigurationError where there is no such parameter, or its kind has the other colour.
    """
    parameters = list(function.__code__.co_varnames[: function.__code__.co_argcount])
    if not parameters:
        raise ConfigurationError(
            f"transaction {name!r} has no parameter for its connection: its first one is given a connection "
            "or a session of the application's database"
        )
    annotation = _annotation(name, function, parameters[0])
    kind = _known(annotation)
    if kind is None:
        raise ConfigurationError(
            f"transaction {name!r} is given its connection as {parameters[0]!r}, which is annotated with "
            f"{annotation!r}: annotate it with psycopg's Connection or AsyncConnection, or SQLAlchemy's "
            "Connection, Session, AsyncConnection or AsyncSession"
        )
    if KINDS[kind] != is_async:
        colour, other = ("async def", "a blocking") if is_async else ("def", "an asynchronous")
        raise ConfigurationError(
            f"transaction {name!r} is {colour} and takes {other} {kind}: use one of its own colour"
        )
    return kind


def _annotation(name: str, function: Callable[..., Any], parameter: str) -> Any:
    try:
        return typing.get_type_hints(function).get(parameter)
    except NameError as error:
        raise ConfigurationError(
            f"the annotations of transaction {name!r} cannot be read: {error}; import what they name at "
            "run time, not under TYPE_CHECKING"
        ) from None


def _known(annotation: Any) -> str | None:
    kind = typing.get_origin(annotation) or annotation
    if not isinstance(kind, type):
        return None
    names = (f"{base.__module__.partition('.')[0]}.{base.__name__}" for base in kind.__mro__)
    return next((each for each in names if each in KINDS), None)
