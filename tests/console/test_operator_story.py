"""One operator's story over all pages: a failure among 100,000 runs is found, understood and mended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page

from durably import DBOSClient, EnqueueOptions
from durably.console import Accounts, Console
from tests.console.conftest import served
from tests.console.runs import application
from tests.console.support import expect
from tests.engine.support import rows
from tests.support.databases import Databases

RUNS = 100_000
PASSWORD = "correct horse battery"
# Some thousands failed, in other ways: a week of them, by one statement.
CROWD = f"""
    INSERT INTO dbos.workflow_status (
        workflow_uuid, status, name, executor_id, application_version, created_at, updated_at,
        started_at_epoch_ms, completed_at, serialization)
    SELECT 'crowd-' || n, CASE WHEN mod(n, 33) = 0 THEN 'ERROR' ELSE 'SUCCESS' END,
           CASE WHEN mod(n, 3) = 0 THEN 'purchase' ELSE 'ship' END, 'executor-' || mod(n, 8), 'v1',
           at.ms, at.ms, at.ms + 20, at.ms + 70, 'portable_json'
    FROM generate_series(1, {RUNS}) n,
         LATERAL (SELECT (extract(epoch FROM now()) * 1000)::bigint - 60000 - n * 6000::bigint AS ms) at
"""


@dataclass(frozen=True)
class Office:
    """A box office whose worker runs, and its console, where people log in."""

    client: DBOSClient
    console: str
    database: str

    def purchase(self, workflow_id: str, *seats: str, customer: str) -> None:
        options = EnqueueOptions(
            workflow_name="purchase",
            queue_name="tickets",
            workflow_id=workflow_id,
            attributes={"customer": customer},
        )
        self.client.enqueue(options, "Stonebraker", list(seats))


@pytest.fixture(scope="module")
def office(databases: Databases) -> Iterator[Office]:
    url = databases.migrated()
    rows(url, CROWD)
    rows(url, "ANALYZE dbos.workflow_status")
    with DBOSClient.create(system_database_url=url) as client:
        client.create_account("olga", password=PASSWORD, role="operator")
        client.create_account("vera", password=PASSWORD, role="viewer")
        with application(url), served(Console(system_database_url=url, access=Accounts())) as console:
            yield Office(client, console, url)
    databases.drop(url)


def log_in(page: Page, office: Office, name: str) -> None:
    page.goto(office.console)
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator(".who")).to_have_text(name)


def test_a_failed_run_is_found_understood_and_mended_and_a_queue_is_paused(
    office: Office, page: Page, browser: Browser
) -> None:
    office.purchase("lost-order", "a1", "gone", customer="Lovelace")
    office.client.wait_first([office.client.retrieve_workflow("lost-order")], timeout=30)
    log_in(page, office, "olga")

    find_among_the_crowd(page)
    see_why(page)
    fork = fork_with_an_edited_input(page)
    pause_the_queue(page, office)
    a_viewer_cannot(browser, office)
    let_it_go_on(page, office, fork)
    all_of_it_is_in_the_audit(page, office, fork)


def find_among_the_crowd(page: Page) -> None:
    page.get_by_role("navigation").get_by_role("link", name="Runs", exact=True).first.click()
    page.get_by_role("group", name="Status").get_by_text("Failed").click()
    page.get_by_role("button", name="Filter").click()
    page.wait_for_url("**status=ERROR**")
    page.wait_for_load_state()
    page.keyboard.press("/")
    page.keyboard.type("customer=Lovelace")
    page.keyboard.press("Enter")
    row = page.locator("tr[data-row]")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("Failed")
    row.locator("a.id").click()
    page.wait_for_url("**/run?id=lost-order")


def see_why(page: Page) -> None:
    failure = page.locator("main > #live > .failure")
    expect(failure).to_contain_text("SoldOut")
    expect(failure).to_contain_text("sold out: a1, gone")
    expect(page.locator("tr#step-3")).to_contain_text("Failed")


def fork_with_an_edited_input(page: Page) -> str:
    """It finishes while the operator watches: the page is never loaded again."""
    page.wait_for_load_state()
    page.keyboard.press("f")
    page.get_by_label("Input").fill('["Stonebraker", ["a1", "a2"]]')
    page.get_by_label("From operation").fill("1")
    page.get_by_role("button", name="Fork").click()
    page.get_by_text("Forked: this is the fork.").wait_for()
    expect(page.locator(".run-title .state")).to_have_text("Succeeded")
    expect(page.locator(".pair")).to_contain_text("shipped a2")
    return page.url.partition("id=")[2]


def pause_the_queue(page: Page, office: Office) -> None:
    page.goto(f"{office.console}/queue?name=tickets")
    page.keyboard.press("p")
    page.get_by_label("Why").fill("the hall is closed")
    page.get_by_role("button", name="Pause", exact=True).click()
    page.get_by_text("Paused tickets everywhere.").wait_for()
    office.purchase("held-order", "b1", customer="Hopper")
    page.locator(".tile", has_text="Waiting").get_by_text("1", exact=True).wait_for()  # it came by itself
    assert office.client.explain("held-order").reason == "paused"


def a_viewer_cannot(browser: Browser, office: Office) -> None:
    """Neither by a button, of which there is none, nor by the request that it would send."""
    context = browser.new_context()
    try:
        page = context.new_page()
        log_in(page, office, "vera")
        page.goto(f"{office.console}/queue?name=tickets")
        page.get_by_text("the hall is closed").first.wait_for()
        assert page.locator("main button, main form").count() == 0
        token = page.locator("body").get_attribute("hx-headers") or ""
        answer = context.request.post(
            f"{office.console}/queue/resume",
            form={"name": "tickets", "csrf_token": token.split('"')[3]},
            headers={"Origin": office.console},
        )
        assert (answer.status, "needs the role operator" in answer.text()) == (403, True)
    finally:
        context.close()
    assert [pause.reason for pause in office.client.get_queue("tickets").pauses] == ["the hall is closed"]


def let_it_go_on(page: Page, office: Office, fork: str) -> None:
    page.goto(f"{office.console}/run?id=held-order")
    expect(page.locator(".run-title .state")).to_have_text("Enqueued")
    resumed = page.context.new_page()
    resumed.goto(f"{office.console}/queue?name=tickets")
    resumed.get_by_role("button", name="Resume").click()
    resumed.get_by_text("Resumed tickets.").wait_for()
    resumed.close()
    expect(page.locator(".run-title .state")).to_have_text("Succeeded")  # watched in the first tab
    assert office.client.get_workflow(fork).status == "SUCCESS"


def all_of_it_is_in_the_audit(page: Page, office: Office, fork: str) -> None:
    page.goto(f"{office.console}/audit")
    said = page.locator("tbody tr").all_inner_texts()
    assert [line for line in said if "vera" in line] == []
    for verb, target in (("fork", "lost-order"), ("pause", "tickets"), ("resume", "tickets")):
        assert [line for line in said if "olga" in line and verb in line and target in line], (verb, said)
