"""Runs, by an operator in a browser: found among 100,000, picked, acted upon, stopped."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator

import psycopg
import pytest
from playwright.sync_api import Page, expect

from durably import App, AsyncDBOSClient, DBOSClient, EnqueueOptions
from durably.console import Accounts, Console
from durably.console.jobs import BATCH
from tests.console.conftest import served
from tests.console.million import fill
from tests.console.support import assert_accessible, post, settled
from tests.engine.support import rows
from tests.support.databases import Databases

RUNS = 100_000
HOSTILE = '<script>alert("x")</script><b>ad</b>\x1b[31m\u202e/?&=%\'"'
FAIL = (
    "INSERT INTO dbos.workflow_status (workflow_uuid, status, name, attributes, created_at, completed_at) "
    "SELECT 'the-lost-order', 'ERROR', 'chargeCard', '{\"customer\": \"Lovelace\"}', t, t + 40 "
    "FROM (SELECT (EXTRACT(epoch FROM now()) * 1000)::bigint - 60000 AS t) t"
)
QUEUED = (
    "INSERT INTO dbos.workflow_status (workflow_uuid, status, name, queue_name, created_at) "
    "SELECT 'bulk-' || n, 'ENQUEUED', 'bulkMail', 'emails', n FROM generate_series(1, %s) n"
)


@pytest.fixture(scope="module")
def crowded(databases: Databases) -> Iterator[str]:
    """A console of 100,000 runs, one of which somebody looks for."""
    url = databases.migrated()
    fill(url, RUNS, payloads=False)
    execute(url, FAIL)
    with served(Console(system_database_url=url)) as console:
        yield console
    databases.drop(url)


def execute(url: str, statement: str, *values: object) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode(), values)


def count(url: str, status: str) -> int:
    query = f"SELECT count(*) FROM dbos.workflow_status WHERE status = '{status}' AND name = 'bulkMail'"
    return int(rows(url, query)[0][0])


def test_a_failed_run_is_found_by_filter(crowded: str, page: Page, shoot: Callable[[str], None]) -> None:
    page.goto(f"{crowded}/runs")
    page.locator("tr[data-row]").first.wait_for()
    shoot("runs")
    assert_accessible(page)
    page.get_by_role("group", name="Status").get_by_text("Failed").click()
    page.get_by_label("Name", exact=True).fill("chargeCard")
    page.get_by_role("button", name="Filter").click()
    row = page.locator("tr[data-row]", has_text="the-lost-order")
    expect(row).to_contain_text("Failed")
    assert "status=ERROR" in page.url and "name=chargeCard" in page.url
    expect(row.locator("a.id")).to_have_attribute("href", "/run?id=the-lost-order")


@pytest.mark.parametrize("text", ["lost-order", "CHARGECARD", "customer=Lovelace", "the-lost"])
def test_a_failed_run_is_found_by_text(crowded: str, page: Page, text: str) -> None:
    page.goto(crowded)
    page.keyboard.press("/")
    page.keyboard.type(text)
    page.keyboard.press("Enter")
    page.locator("tr[data-row]", has_text="the-lost-order").first.wait_for()


def test_an_old_run_is_found_by_its_id_or_by_searching_further(crowded: str, page: Page) -> None:
    page.goto(f"{crowded}/runs?q=run-00000007")
    page.get_by_text("Ids that begin so").wait_for()
    page.locator("tr[data-row]", has_text="run-00000007").first.wait_for()
    page.goto(f"{crowded}/runs?user=user-4&range=30d")
    for _ in range(8):
        if page.locator("tr[data-row]", has_text="run-00000004").count():
            break
        page.locator("a", has_text="Search further").or_(page.locator("a[rel=next]")).first.click()
        page.wait_for_load_state()
    page.locator("tr[data-row]", has_text="run-00000004").wait_for()


def test_pages_lead_to_older_runs_and_back(crowded: str, page: Page) -> None:
    page.goto(f"{crowded}/runs?status=CANCELLED")
    first = page.locator("tr[data-row] a.id").first.inner_text()
    page.get_by_role("link", name="Older").click()
    page.wait_for_url("**after=**")
    assert page.locator("tr[data-row] a.id").first.inner_text() != first
    page.get_by_role("link", name="Newer").click()
    page.wait_for_url("**before=**")
    assert page.locator("tr[data-row] a.id").first.inner_text() == first


def test_keys_move_pick_and_open(crowded: str, page: Page) -> None:
    page.goto(f"{crowded}/runs?status=ERROR")
    page.locator("tr[data-row]").first.wait_for()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("x")
    expect(page.locator("[data-picked]")).to_have_text("1 picked")
    assert page.locator("tr[data-row] [data-pick]").first.is_checked()
    page.keyboard.press("Shift+A")
    expect(page.locator("[data-picked]")).to_have_text("50 picked")
    opened = page.locator("tr[data-current] a.id").get_attribute("href")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{opened}")


def test_new_runs_appear_and_picks_stay(console_url: str, database_url: str, page: Page) -> None:
    execute(database_url, QUEUED, 3)
    page.goto(f"{console_url}/runs")
    page.locator("tr[data-row]", has_text="bulk-2").locator("[data-pick]").check()
    with DBOSClient.create(system_database_url=database_url) as client:
        client.enqueue(EnqueueOptions(workflow_name="send", queue_name="emails", workflow_id="fresh"))
    page.locator("tr[data-row]", has_text="fresh").wait_for()
    assert page.locator("tr[data-row]", has_text="bulk-2").locator("[data-pick]").is_checked()
    expect(page.locator("[data-pick]:checked")).to_have_count(1)
    expect(page.locator("[data-picked]")).to_have_text("1 picked")


def test_picked_runs_are_cancelled_and_no_others(console_url: str, database_url: str, page: Page) -> None:
    execute(database_url, QUEUED, 5)
    page.goto(f"{console_url}/runs")
    for number in (2, 4):
        page.locator("tr[data-row]", has_text=f"bulk-{number}").locator("[data-pick]").check()
    page.get_by_role("button", name="Cancel…").click()
    expect(page.locator("h1")).to_have_text("Cancel: 2 runs")
    assert count(database_url, "CANCELLED") == 0
    page.get_by_role("button", name="Cancel 2 runs").click()
    page.get_by_text("2 done.").wait_for()
    cancelled = "SELECT workflow_uuid FROM dbos.workflow_status WHERE status = 'CANCELLED' ORDER BY 1"
    assert rows(database_url, cancelled) == [("bulk-2",), ("bulk-4",)]


def test_a_bulk_cancel_is_shown_first_stopped_in_the_middle_and_told(
    console_url: str,
    database_url: str,
    page: Page,
    shoot: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    execute(database_url, QUEUED, 5 * BATCH)
    begun, go_on = threading.Event(), threading.Event()
    cancel = AsyncDBOSClient.cancel_workflows

    page.goto(f"{console_url}/runs?name=bulkMail")
    page.get_by_role("button", name="Cancel…").click()
    expect(page.locator("h1")).to_have_text(f"Cancel: {5 * BATCH:,} runs")
    expect(page.locator("tbody tr")).to_have_count(10)
    shoot("runs-confirm")
    assert_accessible(page)
    assert count(database_url, "CANCELLED") == 0

    batches = 0

    async def one_at_a_time(client: AsyncDBOSClient, chosen: object, **options: object) -> object:
        nonlocal batches
        batches += 1
        if batches == 2:
            begun.set()
            await asyncio.to_thread(go_on.wait, 30)
        return await cancel(client, chosen, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(AsyncDBOSClient, "cancel_workflows", one_at_a_time)
    page.get_by_role("button", name=f"Cancel {5 * BATCH:,} runs").click()
    assert begun.wait(20)
    page.get_by_text("Under way").wait_for()
    page.get_by_role("button", name="Stop").click()
    go_on.set()
    page.get_by_text("Stopped.").wait_for()
    page.get_by_text(f"{2 * BATCH:,} done; {3 * BATCH:,} not tried").wait_for()
    shoot("runs-job")
    assert_accessible(page)
    assert (count(database_url, "CANCELLED"), count(database_url, "ENQUEUED")) == (2 * BATCH, 3 * BATCH)
    with DBOSClient.create(system_database_url=database_url) as client:
        entry = settled(lambda: client.list_audit(verb="cancel", outcome="done"))[0]
    assert (entry.who, entry.did) == ("local", f"{2 * BATCH:,} done; {3 * BATCH:,} not tried")


def test_what_has_changed_since_is_skipped_and_said(console_url: str, database_url: str, page: Page) -> None:
    execute(database_url, QUEUED, 4)
    page.goto(f"{console_url}/runs?name=bulkMail")
    page.get_by_role("button", name="Pause…", exact=True).click()
    expect(page.locator("h1")).to_have_text("Pause: 4 runs")
    execute(database_url, "UPDATE dbos.workflow_status SET status = 'SUCCESS' WHERE workflow_uuid = 'bulk-3'")
    page.get_by_label("Reason").fill("the provider is down")
    page.get_by_role("button", name="Pause 4 runs").click()
    page.get_by_text("3 done; 1 skipped").wait_for()
    expect(page.get_by_role("link", name="bulk-3")).to_be_visible()
    page.goto(f"{console_url}/runs?status=PAUSED")
    expect(page.locator("tr[data-row]")).to_have_count(3)
    page.get_by_role("button", name="Unpause…").click()
    page.get_by_role("button", name="Unpause 3 runs").click()
    page.get_by_text("3 done.").wait_for()
    assert count(database_url, "ENQUEUED") == 3


def test_failed_runs_are_forked_and_old_ones_deleted(database_url: str, page: Page) -> None:
    app = App("shop", system_database_url=database_url)
    app.queue("emails")
    broken = threading.Event()
    broken.set()

    @app.workflow(name="bulkMail")
    def bulk_mail() -> str:
        if broken.is_set():
            raise ValueError("the provider is down")
        return "sent"

    with app, DBOSClient.create(system_database_url=database_url) as client:
        options = EnqueueOptions(workflow_name="bulkMail", queue_name="emails")
        for _ in range(2):
            client.enqueue(options)
        settled(lambda: count(database_url, "ERROR") == 2)
        broken.clear()
        with served(Console(system_database_url=database_url)) as url:
            page.goto(f"{url}/runs?status=ERROR")
            page.get_by_role("button", name="Fork from failure…").click()
            page.get_by_role("button", name="Fork from failure 2 runs").click()
            page.get_by_text("2 done.").wait_for()
            settled(lambda: count(database_url, "SUCCESS") == 2)
            page.goto(f"{url}/runs?status=ERROR")
            page.get_by_role("button", name="Delete…").click()
            page.get_by_role("button", name="Delete 2 runs").click()
            page.get_by_text("2 done.").wait_for()
    assert count(database_url, "ERROR") == 0


def test_a_viewer_looks_and_is_refused(database_url: str, page: Page) -> None:
    execute(database_url, QUEUED, 2)
    with DBOSClient.create(system_database_url=database_url) as client:
        client.create_account("vic", password="correct horse battery")
    with served(Console(system_database_url=database_url, access=Accounts())) as url:
        page.goto(f"{url}/runs")
        page.get_by_label("Name").fill("vic")
        page.get_by_label("Password").fill("correct horse battery")
        page.keyboard.press("Enter")
        page.wait_for_url("**/runs")
        page.locator("tr[data-row]").first.wait_for()
        assert page.locator("[data-pick], [data-bulk]").count() == 0
        token = page.evaluate("JSON.parse(document.body.getAttribute('hx-headers'))['X-CSRF-Token']")
        for path in ("/runs/confirm", "/runs/begin", "/runs/stop"):
            answer = page.request.post(
                url + path, form={"csrf_token": token, "verb": "cancel"}, headers={"Origin": url}
            )
            assert answer.status == 403
            assert "vic is a viewer" in answer.text()
    assert count(database_url, "CANCELLED") == 0


def test_a_forged_bulk_action_does_nothing(console_url: str, database_url: str) -> None:
    execute(database_url, QUEUED, 2)
    assert post(console_url, "/runs/begin", {"plan": "made up"}).status_code == 409
    assert post(console_url, "/runs/confirm", {"verb": "explode"}).status_code == 400
    assert count(database_url, "ENQUEUED") == 2


def test_hostile_ids_and_names_are_text(console_url: str, database_url: str, page: Page) -> None:
    insert = (
        "INSERT INTO dbos.workflow_status (workflow_uuid, status, name, queue_name, attributes) "
        "VALUES (%s, 'ENQUEUED', %s, %s, jsonb_build_object('k', %s::text))"
    )
    execute(database_url, insert, HOSTILE, HOSTILE * 100, HOSTILE, "x" * 1_000_000)
    page.goto(f"{console_url}/runs")
    row = page.locator("tr[data-row]")
    expect(row.locator("a.id")).to_contain_text("<script>alert")
    assert page.locator("main script, main b").count() == 0
    row.locator("[data-pick]").check()
    page.get_by_role("button", name="Cancel…").click()
    page.get_by_role("button", name="Cancel 1 run").click()
    page.get_by_text("1 done.").wait_for()
    state = "SELECT status FROM dbos.workflow_status"
    assert rows(database_url, state) == [("CANCELLED",)]


def test_what_cannot_be_meant_is_explained(console_url: str, page: Page) -> None:
    page.goto(f"{console_url}/runs?status=LOST")
    expect(page.get_by_role("alert")).to_contain_text("status='LOST': it must be one of PENDING")


def test_an_empty_console_says_what_would_be_here(console_url: str, page: Page) -> None:
    page.goto(f"{console_url}/runs")
    page.get_by_text("Runs appear here as soon as").wait_for()
    page.goto(f"{console_url}/runs?name=nobody")
    page.get_by_text("No run matches").wait_for()


def is_dead(number: int) -> bool:
    """Whether `fill` sets this run aside."""
    still_waits = number > RUNS * 0.995 and number % 3 == 0
    still_runs = number > RUNS * 0.999 and number % 3 == 1
    return number % 1000 == 500 and number % 997 != 3 and not still_waits and not still_runs


def test_the_overview(crowded: str, page: Page, shoot: Callable[[str], None]) -> None:
    page.goto(crowded)
    page.locator("svg.chart").wait_for()
    page.get_by_role("heading", name="Needs somebody").wait_for()
    expect(page.get_by_role("region", name="Failures by name").get_by_role("link").first).to_be_visible()
    shoot("overview")
    assert_accessible(page)
    page.get_by_role("link", name="7 days").click()
    page.locator("svg.chart").wait_for()
    tile = page.locator(".tile", has_text="Dead letters").locator("a")
    assert tile.inner_text() == str(sum(map(is_dead, range(1, RUNS + 1))))


def test_the_overview_of_nothing(console_url: str, page: Page, shoot: Callable[[str], None]) -> None:
    page.goto(console_url)
    page.get_by_text("Nothing failed").wait_for()
    page.get_by_text("No queue yet").wait_for()
    shoot("overview-empty")
