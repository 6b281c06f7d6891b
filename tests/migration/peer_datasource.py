"""Runs in the peers' interpreter: the real `dbos` package prepares a database for its datasources.

python peer_datasource.py URL
"""

from __future__ import annotations

import sys
from importlib import import_module

if __name__ == "__main__":
    import_module("dbos").SQLAlchemyDatasource.migrate(sys.argv[1])
