"""Health over HTTP: answered while the loop is blocked, while the database is cut, and during a drain."""

from __future__ import annotations

import asyncio
import json
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from durably import App
from durably.cli.failures import UsageError
from durably.cli.serving import serving
from durably.integrations.health import health_app
from tests.cli.conftest import uri
from tests.cli.shell import APPS, Durably, background
from tests.engine.support import eventually
from tests.faults.proxy import Proxy
from tests.observability.scraping import Scrape


def until(check: Callable[[], Any], *, seconds: float = 20.0) -> Any:
    """Ask again until the answer is true."""
    end = time.monotonic() + seconds
    while not (answer := check()):
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.02)
    return answer


def test_a_blocked_loop_is_not_live_and_its_server_says_so(database_url: str) -> None:
    app = App("shop", system_database_url=database_url)
    entered, go = threading.Event(), threading.Event()

    @app.workflow(name="block")
    async def block() -> None:
        entered.set()
        go.wait()  # as `requests.get` would, in an async workflow

    with serving(health_app(app, max_lag=0.5), "127.0.0.1:0") as url, app:
        assert httpx.get(f"{url}/health/live").status_code == 200
        started = threading.Thread(target=lambda: app._calls().call(block.start))
        started.start()
        try:
            assert entered.wait(20)
            late = until(lambda: (a := httpx.get(f"{url}/health/live")).status_code == 503 and a)
            assert late.json()["ok"] is False
            assert "the event loop has been blocked for" in late.json()["reasons"][0]
            assert httpx.get(f"{url}/health/ready").status_code == 503
            scrape = Scrape(httpx.get(f"{url}/metrics").text)
            assert scrape.value("durably_loop_lag_now_seconds") > 0.5
        finally:
            go.set()
            started.join()
        until(lambda: httpx.get(f"{url}/health/live").status_code == 200)
        until(lambda: Scrape(httpx.get(f"{url}/metrics").text).value("durably_loop_lag_seconds_sum") > 0.5)


def test_a_worker_whose_database_is_cut_is_live_and_not_ready(database_url: str) -> None:
    with Proxy(database_url) as proxy:
        app = App("shop", system_database_url=proxy.url, lease=1.5)
        with serving(health_app(app), "127.0.0.1:0") as url, app:
            until(lambda: httpx.get(f"{url}/health/ready").status_code == 200)
            with proxy.silent():
                proxy.cut_all()
                answer = until(lambda: (a := httpx.get(f"{url}/health/ready")).status_code == 503 and a)
                assert any("the database cannot be reached" in reason for reason in answer.json()["reasons"])
                assert httpx.get(f"{url}/health/live").status_code == 200
                assert Scrape(httpx.get(f"{url}/metrics").text).value("durably_database_up") == 0
            until(lambda: httpx.get(f"{url}/health/ready").status_code == 200, seconds=40)
            assert Scrape(httpx.get(f"{url}/metrics").text).value("durably_database_up") == 1


def test_the_worker_serves_health_and_metrics_through_its_drain(database_url: str) -> None:
    """Ready until SIGTERM, live to the end."""
    system = Durably({"DURABLY_SYSTEM_DATABASE_URL": uri(database_url)})
    with background(
        system.start("worker", f"{APPS / 'shop.py'}:app", "--http", "127.0.0.1:0", "--json")
    ) as worker:
        assert worker.stdout is not None
        url = json.loads(worker.stdout.readline())["http"]
        assert httpx.get(f"{url}/health/ready").json()["state"] == "running"
        system("enqueue", "labour", "60", "--queue", "orders", "--id", "w")
        until(lambda: Scrape(httpx.get(f"{url}/metrics").text).value("durably_runs_active") == 1)
        worker.send_signal(signal.SIGTERM)
        answer = until(lambda: (a := httpx.get(f"{url}/health/ready")).status_code == 503 and a)
        assert answer.json()["state"] == "draining"
        assert answer.json()["reasons"] == ["it is draining: it takes no more work, and lets runs end"]
        assert httpx.get(f"{url}/health/live").status_code == 200
        assert Scrape(httpx.get(f"{url}/metrics").text).value("durably_worker_draining") == 1
        worker.send_signal(signal.SIGTERM)
        worker.communicate(timeout=20)


async def test_it_is_mounted_in_an_application_of_ones_own(database_url: str) -> None:
    app = App("shop", system_database_url=database_url)
    web = Starlette(routes=[Mount("/internal", health_app(app))])
    client = httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="http://web")
    async with client:
        before = await client.get("/internal/health/ready")
        assert (before.status_code, before.json()["reasons"]) == (503, ["the application is not running"])
        assert (await client.get("/internal/health/live")).status_code == 200
        async with app:
            ready = await client.get("/internal/health/ready")
            assert (ready.status_code, ready.json()["ok"]) == (200, True)
            assert ready.json()["executor_id"] == app.executor_id
            metrics = await client.get("/internal/metrics")
            assert metrics.headers["content-type"].startswith("text/plain; version=")
            assert Scrape(metrics.text).value("durably_worker_running") == 1
        assert (await client.get("/internal/health/ready")).status_code == 503


async def test_vitals_are_read_from_any_thread(database_url: str) -> None:
    app = App("shop", system_database_url=database_url)
    assert app.vitals().state == "stopped"
    async with app:
        await eventually(lambda: app.vitals().lease_age is not None)
        signs = await asyncio.to_thread(app.vitals)
        assert (signs.state, signs.executor_id, signs.capacity) == ("running", app.executor_id, 1000)
    assert app.vitals().state == "stopped"


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("9100x", "say HOST:PORT"),
        ("127.0.0.1:99999", "say HOST:PORT"),
        ("127.0.0.1:http", "say HOST:PORT"),
        ("192.0.2.1:0", "cannot listen there"),
        ("no.such.host.invalid:0", "cannot listen there"),
    ],
)
def test_an_address_that_cannot_be_is_refused(address: str, why: str) -> None:
    with pytest.raises(UsageError, match=why), serving(Starlette(), address):
        pass


def test_a_port_that_is_taken_is_refused() -> None:
    with serving(Starlette(), "127.0.0.1:0") as url:
        taken = url.removeprefix("http://")
        with pytest.raises(UsageError, match="Address already in use"), serving(Starlette(), taken):
            pass
