"""Every page of operators on a database that the real DBOS application in TypeScript made, and runs on."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from durably import DBOSClient
from durably.console import Console
from tests.console.conftest import served
from tests.console.support import assert_accessible, settled
from tests.interop import harness
from tests.interop.conftest import Place, new_place, place, start  # noqa: F401 - fixtures

ARGUMENTS = '["Stonebraker", ["a1"], "2025-05-01T19:30:00Z"]'


@pytest.fixture(scope="module")
def peer(
    place: Place,  # noqa: F811
    start: Callable[[Callable[[], harness.Process]], harness.Process],  # noqa: F811
) -> harness.Process:
    return start(
        lambda: harness.typescript_app(place.system_url, APP_NAME="tickets-ts", EXECUTOR_ID="peer-1")
    )


@pytest.fixture
def client(place: Place, peer: harness.Process) -> Iterator[DBOSClient]:  # noqa: F811
    with DBOSClient.create(system_database_url=place.system_url) as client:
        yield client


@pytest.fixture
def url(place: Place, peer: harness.Process) -> Iterator[str]:  # noqa: F811
    with served(Console(system_database_url=place.system_url)) as url:
        yield url


def test_a_dbos_application_is_operated(
    url: str, client: DBOSClient, page: Page, shoot: Callable[[str], None]
) -> None:
    page.goto(f"{url}/start?workflow_name=purchaseTicket&workflow_class_name=DBOSTicketAuthority&as_json=1")
    page.get_by_label("By position").fill(ARGUMENTS)
    page.get_by_label("Queue", exact=True).fill("ticketQueue")
    page.get_by_label("Id", exact=True).fill("ticket-1")
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_url("**/run?id=ticket-1")
    settled(lambda: client.get_workflow("ticket-1").status == "PENDING")

    page.goto(f"{url}/executors")
    row = page.locator("tr", has_text="peer-1")
    for said in ("No lease", "tickets-ts", "1 of ticketQueue"):
        expect(row).to_contain_text(said)
    shoot("foreign-executors")

    page.goto(f"{url}/queues")
    expect(page.locator("tr", has_text="soloQueue")).to_contain_text("0 of 1")
    page.goto(f"{url}/queue?name=ticketQueue")
    expect(page.locator("tr", has_text="peer-1")).to_contain_text("no lease")
    page.goto(f"{url}/queue/edit?name=soloQueue")
    page.get_by_label("Running at once").fill("2")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Changed soloQueue").wait_for()
    assert client.get_queue("soloQueue").concurrency == 2

    page.goto(f"{url}/schedule/edit")
    page.get_by_label("Name", exact=True).fill("nightly")
    page.get_by_label("Cron expression").fill("0 3 * * *")
    page.get_by_label("Workflow", exact=True).fill("purchaseTicket")
    page.get_by_role("button", name="Create").click()
    page.get_by_text("jitter").or_(page.get_by_text("Created nightly.")).first.wait_for()
    assert client.get_schedule("nightly").schedule == "0 3 * * *"

    for path, said in (
        ("/versions", "tickets-ts"),
        ("/dead", "No dead letters"),
        ("/storage", "dbos.workflow_status"),
        ("/audit", "No audit is kept here"),
        ("/schedules", "nightly"),
        ("/start", "purchaseTicket"),
    ):
        page.goto(url + path)
        page.locator("main").get_by_text(said).first.wait_for()
        assert_accessible(page)
    client.send("ticket-1", {"ok": True}, topic="approval")
    settled(lambda: client.get_workflow("ticket-1").status == "SUCCESS")
