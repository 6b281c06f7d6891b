"""Server-sent events: values as they come, a comment when none does, an end when the client goes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from durably.console.api.problems import problem
from durably.console.api.wire import encoded

__all__ = ["Event", "EventStream"]

PING = 15.0  # seconds of silence after which a comment is sent


@dataclass(frozen=True)
class Event:
    """One event; `id` is what a client that comes again sends as Last-Event-ID."""

    name: str
    data: Any
    id: int | None = None

    def text(self) -> bytes:
        """As it is sent: JSON has no line breaks of its own."""
        head = b"" if self.id is None else b"id: %d\n" % self.id
        return head + b"event: %s\ndata: %s\n\n" % (self.name.encode(), encoded(self.data))


class EventStream(Response):
    """A response that goes on; what makes its events is stopped at once when nobody listens any more."""

    media_type = "text/event-stream"

    def __init__(
        self, events: AsyncGenerator[Event, None], *, headers: Mapping[str, str] | None = None
    ) -> None:
        self._events = events
        self.status_code = 200
        self.background = None
        self.init_headers({"X-Accel-Buffering": "no", **(headers or {})})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send events until they end, or until the client has gone."""
        sending = asyncio.ensure_future(self._send(scope, send))
        leaving = asyncio.ensure_future(_left(receive))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, leaving):
                task.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)
        if not sending.cancelled() and (error := sending.exception()) is not None:
            if not isinstance(error, OSError):  # nobody listens
                raise error

    async def _send(self, scope: Scope, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        if scope["method"] != "HEAD":
            async with contextlib.aclosing(_with_pings(self._events)) as texts:
                async for text in texts:
                    await send({"type": "http.response.body", "body": text, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _with_pings(events: AsyncGenerator[Event, None]) -> AsyncGenerator[bytes, None]:
    """Events as text; an error ends them as an event of its own, as the status has been sent."""
    yield b": hello\n\n"
    coming: asyncio.Future[Event | None] | None = None
    try:
        while True:
            coming = coming or asyncio.ensure_future(anext(events, None))
            done, _ = await asyncio.wait({coming}, timeout=PING)
            if not done:
                yield b": still here\n\n"
                continue
            event, coming = coming.result(), None
            if event is None:
                return
            yield event.text()
    except Exception as error:
        yield Event("problem", problem(error)).text()
    finally:
        if coming is not None:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)
        await events.aclose()


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
