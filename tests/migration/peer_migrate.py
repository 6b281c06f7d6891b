"""Runs inside the peers' interpreter: let the real `dbos` package migrate a database, up to a generation.

python peer_migrate.py URL SCHEMA GENERATION LISTEN_NOTIFY
"""

from __future__ import annotations

import sys
from typing import Any


def main(url: str, schema: str, generation: int, listen_notify: bool) -> None:
    """Run the package's own migration runner with its list cut after `generation`."""
    import sqlalchemy
    from dbos import _migration as peer

    complete = peer.get_dbos_migrations

    def cut(*args: Any, **options: Any) -> list[str]:
        return list(complete(*args, **options))[:generation]

    peer.get_dbos_migrations = cut
    engine = sqlalchemy.create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
    peer.ensure_dbos_schema(engine, schema)
    peer.run_dbos_migrations(engine, schema, listen_notify)
    engine.dispose()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4] == "yes")
