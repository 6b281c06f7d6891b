"""The run page on runs of a real DBOS TypeScript application, in a database that durably never touched."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg
import pytest
from playwright.sync_api import Page, expect
from psycopg import sql

from durably import DBOSClient, EnqueueOptions
from durably.console import Console
from tests.console.conftest import served
from tests.console.test_run import press, state_of
from tests.interop import harness
from tests.support.server import Server

DATE = datetime(2026, 5, 1, 19, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Theatre:
    """The TypeScript application's database, and a console on it."""

    client: DBOSClient
    console: str

    def begin(self, name: str, workflow_id: str, *args: object, class_name: str = "Interop") -> None:
        self.client.enqueue(
            EnqueueOptions(
                workflow_name=name,
                workflow_class_name=class_name,
                queue_name="ticketQueue",
                workflow_id=workflow_id,
                serialization="js_superjson",
            ),
            *args,
        )


@pytest.fixture(scope="module")
def theatre(server: Server) -> Iterator[Theatre]:
    name = f"theatre_{uuid.uuid4().hex[:12]}"
    url = harness.uri(server.url(name))
    try:
        peer = harness.typescript_app(url, APP_NAME="tickets-ts", EXECUTOR_ID="peer-1")
    except harness.PeerUnavailable as error:
        pytest.skip(str(error))
    with (
        harness.running(peer),
        DBOSClient.create(system_database_url=url) as client,
        served(Console(system_database_url=url)) as console,
    ):
        yield Theatre(client, console)
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def test_a_failed_run_is_forked_with_an_edited_input_and_goes_on(theatre: Theatre, page: Page) -> None:
    theatre.begin("purchaseTicket", "broken", "Stonebraker", None, DATE, class_name="DBOSTicketAuthority")
    page.goto(f"{theatre.console}/run?id=broken")
    state_of(page, "Failed")
    failure = page.locator("#live > .failure")
    expect(failure).to_contain_text("TypeError")
    expect(failure).to_contain_text("length")

    press(page, "f")
    text = page.get_by_label("Input").input_value()
    assert "2026-05-01T19:30" in text
    page.get_by_label("Input").fill(text.replace("null", '["a1", "a2"]'))
    page.get_by_label("From operation").fill("0")
    page.get_by_role("button", name="Fork").click()
    page.get_by_text("Forked: this is the fork.").wait_for()
    state_of(page, "Running")
    expect(page.locator("tbody tr").first).to_contain_text("charge")
    fork = theatre.client.get_workflow(page.url.rpartition("id=")[2])
    assert fork.forked_from == "broken"
    assert fork.input["args"][2] == DATE  # a Date still

    page.get_by_role("link", name="Messages").click()
    page.get_by_label("Topic").fill("approval")
    page.locator("textarea[name=message]").fill('{"ok": true}')
    page.get_by_role("button", name="Send").click()
    state_of(page, "Succeeded")
    page.get_by_role("link", name="Timeline").click()
    expect(page.locator(".pair")).to_contain_text('"total": 50')
    expect(page.locator(".pair")).to_contain_text('"dateType": "Date"')


def test_a_running_run_is_cancelled(theatre: Theatre, page: Page) -> None:
    theatre.begin("gate", "gate")
    assert theatre.client.get_event("gate", "status", 20) == "waiting"
    page.goto(f"{theatre.console}/run?id=gate")
    state_of(page, "Running")
    press(page, "c")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("Cancelled.").wait_for()
    state_of(page, "Cancelled")


def test_what_needs_our_own_tables_says_so(theatre: Theatre, page: Page) -> None:
    theatre.begin("gate", "unpaused")
    assert theatre.client.get_event("unpaused", "status", 20) == "waiting"
    page.goto(f"{theatre.console}/run?id=unpaused")
    expect(page.locator(".notice")).to_contain_text("waits for a message or an event")
    press(page, "p")
    page.get_by_label("Reason").fill("lunch")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator(".failure")).to_contain_text("durably db migrate")
    assert page.get_by_label("Reason").input_value() == "lunch"
    theatre.client.cancel_workflow("unpaused")


def test_family_stream_and_error_of_a_step(theatre: Theatre, page: Page) -> None:
    theatre.begin("parent", "parent", 3)
    theatre.begin("stream", "stream", 3)
    page.goto(f"{theatre.console}/run?id=parent")
    state_of(page, "Succeeded")
    row = page.locator("tbody tr", has_text="explode")
    expect(row).to_contain_text("TypeError: caught by the parent")
    row.locator("summary").first.click()
    expect(row).to_contain_text("Traceback")
    page.get_by_role("link", name="Children").click()
    expect(page.locator(".tree .leaf")).to_have_count(2)
    page.goto(f"{theatre.console}/run?id=stream&tab=streams")
    expect(page.locator("tbody tr")).to_have_count(3)
    expect(page.locator(".pager")).to_contain_text("closed")
