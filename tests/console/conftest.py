"""A console on a database, served; and a browser that looks at it."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from durably.console import Console

SHOTS = Path(os.environ.get("DURABLY_SCREENSHOTS", ""))  # where the tests leave pictures, if anywhere
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def served(console: Any) -> Iterator[str]:
    """The URL of an ASGI application, served on a free port of this machine."""
    ready, url = threading.Event(), []
    config = uvicorn.Config(
        console,
        host="127.0.0.1",
        port=0,
        log_level="error",
        timeout_graceful_shutdown=1,
        h11_max_incomplete_event_size=4 * 1024 * 1024,  # so that long URLs reach what is tested
    )

    class Server(uvicorn.Server):
        async def startup(self, sockets: Any = None) -> None:
            await super().startup(sockets)
            port = self.servers[0].sockets[0].getsockname()[1]
            url.append(f"http://127.0.0.1:{port}")
            ready.set()

    server = Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    try:
        assert ready.wait(20), "the console did not start"
        yield url[0]
    finally:
        server.should_exit = True
        thread.join(20)


@pytest.fixture
def console_url(database_url: str) -> Iterator[str]:
    """A console of a database that nobody else has, where everybody may do everything."""
    with served(Console(system_database_url=database_url)) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, headless.

    While it is open this thread has a loop that runs, so a module that uses it has no async tests.
    """
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser that knows nothing yet."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(15_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A tab; a test fails if its scripts did, or broke the content security policy."""
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "console", lambda message: wrong.append(message.text) if "Content Security" in message.text else None
    )
    yield page
    assert not wrong, wrong


@pytest.fixture
def shoot(page: Page) -> Callable[[str], None]:
    """Takes pictures of the page, in both themes and at two widths, into the folder DURABLY_SCREENSHOTS."""

    def shoot(name: str) -> None:
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            for width in (1280, 360):
                page.set_viewport_size({"width": width, "height": 800})
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (name, width)
                if os.environ.get("DURABLY_SCREENSHOTS"):
                    page.screenshot(path=SHOTS / f"{name}-{theme}-{width}.png", full_page=True)
        page.set_viewport_size({"width": 1280, "height": 800})

    return shoot
