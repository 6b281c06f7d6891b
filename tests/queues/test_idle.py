"""An idle process asks next to nothing, whatever it looks after: the server logs each of its statements."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from psycopg import conninfo

from durably.app import App
from tests.engine.support import rows
from tests.support.databases import Databases
from tests.support.server import embedded_server

SECONDS = 15  # three beats, and one sweep
SCHEDULES = """
    INSERT INTO dbos.workflow_schedules (
        schedule_id, schedule_name, workflow_name, schedule, context, application_name)
    SELECT 'id' || n, 'schedule-' || n, 'report', '0 3 1 1 *', 'gAROLg==', 'idle'
    FROM generate_series(1, 1000) n
"""
LOG = "SELECT pg_read_file(current_setting('data_directory') || '/../run/server.log')"
CONNECTIONS = (
    "SELECT count(*) FROM pg_stat_activity"  # ours have names; those of these tests may still be closing
    " WHERE datname = current_database() AND backend_type = 'client backend' AND application_name <> ''"
)


@pytest.fixture
def logging_url(tmp_path: Path) -> Iterator[str]:
    """A system database on a server of its own, which logs what it is asked there."""
    with embedded_server(tmp_path) as server:
        yield Databases(server).migrated()


def asked(url: str) -> int:
    """Statements in the log so far, but for those that these tests ask: theirs are not prepared."""
    name = conninfo.conninfo_to_dict(url)["dbname"]
    [[log]] = rows(url, LOG)
    return sum(f"@{name} LOG:  execute " in line for line in str(log).splitlines())


async def test_a_hundred_idle_queues_and_a_thousand_schedules_cost_one_query_a_second(
    logging_url: str,
) -> None:
    rows(logging_url, SCHEDULES)
    rows(
        logging_url,
        f"ALTER DATABASE {conninfo.conninfo_to_dict(logging_url)['dbname']} SET log_statement = 'all'",
    )
    app = App("idle", system_database_url=logging_url)
    for n in range(100):
        app.queue(f"q{n}", concurrency=5)

    @app.workflow(name="report")
    async def report(at: datetime, context: object) -> None: ...

    async with app:
        await asyncio.sleep(3)  # until the pulse has slowed down; nothing tells of it
        before = await asyncio.to_thread(asked, logging_url)
        await asyncio.sleep(SECONDS)
        queries = await asyncio.to_thread(asked, logging_url) - before
        [[connections]] = rows(logging_url, CONNECTIONS)
    assert before > 100, "the server logs"
    assert SECONDS / 3 <= queries <= SECONDS + 2, "a beat and a sweep may both fall into it"
    assert connections <= 3
