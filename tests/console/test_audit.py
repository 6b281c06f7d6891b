"""The audit at the console: who did what to what, filtered and paged."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from durably import DBOSClient
from durably.types import AuditOutcome
from tests.console.support import assert_accessible
from tests.engine.support import rows


@pytest.fixture
def client(database_url: str) -> Iterator[DBOSClient]:
    with DBOSClient.create(system_database_url=database_url) as client:
        yield client


def test_what_is_done_at_the_console_is_written_down(
    console_url: str, client: DBOSClient, page: Page
) -> None:
    client.register_queue("emails")
    page.goto(f"{console_url}/audit")
    page.get_by_text("Nothing was done yet").wait_for()
    page.goto(f"{console_url}/queue?name=emails")
    page.locator("summary", has_text="Pause").click()
    page.get_by_label("Why").fill("the provider is down")
    page.get_by_role("button", name="Pause", exact=True).click()
    page.get_by_text("Paused emails everywhere.").wait_for()
    page.goto(f"{console_url}/audit")
    row = page.locator("tbody tr")
    for said in ("local", "console", "pause", "queue", "emails", "the provider is down", "Done"):
        expect(row).to_contain_text(said)
    row.get_by_role("link", name="emails").click()
    page.get_by_role("heading", name="emails").wait_for()


def test_the_audit_is_filtered_and_paged(console_url: str, client: DBOSClient, page: Page) -> None:
    for number in range(60):
        entry = client.begin_audit("ada", "cancel", kind="workflow", target=f"w{number}", source="api")
        client.end_audit(entry, "done", "1 cancelled")
    entry = client.begin_audit("<b>bob</b>", "pause", kind="queue", target="emails", detail={"reason": None})
    client.end_audit(entry, "failed", "NoSuchQueue")
    page.goto(f"{console_url}/audit")
    assert page.locator("tbody tr").count() == 50
    page.get_by_role("link", name="Older").click()
    page.wait_for_url("**/audit?before=*")
    assert page.locator("tbody tr").count() == 11
    page.get_by_role("link", name="Newest").click()
    page.get_by_label("Who").fill("<b>bob</b>")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody tr")).to_contain_text("Failed")
    assert page.locator("main b").count() == 0
    page.goto(f"{console_url}/audit?target=w7")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.goto(f"{console_url}/audit?outcome=well")
    page.get_by_text("one of began, done, failed").wait_for()


def test_a_database_without_our_schema_keeps_no_audit(
    console_url: str, database_url: str, page: Page
) -> None:
    rows(database_url, "DROP SCHEMA durably CASCADE")
    page.goto(f"{console_url}/audit")
    page.get_by_text("No audit is kept here").wait_for()


def test_the_audit_looks_good(
    console_url: str, client: DBOSClient, page: Page, shoot: Callable[[str], None]
) -> None:
    what: tuple[tuple[str, str, str, str | list[str], AuditOutcome | None], ...] = (
        ("ada", "change limits", "queue", "emails", "done"),
        ("grace", "cancel", "workflow", [f"order-{n}" for n in range(40)], "done"),
        ("ada", "trigger", "schedule", "nightly", "failed"),
        ("alan", "backfill", "schedule", "nightly", None),
    )
    for who, verb, kind, target, outcome in what:
        entry = client.begin_audit(who, verb, kind=kind, target=target, detail={"reason": "a test"})
        if outcome is not None:
            client.end_audit(entry, outcome, "as it was told")
    page.goto(f"{console_url}/audit")
    page.locator("tbody tr").first.wait_for()
    shoot("audit")
    assert_accessible(page)
