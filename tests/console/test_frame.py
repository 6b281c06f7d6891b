"""What every page has: the frame, the guard, errors, the live connection, keys."""

from __future__ import annotations

from collections.abc import Callable

import httpx
from playwright.sync_api import Page

from durably import DBOSClient


def test_every_answer_forbids_scripts_of_others(console_url: str) -> None:
    for path in ("/", "/nowhere", "/static/durably.css", "/live"):
        with httpx.stream("GET", console_url + path) as answer:
            policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_page_that_is_not_there_says_so(console_url: str) -> None:
    answer = httpx.get(console_url + "/nowhere")
    assert answer.status_code == 404
    assert "there is no page /nowhere" in answer.text


def test_a_large_body_is_refused(console_url: str) -> None:
    answer = httpx.post(console_url + "/", content=b"x" * 17 * 1024 * 1024)
    assert answer.status_code == 413


def test_a_page_changes_by_itself(console_url: str, database_url: str, page: Page) -> None:
    page.goto(console_url)
    page.get_by_text("No queue yet").wait_for()
    with DBOSClient.create(system_database_url=database_url) as client:
        client.register_queue("printing")
    page.get_by_role("link", name="printing").wait_for()


def test_the_frame_at_every_width(console_url: str, page: Page, shoot: Callable[[str], None]) -> None:
    page.goto(console_url)
    page.locator("h1").wait_for()
    shoot("frame")


def test_keys_go_to_pages(console_url: str, page: Page) -> None:
    page.goto(console_url)
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "q"
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("q")
    page.wait_for_url("**/queues")
