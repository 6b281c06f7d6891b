"""Databases for tests: copied from a template in milliseconds, and apart because NOTIFY crosses schemas."""

from __future__ import annotations

import asyncio
import uuid
from concurrent.futures import ThreadPoolExecutor

import psycopg
from psycopg import conninfo, sql

from durably.store.migrate import migrate
from tests.support.server import Server

__all__ = ["Databases"]


class Databases:
    """Makes databases on a server, and drops every one that it made."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._made: set[str] = set()
        self._template: str | None = None

    def empty(self) -> str:
        """Return the URL of a new database without tables."""
        return self._create(template="template0")

    def migrated(self) -> str:
        """Return the URL of a new system database as `durably` makes it."""
        return self._create(template=self._migrated_template())

    def application(self) -> str:
        """Return the URL of a new application database, beside which its migrated system database is."""
        url = self.empty()
        self._create(template=self._migrated_template(), name=_name(url) + "_dbos_sys")
        return url

    def drop(self, url: str) -> None:
        """Drop a database, whoever is connected to it."""
        name = _name(url)
        self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
        self._made.discard(name)

    def drop_all(self) -> None:
        """Drop what is left."""
        for name in sorted(self._made):
            self.drop(self._server.url(name))

    def _migrated_template(self) -> str:
        if self._template is None:
            url = self.empty()
            with ThreadPoolExecutor(1) as elsewhere:  # this thread may have a loop that runs: a browser's
                elsewhere.submit(asyncio.run, _migrate(url)).result()
            self._template = _name(url)
        return self._template

    def _create(self, *, template: str, name: str | None = None) -> str:
        name = name or f"test_{uuid.uuid4().hex[:12]}"
        self._execute("CREATE DATABASE {} TEMPLATE {}", name, template)
        self._made.add(name)
        return self._server.url(name)

    def _execute(self, statement: str, *names: str) -> None:
        query = sql.SQL(statement).format(*map(sql.Identifier, names))
        with psycopg.connect(self._server.url("postgres"), autocommit=True) as connection:
            connection.execute(query)


async def _migrate(url: str) -> None:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await migrate(connection, schema="dbos")


def _name(url: str) -> str:
    return str(conninfo.conninfo_to_dict(url)["dbname"])
