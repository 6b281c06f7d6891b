"""schemathesis finds nothing: a real server on a filled database, with workers behind it, asked anything."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from durably import DBOSClient, EnqueueOptions, ScheduleSpec
from durably.console import Accounts
from durably.errors import DurablyError
from tests.console.api import served_api
from tests.interop import harness

SECONDS = 40  # how long it asks
CONFIG = """\
[checks.positive_data_acceptance]
# 412: If-None-Match; 415: a media type that schemathesis does not write as asked;
# 422: what no schema can say: a cron expression that fires, a name of printable characters
expected-statuses = ["2xx", "401", "403", "404", "409", "412", "415", "422", "429"]
"""
QUEUE = "ticketQueue"
RUNS = ("order-17", "order-18", "chat-17", "poller")


@pytest.fixture
def filled_url(database_url: str) -> Iterator[str]:
    """A database in which what the examples name is there, and comes back when it was deleted."""
    worker = harness.durably_app(harness.uri(database_url), APP_NAME="tickets", APP_VERSION="1")
    stop = threading.Event()
    with harness.running(worker), DBOSClient.create(system_database_url=database_url) as client:
        _fill(client)
        refill = threading.Thread(target=_refill, args=(client, stop))
        refill.start()
        yield database_url
        stop.set()
        refill.join(20)


def _fill(client: DBOSClient) -> None:
    for workflow_id in RUNS:
        options = EnqueueOptions(
            workflow_name="stream",
            workflow_class_name="Interop",
            queue_name=QUEUE,
            workflow_id=workflow_id,
            workflow_id_reuse_policy="return-existing",
        )
        client.enqueue(options, 3)
    for queue in ("emails", QUEUE):
        client.register_queue(queue, on_conflict="never_update")
    client.apply_schedules(
        [ScheduleSpec(schedule_name="nightly", workflow_name="echo", schedule="0 3 * * *")]
    )


def _refill(client: DBOSClient, stop: threading.Event) -> None:
    while not stop.wait(1.0):
        with contextlib.suppress(DurablyError):  # what was made meanwhile may be in the way
            _fill(client)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_schemathesis_finds_nothing(filled_url: str, tmp_path: Path) -> None:
    config = tmp_path / "schemathesis.toml"
    config.write_text(CONFIG)
    with DBOSClient.create(system_database_url=filled_url) as client:
        secret = client.create_token("schemathesis", role="admin").secret
    with served_api(filled_url, access=Accounts(), longest_wait=0.1) as url:
        done = subprocess.run(
            [
                str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(config),
                "run", f"{url}/openapi.json", "--checks", "all",
                "--header", f"Authorization: Bearer {secret}",
                "--phases", "examples,coverage,fuzzing,stateful", "--mode", "all",
                "--max-examples", "10", "--max-time", str(SECONDS), "--max-response-time", "30",
                "--request-timeout", "30", "--workers", "1", "--continue-on-failure", "--no-color",
            ],
            cwd=tmp_path, capture_output=True, text=True, timeout=250, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2000:]
