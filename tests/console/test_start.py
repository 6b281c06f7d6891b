"""Starting runs from a form: checked before anything is enqueued."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from durably import App, DBOSClient, EnqueueOptions
from durably.console import Console, Open, User
from tests.console.conftest import served
from tests.console.support import assert_accessible, post
from tests.engine.support import rows


@pytest.fixture
def app(database_url: str) -> Iterator[App]:
    app = App("shop", system_database_url=database_url)
    app.queue("tickets")

    @app.workflow(name="purchase")
    async def purchase(event: str, seats: int, gift: bool = False) -> str:
        return f"{seats} for {event}{' as a gift' if gift else ''}"

    with app:
        yield app


@pytest.fixture
def client(database_url: str) -> Iterator[DBOSClient]:
    with DBOSClient.create(system_database_url=database_url) as client:
        yield client


@pytest.mark.usefixtures("app")
def test_a_run_is_started_from_json_with_an_error_first(
    console_url: str, client: DBOSClient, page: Page
) -> None:
    page.goto(f"{console_url}/start?workflow_name=purchase&as_json=1")
    page.get_by_label("By position").fill('["Sonic", 2')
    page.get_by_label("Queue", exact=True).fill("tickets")
    page.get_by_label("Id", exact=True).fill("order-1")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("it is not JSON")
    expect(page.get_by_label("By position")).to_have_value('["Sonic", 2')
    page.get_by_label("By position").fill('["Sonic", 2]')
    page.get_by_label("By name").fill('{"gift": true}')
    page.get_by_label("Timeout").fill("soon")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("timeout='soon': a number of seconds")
    assert client.count_workflows() == 0
    page.get_by_label("Timeout").fill("60")
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_url("**/run?id=order-1")
    assert client.retrieve_workflow("order-1").get_result(timeout=20) == "2 for Sonic as a gift"
    assert client.get_workflow("order-1").workflow_timeout_ms == 60_000


@pytest.mark.usefixtures("app")
def test_a_run_is_started_from_the_form_of_its_parameters(
    console_url: str, client: DBOSClient, page: Page
) -> None:
    page.goto(f"{console_url}/start")
    page.locator("main").get_by_role("link", name="purchase").click()
    page.get_by_label("event", exact=True).fill("Sonic")
    page.get_by_label("seats").fill("two")
    page.get_by_label("gift").select_option("true")
    page.get_by_label("Queue", exact=True).fill("tickets")
    page.get_by_label("Id", exact=True).fill("order-2")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("seats: it is not a number")
    expect(page.get_by_label("event", exact=True)).to_have_value("Sonic")
    assert client.count_workflows() == 0
    page.get_by_label("seats").fill("2")
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_url("**/run?id=order-2")
    assert client.retrieve_workflow("order-2").get_result(timeout=20) == "2 for Sonic as a gift"


@pytest.mark.usefixtures("app")
def test_a_run_is_started_again_like_another(console_url: str, client: DBOSClient, page: Page) -> None:
    options = EnqueueOptions(
        workflow_name="purchase", queue_name="tickets", workflow_id="first", attributes={"tenant": "acme"}
    )
    client.enqueue(options, "Sonic", 2).get_result(timeout=20)
    page.goto(f"{console_url}/start?like=first")
    expect(page.get_by_label("By position")).to_have_value('[\n  "Sonic",\n  2\n]')
    page.get_by_label("By position").fill('["Can", 3]')
    page.get_by_label("Id", exact=True).fill("second")
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_url("**/run?id=second")
    assert client.retrieve_workflow("second").get_result(timeout=20) == "3 for Can"
    assert client.get_workflow("second").attributes == {"tenant": "acme"}
    page.goto(f"{console_url}/start?like=first")
    page.get_by_label("Id", exact=True).fill("second")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("second")  # the id is taken


def test_a_viewer_is_refused_and_hidden_payloads_stay_hidden(
    database_url: str, client: DBOSClient, page: Page
) -> None:
    options = EnqueueOptions(workflow_name="purchase", queue_name="tickets", workflow_id="first")
    client.enqueue(options, "secret", 2)
    access = Open(User(name="vera", role="viewer"))
    with served(Console(system_database_url=database_url, access=access)) as url:
        page.goto(f"{url}/start")
        page.get_by_text("needs the role operator").wait_for()
        assert post(url, "/start", {"workflow_name": "purchase"}).status_code == 403
    access = Open(User(name="olga", role="operator", sees_payloads=False))
    with served(Console(system_database_url=database_url, access=access)) as url:
        page.goto(f"{url}/start?like=first")
        page.get_by_text("its arguments are hidden for your role").wait_for()
        assert "secret" not in page.content()
    assert client.count_workflows() == 1


def test_a_run_is_started_in_a_database_without_our_schema(
    console_url: str, database_url: str, page: Page
) -> None:
    rows(database_url, "DROP SCHEMA durably CASCADE")
    page.goto(f"{console_url}/start")
    page.get_by_label("Workflow", exact=True).fill("anything")
    page.get_by_role("button", name="Continue").click()
    page.get_by_text("No workflow of this name has run here of late").wait_for()
    page.get_by_label("Id", exact=True).fill("w1")
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_url("**/run?id=w1")
    with DBOSClient.create(system_database_url=database_url) as client:
        assert client.get_workflow("w1").status == "ENQUEUED"


@pytest.mark.usefixtures("app")
def test_the_pages_look_good(
    console_url: str, client: DBOSClient, page: Page, shoot: Callable[[str], None]
) -> None:
    client.enqueue(EnqueueOptions(workflow_name="purchase", queue_name="tickets"), "Sonic", 2)
    page.goto(f"{console_url}/start")
    shoot("start")
    assert_accessible(page)
    page.goto(f"{console_url}/start?workflow_name=purchase")
    page.get_by_label("Delay").fill("a while")
    page.get_by_role("button", name="Start", exact=True).click()
    page.get_by_role("alert").wait_for()
    shoot("start-form")
    assert_accessible(page)
