"""Runs in the peers' interpreter: the real `dbos` package migrates a database, copying each generation.

    python peer_migrate.py ADMIN_URL DATABASE SCHEMA LISTEN_NOTIFY GENERATION...

ADMIN_URL has {} where the name of the database goes. The copies are DATABASE_GENERATION.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any


def main(url: str, database: str, schema: str, listen_notify: bool, generations: list[int]) -> None:
    """Run the package's own migration runner with its list cut, a little later each time."""
    sqlalchemy = import_module("sqlalchemy")
    peer: Any = import_module("dbos._migration")
    complete = peer.get_dbos_migrations
    admin = sqlalchemy.create_engine(driver_url(url, "postgres"), isolation_level="AUTOCOMMIT")
    for generation in generations:

        def cut(*args: Any, last: int = generation, **options: Any) -> list[str]:
            return list(complete(*args, **options))[:last]

        peer.get_dbos_migrations = cut
        engine = sqlalchemy.create_engine(driver_url(url, database))
        peer.ensure_dbos_schema(engine, schema)
        peer.run_dbos_migrations(engine, schema, listen_notify)
        engine.dispose()
        with admin.connect() as connection:
            copy = f'CREATE DATABASE "{database}_{generation}" TEMPLATE "{database}"'
            connection.execute(sqlalchemy.text(copy))
    admin.dispose()


def driver_url(url: str, database: str) -> str:
    return url.format(database).replace("postgresql://", "postgresql+psycopg://", 1)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4] == "yes", [int(text) for text in sys.argv[5:]])
