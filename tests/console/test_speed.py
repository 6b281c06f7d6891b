"""Every page of a database with many runs reads little of it: by indexes, and a bounded number of rows."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import httpx
import psycopg
import pytest

from durably.console import Console
from tests.console.conftest import served
from tests.console.million import fill
from tests.console.support import settled
from tests.support.databases import Databases

RUNS = 50_000
PAGES = (
    "/",
    "/runs",
    "/runs?status=ERROR",
    "/runs?status=ENQUEUED",
    "/runs?status=SUCCESS&name=workflow7",
    "/runs?status=ERROR&name=workflow7",
    "/runs?name=nobody",
    "/runs?q=run-0000",
    "/runs?q=zzz",
    "/runs?q=customer%3Dc17",
    "/runs?parent=run-00000010",
    "/runs?schedule=nightly",
    "/runs?order=completed",
    "/runs?range=1h",
)
MOST = 150_000  # rows that all statements of a page may fetch

READ = """
    SELECT seq_scan, COALESCE(idx_tup_fetch, 0) FROM pg_stat_user_tables WHERE relname = 'workflow_status'
"""


@pytest.fixture(scope="module")
def filled(databases: Databases) -> Iterator[str]:
    url = databases.migrated()
    fill(url, RUNS, payloads=False)
    yield url
    databases.drop(url)


OTHERS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


def read(url: str) -> tuple[int, int]:
    """How often the whole table was read, and how many of its rows were fetched by indexes.

    Backends tell what they read as they end, which is after their clients have gone.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        settled(lambda: connection.execute(OTHERS).fetchone() == (0,))
        connection.execute("SELECT pg_stat_force_next_flush()")
        row = connection.execute(READ).fetchone()
    assert row is not None
    return row[0], row[1]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_reads_no_table_from_end_to_end(filled: str, path: str) -> None:
    scans, fetched = read(filled)
    with served(Console(system_database_url=filled)) as url:
        assert httpx.get(url + path, timeout=30).status_code == 200
    after_scans, after_fetched = read(filled)  # the console's connections are closed, so all is counted
    assert after_scans == scans
    assert after_fetched - fetched < MOST


def test_reading_it_from_end_to_end_would_be_seen(filled: str) -> None:
    scans, _ = read(filled)
    with psycopg.connect(filled, autocommit=True) as connection:
        connection.execute("SELECT count(*) FROM dbos.workflow_status WHERE name = 'x'")
    assert read(filled)[0] > scans


def test_many_looks_at_once_are_answered(filled: str) -> None:
    codes: list[int] = []
    with served(Console(system_database_url=filled)) as url:
        threads = [
            threading.Thread(target=lambda: codes.append(httpx.get(f"{url}/runs", timeout=60).status_code))
            for _ in range(12)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert codes == [200] * 12
