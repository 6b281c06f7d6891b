"""The page about the API: readable, its commands work as they stand."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import httpx
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page

from durably.console.api.table import ROUTES


def test_the_console_serves_the_document(console_url: str) -> None:
    document = httpx.get(console_url + "/api/v1/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    assert document["servers"] == [{"url": "/api/v1"}]


def test_every_route_is_on_the_page(console_url: str, page: Page, shoot: Callable[[str], None]) -> None:
    page.goto(console_url + "/api")
    assert page.locator("details.operation").count() == len(ROUTES)
    page.locator("#enqueue_workflow summary").click()
    page.locator("#get_result summary").click()
    assert page.locator("#get_result").get_by_text("required").first.is_visible()
    shoot("api")
    found = Axe().run(page).response["violations"]
    serious = [each["id"] for each in found if each["impact"] in ("serious", "critical")]
    assert serious == []


def test_a_command_is_copied_and_works(console_url: str, page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(console_url + "/api")
    page.locator("#enqueue_workflow summary").click()
    page.locator("#enqueue_workflow [data-copy]").click()
    page.get_by_role("button", name="Copied").wait_for()
    command = str(page.evaluate("navigator.clipboard.readText()"))
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert '"workflow_id":"order-17"' in done.stdout
