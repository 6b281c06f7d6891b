"""The table for transactions is the one that the real package makes, and either may come first."""

from __future__ import annotations

from durably.store import datasources
from durably.store.sql import Schemas
from tests.migration.catalog import catalog, difference, rows
from tests.migration.conftest import Peer, Server


async def test_the_table_is_the_one_that_dbos_makes(server: Server, database: str, peer: Peer) -> None:
    theirs = server.create()
    peer("peer_datasource.py", theirs)
    await datasources.prepare(database, Schemas(), create=True)
    assert difference(catalog(theirs), catalog(database)) == {}
    version = "SELECT version FROM dbos.dbos_datasource_migrations"
    assert rows(database, version) == rows(theirs, version) == [(1,)]


async def test_dbos_goes_on_where_we_were_and_we_where_it_was(database: str, peer: Peer) -> None:
    await datasources.prepare(database, Schemas(), create=True)
    before = catalog(database)
    peer("peer_datasource.py", database)
    await datasources.prepare(database, Schemas(), create=True)
    assert difference(before, catalog(database)) == {}
