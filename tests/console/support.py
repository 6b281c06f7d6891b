"""What the tests of pages share: waiting for something to become true, posting as a form does, axe."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

import httpx
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page, expect

__all__ = ["assert_accessible", "expect", "form_of", "post", "settled"]

T = TypeVar("T")

expect.set_options(timeout=15_000)  # a busy machine is slow, and not wrong


def settled(check: Callable[[], T], *, seconds: float = 20.0) -> T:
    """Ask again until the answer is true; it, or a failure when the time is over."""
    end = time.monotonic() + seconds
    while not (answer := check()):
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.05)
    return answer


def post(url: str, path: str, fields: Mapping[str, str]) -> httpx.Response:
    """Post a form as a browser does that has looked at a page before."""
    with httpx.Client(base_url=url) as client:
        token = form_of(client.get("/queues").text, client)
        return client.post(path, data={**fields, "csrf_token": token}, headers={"Origin": url})


def form_of(html: str, client: httpx.Client) -> str:
    """The token that this client's forms have."""
    token = re.search(r'"X-CSRF-Token": "([^"]+)"', html)
    assert token is not None
    return token.group(1)


def assert_accessible(page: Page) -> None:
    """No serious finding of axe-core, in either theme."""
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        found = Axe().run(page)
        serious = [v for v in found.response["violations"] if v["impact"] in ("serious", "critical")]
        told = [(v["id"], [node["html"][:200] for node in v["nodes"]][:3]) for v in serious]
        assert not told, (theme, told)
