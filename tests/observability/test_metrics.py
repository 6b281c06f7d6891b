"""Metrics of a process agree with what ran there, by Prometheus's text and by OpenTelemetry."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from durably import App, EnqueueOptions, Retry, aio
from durably.integrations.otel import OpenTelemetry
from durably.integrations.prometheus import MOST, OTHER, Prometheus
from durably.observing import Observer, OperationFacts
from tests.engine.support import eventually, rows, status, waits
from tests.observability.scraping import Scrape


def shop(url: str, *observers: Observer, **options: Any) -> App:
    """An application whose workflow succeeds, fails, or waits; its step needs two attempts each time."""
    app = App("shop", system_database_url=url, observers=observers, **options)
    app.queue("orders")
    tries: dict[int, int] = {}

    @app.step(name="charge", retry=Retry(attempts=2, interval=0.001))
    async def charge(number: int) -> int:
        tries[number] = tries.get(number, 0) + 1
        if tries[number] == 1:
            raise ConnectionError("away")
        return number

    @app.workflow(name="order")
    async def order(number: int) -> int:
        if number < 0:
            raise ValueError("no such number")
        return await charge(number)

    @app.workflow(name="wait")
    async def wait() -> None:
        await aio.recv("go", timeout=None)

    return app


async def test_prometheus_counts_what_ran(database_url: str) -> None:
    metrics = Prometheus()
    app = shop(database_url, metrics)
    options = EnqueueOptions[..., Any](workflow_name="order", queue_name="orders")
    async with app:
        handles = [await app.client.enqueue(options, number) for number in (1, 2, 3, -1)]
        await asyncio.gather(*(handle.get_result() for handle in handles), return_exceptions=True)
        waiting = EnqueueOptions[..., Any](workflow_name="wait", queue_name="orders", workflow_id="w")
        await app.client.enqueue(waiting)
        await eventually(lambda: waits(app, "w"))
        scrape = Scrape(metrics.exposition().decode())
        executor_id = app.executor_id
    of = {"workflow": "order", "queue": "orders"}
    assert scrape.value("durably_runs_started_total", **of) == 4
    assert scrape.value("durably_run_seconds_count", **of, outcome="success") == 3
    assert scrape.value("durably_run_seconds_count", **of, outcome="error") == 1
    assert scrape.value("durably_queue_wait_seconds_count", **of) == 4
    assert 0 <= scrape.value("durably_queue_wait_seconds_sum", **of) < 4 * 60
    assert scrape.value("durably_step_seconds_count", workflow="order", step="charge", outcome="success") == 3
    assert scrape.value("durably_step_retries_total", workflow="order", step="charge") == 3
    assert scrape.value("durably_calls_total", kind="enqueue", outcome="success") == 5
    assert scrape.value("durably_claimed_workflows_total", queue="orders") == 5
    assert scrape.value("durably_runs_parked") == 1
    assert scrape.value("durably_runs_active") == 0
    assert scrape.value("durably_runs_capacity") == 1000
    assert scrape.value("durably_commit_records_sum") >= 3 + 4  # steps and outcomes
    assert scrape.value("durably_commit_seconds_count") == scrape.value("durably_commit_records_count") > 0
    assert scrape.value("durably_lease_age_seconds") < scrape.value("durably_lease_seconds") == 15
    assert scrape.value("durably_database_up") == scrape.value("durably_worker_running") == 1
    about = {"application": "shop", "version": "shop@stable", "executor": executor_id}
    assert scrape.labels("durably_worker_info") == [about]
    after = Scrape(metrics.exposition().decode())
    assert after.value("durably_worker_running") == 0
    assert after.value("durably_run_seconds_count", workflow="wait", outcome="interrupted") == 1


async def test_opentelemetry_counts_the_same(database_url: str) -> None:
    reader = InMemoryMetricReader()
    telemetry = OpenTelemetry(meter_provider=MeterProvider([reader]), traces=False)
    app = shop(database_url, telemetry)
    options = EnqueueOptions[..., Any](workflow_name="order", queue_name="orders")
    async with app:
        handles = [await app.client.enqueue(options, number) for number in (1, 2, -1)]
        await asyncio.gather(*(handle.get_result() for handle in handles), return_exceptions=True)
        while _ended(points := _points(reader)) < 3:
            await asyncio.sleep(0.01)  # a client may hear of an outcome before the worker has counted it
    assert points["durably.runs.started"] == 3
    assert points["durably.run.duration/success"] == 2
    assert points["durably.run.duration/error"] == 1
    assert points["durably.run.queue_wait"] == 3
    assert points["durably.step.duration/success"] == 2
    assert points["durably.step.retries"] == 2
    assert points["durably.claim.workflows"] == 3
    assert points["durably.runs.capacity"] == 1000
    assert points["durably.writer.commit.duration"] == points["durably.writer.batch"] > 0
    assert points["durably.lease.age"] < 15


def _ended(points: dict[str, float]) -> float:
    return sum(points.get(f"durably.run.duration/{outcome}", 0) for outcome in ("success", "error"))


def _points(reader: InMemoryMetricReader) -> dict[str, float]:
    """Counts of histograms, values of the others; with the outcome behind the name where there is one."""
    data = reader.get_metrics_data()
    assert data is not None
    found: dict[str, float] = {}
    for metric in data.resource_metrics[0].scope_metrics[0].metrics:
        for point in metric.data.data_points:
            outcome = (point.attributes or {}).get("durably.outcome")
            name = f"{metric.name}/{outcome}" if outcome else metric.name
            found[name] = found.get(name, 0) + getattr(point, "count", getattr(point, "value", 0))
    return found


async def test_a_takeover_is_counted(database_url: str) -> None:
    """By whoever takes over, when a lease elsewhere has run out."""
    metrics = Prometheus()
    rows(
        database_url,
        "INSERT INTO durably.executors (executor_id, application_name, application_version, host, "
        "expires_at, lease_seconds) VALUES ('gone', 'shop', 'shop@stable', 'h', now() - interval '1 s', 15)",
    )
    rows(
        database_url,
        "INSERT INTO dbos.workflow_status (workflow_uuid, status, name, queue_name, executor_id, owner_xid, "
        "application_name, application_version, serialization, inputs, recovery_attempts) "
        "VALUES ('o', 'PENDING', 'order', 'orders', 'gone', 't', 'shop', 'shop@stable', 'portable_json', "
        """'{"positionalArgs":[1],"namedArgs":{}}', 1)""",
    )
    async with shop(database_url, metrics):
        await eventually(lambda: status(database_url, "o") == "SUCCESS")
        scrape = Scrape(metrics.exposition().decode())
    assert scrape.value("durably_takeovers_total") == 1
    assert scrape.value("durably_taken_over_workflows_total") == 1
    assert scrape.total("durably_queue_wait_seconds_count") == 0  # it had begun before


def test_names_that_are_made_at_run_time_do_not_grow_without_end() -> None:
    metrics = Prometheus()
    for number in range(MOST + 100):
        facts = OperationFacts(
            kind="step", name=f"step-{number}", function_id=1, workflow_id="w", workflow_name="order"
        )
        with metrics.operation(facts):
            pass
    scrape = Scrape(metrics.exposition().decode())
    labels = scrape.labels("durably_step_seconds_count")
    assert len(labels) == MOST + 1
    assert scrape.value("durably_step_seconds_count", step=OTHER) == 100


def test_two_applications_of_one_process_do_not_meet_in_a_registry() -> None:
    one, other = Prometheus(), Prometheus()
    one.committed(3, 0.1)
    assert Scrape(one.exposition().decode()).value("durably_commit_records_sum") == 3
    assert Scrape(other.exposition().decode()).value("durably_commit_records_sum") == 0


@pytest.mark.parametrize("observer", [Prometheus(), OpenTelemetry(traces=False)], ids=["prometheus", "otel"])
def test_an_observer_may_be_asked_before_and_after_an_application(observer: Observer) -> None:
    observer.ended()
    if isinstance(observer, Prometheus):
        assert "durably_worker_info" not in observer.exposition().decode()
