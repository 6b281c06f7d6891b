"""Schedules: created with a preview, triggered, paused, backfilled, edited at the console."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from durably import App, DBOSClient, WorkflowFilter
from durably.console import Console, Open, User
from tests.console.conftest import served
from tests.console.support import assert_accessible, post
from tests.engine.support import rows

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def app(database_url: str) -> Iterator[App]:
    app = App("shop", system_database_url=database_url)

    @app.workflow(name="report")
    async def report(scheduled_at: datetime, context: Any) -> str:
        return f"for {context['region']}"

    with app:
        yield app


@pytest.fixture
def client(database_url: str) -> Iterator[DBOSClient]:
    with DBOSClient.create(system_database_url=database_url) as client:
        yield client


def nightly(client: DBOSClient, **options: Any) -> None:
    client.create_schedule(
        schedule_name="nightly",
        workflow_name="report",
        schedule="0 3 * * *",
        context={"region": "north"},
        **options,
    )


@pytest.mark.usefixtures("app")
def test_a_schedule_is_created_with_a_preview_and_triggered(
    console_url: str, client: DBOSClient, page: Page
) -> None:
    page.goto(f"{console_url}/schedules")
    page.get_by_text("There is no schedule").wait_for()
    page.keyboard.press("c")
    page.get_by_label("Name", exact=True).fill("nightly")
    page.get_by_label("Cron expression").fill("0 25 * * *")
    page.get_by_label("Workflow", exact=False).first.fill("report")
    page.get_by_role("button", name="Show the next times").click()
    expect(page.get_by_role("alert")).to_contain_text("not a cron expression")
    page.get_by_label("Cron expression").fill("30 2 * * *")
    page.get_by_label("Time zone").fill("Europe/Berlin")
    page.get_by_label("Context").fill('{"region": "north"}')
    page.get_by_role("button", name="Show the next times").click()
    page.get_by_text("It fires at 02:30, every day").wait_for()
    assert page.locator(".times li").count() == 8
    assert client.list_schedules() == []
    page.get_by_role("button", name="Create").click()
    page.get_by_text("Created nightly.").wait_for()
    page.get_by_role("button", name="Start a run now").click()
    page.get_by_text("Started sched-nightly-trigger-").wait_for()
    page.locator("tbody .state.succeeded").wait_for()
    (run,) = client.list_workflows(WorkflowFilter(schedule_name="nightly"))
    assert run.output == "for north"


def test_a_backfill_is_counted_before_it_is_started(console_url: str, client: DBOSClient, page: Page) -> None:
    nightly(client)
    client.backfill_schedule("nightly", datetime(2026, 11, 1), datetime(2026, 11, 2))
    page.goto(f"{console_url}/schedule?name=nightly")
    page.get_by_role("link", name="Backfill").click()
    page.get_by_label("After").fill("2026-11-05T00:00:00")
    page.get_by_label("Before").fill("2026-11-01T00:00:00")
    page.get_by_role("button", name="See what it would start").click()
    expect(page.get_by_role("alert")).to_contain_text("it must be later than start")
    page.get_by_label("After").fill("2026-11-01T00:00:00")
    page.get_by_label("Before").fill("2026-11-05T00:00:00")
    page.get_by_role("button", name="See what it would start").click()
    page.get_by_role("heading", name="4 times in this range, 1 of which has run already").wait_for()
    assert client.count_workflows() == 1
    page.get_by_role("button", name="Start 3 runs").click()
    page.get_by_text("Started what nightly had to fire: 4 runs.").wait_for()
    assert client.count_workflows(WorkflowFilter(schedule_name="nightly")) == 4
    assert page.locator("tbody tr").count() == 4


def test_a_schedule_is_paused_resumed_edited_and_deleted(
    console_url: str, client: DBOSClient, page: Page
) -> None:
    nightly(client, application_name="shop")
    page.goto(f"{console_url}/schedule?name=nightly")
    page.keyboard.press("p")
    page.get_by_text("Paused nightly").wait_for()
    assert client.get_schedule("nightly").status == "PAUSED"
    page.get_by_role("button", name="Resume").click()
    page.get_by_text("Resumed nightly").wait_for()
    page.get_by_role("link", name="Edit").click()
    expect(page.get_by_label("Context")).to_have_value('{"region": "north"}')
    page.get_by_label("Cron expression").fill("0 4 * * *")
    page.get_by_label("While an earlier run goes on").select_option("skip")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Changed nightly.").wait_for()
    changed = client.get_schedule("nightly")
    assert (changed.schedule, changed.overlap, changed.status) == ("0 4 * * *", "skip", "ACTIVE")
    assert (changed.context, changed.application_name) == ({"region": "north"}, "shop")
    page.locator("summary", has_text="Delete").click()
    page.get_by_role("button", name="Delete this schedule").click()
    page.get_by_text("Deleted nightly.").wait_for()
    assert client.list_schedules() == []


def test_a_viewer_sees_no_buttons_and_is_refused(database_url: str, client: DBOSClient, page: Page) -> None:
    nightly(client)
    viewer = Open(User(name="vera", role="viewer", sees_payloads=False))
    with served(Console(system_database_url=database_url, access=viewer)) as url:
        for path in ("/schedules", "/schedule?name=nightly"):
            page.goto(url + path)
            page.get_by_text("nightly").first.wait_for()
            assert page.locator("main button, main summary, main form").count() == 0
        assert "north" not in page.content()
        page.get_by_text("hidden for your role").wait_for()
        for verb in ("pause", "resume", "trigger", "delete", "edit", "backfill"):
            assert post(url, f"/schedule/{verb}", {"name": "nightly"}).status_code == 403
    assert client.get_schedule("nightly").status == "ACTIVE"


def test_a_context_that_is_hidden_stays_as_it_is(database_url: str, client: DBOSClient, page: Page) -> None:
    nightly(client)
    operator = Open(User(name="olga", role="operator", sees_payloads=False))
    with served(Console(system_database_url=database_url, access=operator)) as url:
        page.goto(f"{url}/schedule/edit?name=nightly")
        page.get_by_text("It stays as it is").wait_for()
        page.get_by_label("Cron expression").fill("0 5 * * *")
        page.get_by_role("button", name="Save").click()
        page.get_by_text("Changed nightly.").wait_for()
    assert client.get_schedule("nightly").context == {"region": "north"}


def test_hostile_and_broken_rows_are_shown(console_url: str, database_url: str, page: Page) -> None:
    rows(
        database_url,
        "INSERT INTO dbos.workflow_schedules (schedule_id, schedule_name, workflow_name, schedule, context, "
        "last_fired_at, cron_timezone) VALUES ('s', %s, %s, 'not cron', 'not base64', 'not a time', 'Mars')",
        HOSTILE,
        HOSTILE,
    )
    page.goto(f"{console_url}/schedules")
    page.get_by_role("link", name=HOSTILE).click()
    expect(page.locator("h1")).to_have_text(HOSTILE)
    page.get_by_text("not a cron expression").first.wait_for()
    page.goto(f"{console_url}/schedule?name=nowhere")
    page.get_by_text("there is no schedule 'nowhere'").wait_for()


def test_schedules_of_a_database_without_our_schema(console_url: str, database_url: str, page: Page) -> None:
    rows(database_url, "DROP SCHEMA durably CASCADE")
    with DBOSClient.create(system_database_url=database_url) as client:
        nightly(client)
    page.goto(f"{console_url}/schedule?name=nightly")
    page.get_by_role("button", name="Start a run now").click()
    page.get_by_text("Started sched-nightly-trigger-").wait_for()


def test_schedules_look_good(
    console_url: str, database_url: str, client: DBOSClient, page: Page, shoot: Callable[[str], None]
) -> None:
    nightly(client, cron_timezone="Europe/Berlin", queue_name="reports", application_name="shop", jitter=30)
    client.create_schedule(schedule_name="heartbeat", workflow_name="beat", schedule="*/10 * * * * *")
    client.create_schedule(schedule_name="invoices", workflow_name="invoice", schedule="0 6 1 * *")
    client.create_schedule(schedule_name="odd", workflow_name="w", schedule="1,7-9/2 5 * * *")
    client.pause_schedule("invoices")
    rows(
        database_url,
        "UPDATE dbos.workflow_schedules SET last_fired_at = '2026-11-26T00:00:00+00:00' "
        "WHERE schedule_name = 'heartbeat'",
    )
    client.backfill_schedule("nightly", datetime(2026, 11, 1), datetime(2026, 11, 9))
    rows(
        database_url,
        "UPDATE dbos.workflow_status SET status = 'SUCCESS', completed_at = created_at + 4200 WHERE "
        "workflow_uuid < 'sched-nightly-2026-11-05'",
    )
    page.goto(f"{console_url}/schedules")
    page.get_by_role("link", name="nightly").wait_for()
    shoot("schedules")
    assert_accessible(page)
    page.goto(f"{console_url}/schedule?name=nightly")
    shoot("schedule")
    assert_accessible(page)
    page.goto(f"{console_url}/schedule/edit?name=nightly")
    page.get_by_role("button", name="Show the next times").click()
    page.locator(".times li").first.wait_for()
    shoot("schedule-edit")
    assert_accessible(page)
    page.goto(f"{console_url}/schedule/backfill?name=nightly")
    page.get_by_label("After").fill("2026-11-05T00:00:00")
    page.get_by_label("Before").fill("2026-11-12T00:00:00")
    page.get_by_role("button", name="See what it would start").click()
    page.get_by_role("heading", name="in this range").wait_for()
    shoot("schedule-backfill")
    assert_accessible(page)
