"""The login page, in a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page

from durably import DBOSClient
from durably.console import Accounts, Console
from tests.console.conftest import served
from tests.console.support import assert_accessible, expect

PASSWORD = "correct horse battery"


@pytest.fixture
def url(database_url: str) -> Iterator[str]:
    with DBOSClient.create(system_database_url=database_url) as client:
        client.create_account("ada", password=PASSWORD, role="operator")
    with served(Console(system_database_url=database_url, access=Accounts())) as url:
        yield url


def test_a_person_logs_in_and_out(url: str, page: Page, shoot: Callable[[str], None]) -> None:
    page.goto(f"{url}/?from=somewhere")
    assert page.title() == "Log in · Durably"
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password").fill("wrong password")
    page.keyboard.press("Enter")
    page.get_by_role("alert").get_by_text("Name or password are wrong.").wait_for()
    expect(page.get_by_label("Password")).to_be_focused()
    shoot("login")
    assert_accessible(page)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/?from=somewhere")
    assert page.locator(".who").inner_text() == "ada"
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/login")
    page.goto(url)
    page.wait_for_url("**/login?next=%2F")
