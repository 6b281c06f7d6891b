"""Databases for tests: copied from a template, and apart because NOTIFY crosses schemas.

A system database that a test gives up is emptied and used again under another name, which is cheaper than
another copy.
"""

from __future__ import annotations

import asyncio
import uuid
from concurrent.futures import ThreadPoolExecutor

import psycopg
from psycopg import conninfo, sql

from durably.store.migrate import migrate
from tests.support.recycling import Likeness, likeness, recycle
from tests.support.server import Server

__all__ = ["Databases"]


class Databases:
    """Makes databases on a server, and drops every one that it made."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._made: set[str] = set()
        self._template: str | None = None
        self._like: Likeness | None = None
        self._migrated: set[str] = set()  # of those made, the ones that were copied from the template
        self._spare: list[str] = []  # as the template is, and nobody's

    def empty(self) -> str:
        """Return the URL of a new database without tables."""
        return self._create(template="template0")

    def migrated(self) -> str:
        """Return the URL of a new system database as `durably` makes it."""
        return self._system()

    def application(self) -> str:
        """Return the URL of a new application database, beside which its migrated system database is."""
        url = self.empty()
        self._system(_name(url) + "_dbos_sys")
        return url

    def drop(self, url: str) -> None:
        """End a database, whoever is connected to it: there is none of its name any more."""
        name = _name(url)
        self._made.discard(name)
        if not self._is_spared(name):
            self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
        self._migrated.discard(name)

    def drop_all(self) -> None:
        """Drop what is left."""
        for name in sorted({*self._made, *self._spare}):
            self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def _migrated_template(self) -> str:
        if self._template is None:
            url = self.empty()
            with ThreadPoolExecutor(1) as elsewhere:  # this thread may have a loop that runs: a browser's
                elsewhere.submit(asyncio.run, _migrate(url)).result()
            self._template, self._like = _name(url), likeness(url)
        return self._template

    def _system(self, name: str | None = None) -> str:
        template, name = self._migrated_template(), name or _new_name("test")
        if self._spare:
            self._made.add(self._renamed(self._spare.pop(), name))
        else:
            self._create(template=template, name=name)
        self._migrated.add(name)
        return self._server.url(name)

    def _is_spared(self, name: str) -> bool:
        if (
            name not in self._migrated
            or self._like is None
            or not recycle(self._server.url(name), self._like)
        ):
            return False
        try:
            self._spare.append(self._renamed(name, _new_name("spare")))
        except psycopg.errors.ObjectInUse:  # by what a test left behind, and comes back
            return False
        return True

    def _renamed(self, name: str, anew: str) -> str:
        self._execute("ALTER DATABASE {} RENAME TO {}", name, anew)
        return anew

    def _create(self, *, template: str, name: str | None = None) -> str:
        name = name or _new_name("test")
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


def _new_name(kind: str) -> str:
    return f"{kind}_{uuid.uuid4().hex[:12]}"


def _name(url: str) -> str:
    return str(conninfo.conninfo_to_dict(url)["dbname"])
