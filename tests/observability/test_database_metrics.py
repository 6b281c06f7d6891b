"""The console's `/metrics`: what the rows of the whole database say, with no worker running."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from starlette.applications import Starlette

from durably import AsyncDBOSClient, EnqueueOptions
from durably.console import Console, Open, metrics
from durably.console.accounts import Accounts
from durably.console.metrics import MetricsPage, routes, schedule_state
from durably.types import Schedule
from tests.engine.support import enqueue, rows
from tests.observability.scraping import Scrape

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ROWS = """
    INSERT INTO dbos.workflow_status (workflow_uuid, name, status, queue_name, created_at, completed_at)
    SELECT %s || n, 'w', %s, 'q', %s, %s FROM generate_series(1, %s) n
"""


@pytest.fixture
async def client(database_url: str) -> AsyncIterator[AsyncDBOSClient]:
    async with AsyncDBOSClient.create(system_database_url=database_url) as client:
        yield client


async def scrape(client: AsyncDBOSClient) -> Scrape:
    """What a Prometheus server gets of a console on this client."""
    transport = httpx.ASGITransport(Starlette(routes=routes(client)))
    async with httpx.AsyncClient(transport=transport, base_url="http://console") as web:
        answer = await web.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return Scrape(answer.text)


async def test_it_tells_workflows_queues_and_tables(client: AsyncDBOSClient, database_url: str) -> None:
    now = int(datetime.now(UTC).timestamp() * 1000)
    for status, count, ended in (
        ("ERROR", 4, now - 1000), ("ERROR", 2, now - 3_600_000), ("SUCCESS", 3, now - 1000),
        ("MAX_RECOVERY_ATTEMPTS_EXCEEDED", 1, now - 1000), ("CANCELLED", 1, None),
    ):  # fmt: skip
        rows(database_url, ROWS, f"{status}-{ended}-", status, now - 7_200_000, ended, count)
    rows(database_url, ROWS, "waits-", "ENQUEUED", now - 120_000, None, 5)
    await client.register_queue("q", concurrency=1)
    await client.pause_queue("q", reason="maintenance")
    enqueue(database_url, "lost", "w", queue="typo")
    found = await scrape(client)
    assert found.value("durably_workflows", status="ERROR") == 6
    assert found.value("durably_workflows", status="ENQUEUED") == 6
    assert found.value("durably_workflows", status="CANCELLED") == 1
    assert found.value("durably_workflows_ended_lately", status="ERROR") == 4
    assert found.value("durably_workflows_ended_lately", status="SUCCESS") == 3
    assert found.value("durably_workflows", status="SUCCESS") >= 3  # an estimate, but not less than was seen
    assert found.value("durably_dead_letters") == 1
    assert found.value("durably_queue_enqueued", queue="q") == 5
    assert 119 < found.value("durably_queue_oldest_seconds", queue="q") < 600
    assert found.value("durably_queue_paused", queue="q") == 1
    assert found.value("durably_queue_unregistered", queue="q") == 0
    assert found.value("durably_queue_unregistered", queue="typo") == 1
    assert found.value("durably_table_bytes", schema="dbos", table="workflow_status") > 8192
    assert found.value("durably_database_bytes") > 1_000_000
    assert (found.value("durably_database_up"), found.value("durably_scrape_errors")) == (1, 0)


async def test_it_tells_executors_stranded_work_and_schedules(
    client: AsyncDBOSClient, database_url: str
) -> None:
    for executor_id, lease in (("one", "1 min"), ("two", "1 min"), ("gone", "-1 s")):
        rows(
            database_url,
            "INSERT INTO durably.executors (executor_id, application_name, application_version, host, "
            "expires_at, lease_seconds) VALUES (%s, 'shop', 'v', 'h', now() + %s::interval, 15)",
            *(executor_id, lease),
        )
    await client.create_schedule(schedule_name="hourly", workflow_name="w", schedule="0 * * * *")
    await client.create_schedule(schedule_name="idle", workflow_name="w", schedule="0 * * * *")
    await client.pause_schedule("idle")
    rows(
        database_url,
        "UPDATE dbos.workflow_schedules SET last_fired_at = '2020-01-01T00:00:00+00:00' "
        "WHERE schedule_name = 'hourly'",
    )
    found = await scrape(client)
    assert found.value("durably_executors", application="shop", state="alive") == 2
    assert found.value("durably_executors", application="shop", state="expired") == 1
    assert found.value("durably_stranded") == 0
    assert found.value("durably_schedules", state="late") == 1
    assert found.value("durably_schedules", state="paused") == 1
    assert found.value("durably_schedules", state="on time") == 0


@pytest.mark.parametrize(
    ("schedule", "fired", "state"),
    [
        ("0 * * * *", NOW - timedelta(minutes=1), "on time"),
        ("0 * * * *", NOW - timedelta(hours=1), "on time"),  # it fires at this very instant
        ("0 * * * *", NOW - timedelta(hours=2), "late"),
        ("0 0 1 1 *", NOW - timedelta(days=30), "on time"),
        ("0 0 * * *", None, "on time"),  # it is new
        ("nonsense", NOW, "on time"),
    ],
)
def test_a_schedule_is_late_when_its_tick_is_over(schedule: str, fired: datetime | None, state: str) -> None:
    row = Schedule(
        schedule_id="1", schedule_name="s", workflow_name="w", schedule=schedule,
        last_fired_at=None if fired is None else fired.isoformat(),
    )  # fmt: skip
    assert schedule_state(row, NOW) == state


async def test_counts_end_where_they_are_told_to(client: AsyncDBOSClient, database_url: str) -> None:
    rows(database_url, ROWS, "e-", "ERROR", 1, 1, 50)
    counts = await client.count_by_status(count_to=20)
    assert (counts.now["ERROR"], counts.counted_to) == (20, 20)


async def test_scrapes_share_one_reading(client: AsyncDBOSClient, database_url: str) -> None:
    page = MetricsPage(client)
    before = await page.answer()
    await client.enqueue(EnqueueOptions(workflow_name="w", queue_name="q"))
    assert (await page.answer()).body == before.body
    page._read_at -= metrics.FRESH
    assert (await page.answer()).body != before.body


async def test_a_database_that_is_away_is_a_metric(caplog: pytest.LogCaptureFixture) -> None:
    """And not an error of the page: Prometheus would only know that there is no answer."""

    async def connect() -> AsyncDBOSClient:
        return await AsyncDBOSClient.create("postgresql://127.0.0.1:1/nowhere", retry_for=0)

    answer = await MetricsPage(connect).answer()
    assert Scrape(bytes(answer.body).decode()).value("durably_database_up") == 0
    assert "metrics wait for the database" in caplog.text


async def test_a_part_that_cannot_be_read_does_not_take_the_others_with_it(
    client: AsyncDBOSClient, database_url: str
) -> None:
    rows(database_url, "ALTER TABLE dbos.workflow_schedules RENAME TO elsewhere")
    found = await scrape(client)
    assert found.value("durably_scrape_errors") == 1
    assert found.value("durably_database_up") == 1
    assert "durably_schedules" not in found.names
    assert "durably_workflows" in found.names


async def test_a_database_that_only_dbos_has_used_has_metrics(
    client: AsyncDBOSClient, database_url: str
) -> None:
    rows(database_url, "DROP SCHEMA durably CASCADE")
    async with AsyncDBOSClient.create(system_database_url=database_url) as pure:
        enqueue(database_url, "w", "w")
        found = await scrape(pure)
    assert (found.value("durably_scrape_errors"), found.value("durably_workflows", status="ENQUEUED")) == (
        0,
        1,
    )


async def test_the_consoles_metrics_are_for_those_whom_it_knows(
    client: AsyncDBOSClient, database_url: str
) -> None:
    """A Prometheus server has a token."""
    made = await client.create_token("prometheus", role="viewer")
    for access, headers, status in (
        (Open(), {}, 200),
        (Accounts(), {}, 401),
        (Accounts(), {"authorization": f"Bearer {made.secret}"}, 200),
        (Accounts(), {"authorization": "Bearer durably_wrong"}, 401),
        (Open(), {"authorization": "Bearer durably_wrong"}, 401),
    ):
        console = Console(access=access, system_database_url=database_url)
        transport = httpx.ASGITransport(console)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as web:
            answer = await web.get("/metrics", headers=headers)
        await console.aclose()
        assert answer.status_code == status
        assert ("durably_workflows" in answer.text) == (status == 200)
        assert ("www-authenticate" in answer.headers) == (status == 401)
