"""Pages that stay true while they are looked at: a page's block `live` is sent again when it has changed.

The browser names the page that it shows (`/live?of=/runs?status=ERROR`); this renders that block for
the same user, at most once a second and never more than a tenth of the time, and sends it when it differs
from what the browser has. So every page is live without a line of its own, on any database, notifying or not.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

__all__ = ["stream"]

REST = 1.0  # seconds between two looks at least
SHARE = 9.0  # rest this many times as long as a look took
LONGEST = 30 * 60.0  # seconds; the browser connects again


def stream(request: Request, look: Callable[[], Awaitable[Response]]) -> Response:
    """Server-sent events: `fragment` with the changed live block, `leave` when it is not to be had.

    A comment is sent otherwise, so that a browser that has gone is noticed.
    """
    return StreamingResponse(_events(request, look), media_type="text/event-stream")


async def _events(request: Request, look: Callable[[], Awaitable[Response]]) -> AsyncIterator[str]:
    began, shown = time.monotonic(), b""
    while time.monotonic() - began < LONGEST and not await request.is_disconnected():
        looked = time.monotonic()
        response = await look()
        took = time.monotonic() - looked
        if response.status_code in (303, 401, 403):  # nobody is logged in any more, or may not
            yield "event: leave\ndata:\n\n"
            return
        html = bytes(response.body)
        digest = hashlib.blake2b(html).digest()
        yield _event(html.decode()) if digest != shown else ": same\n\n"
        shown = digest
        await asyncio.sleep(max(REST, SHARE * took))


def _event(html: str) -> str:
    lines = "".join(f"data: {line}\n" for line in html.split("\n"))
    return f"event: fragment\n{lines}\n"
