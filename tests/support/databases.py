"""Databases for tests: copied from a template, and apart because NOTIFY crosses schemas.

A database that a test gives up is emptied and used again under another name, which is cheaper than
another copy.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

import psycopg
from psycopg import conninfo, sql

from durably.store.migrate import migrate
from tests.support.recycling import Likeness, likeness, recycle
from tests.support.server import Server

__all__ = ["Databases"]

EMPTY = "template0"


class Databases:
    """Makes databases on a server, and drops every one that it made."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._template: str | None = None  # of a system database
        self._made: dict[str, str] = {}  # name -> the template that it is a copy of
        self._like: dict[str, Likeness] = {}  # template -> what a copy is like that no test has used
        self._spare: dict[str, list[str]] = defaultdict(list)  # template -> copies that are so, and nobody's

    def empty(self) -> str:
        """Return the URL of a new database without tables."""
        return self._copy(EMPTY)

    def migrated(self) -> str:
        """Return the URL of a new system database as `durably` makes it."""
        return self._copy(self._migrated_template())

    def application(self) -> str:
        """Return the URL of a new application database, beside which its migrated system database is."""
        url = self.empty()
        self._copy(self._migrated_template(), _name(url) + "_dbos_sys")
        return url

    def drop(self, url: str) -> None:
        """End a database, whoever is connected to it: there is none of its name any more."""
        name = _name(url)
        template = self._made.pop(name, None)
        if template is None or not self._is_spared(name, template):
            self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def drop_all(self) -> None:
        """Drop what is left."""
        for name in sorted({*self._made, *(name for spare in self._spare.values() for name in spare)}):
            self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def _migrated_template(self) -> str:
        if self._template is None:
            url = self.empty()
            with ThreadPoolExecutor(1) as elsewhere:  # this thread may have a loop that runs: a browser's
                elsewhere.submit(asyncio.run, _migrate(url)).result()
            self._template = _name(url)
        return self._template

    def _copy(self, template: str, name: str | None = None) -> str:
        name = name or _new_name("test")
        if self._spare[template]:
            self._rename(self._spare[template].pop(), name)
        else:
            self._execute("CREATE DATABASE {} TEMPLATE {}", name, template)
        self._made[name] = template
        url = self._server.url(name)
        if template not in self._like:
            self._like[template] = likeness(url)
        return url

    def _is_spared(self, name: str, template: str) -> bool:
        if not recycle(self._server.url(name), self._like[template]):
            return False
        spare = _new_name("spare")
        try:
            self._rename(name, spare)
        except psycopg.errors.ObjectInUse:  # by what a test left behind, and comes back
            return False
        self._spare[template].append(spare)
        return True

    def _rename(self, name: str, anew: str) -> None:
        self._execute("ALTER DATABASE {} RENAME TO {}", name, anew)

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
