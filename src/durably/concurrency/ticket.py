"""A promise of an outcome that a coroutine awaits or a thread waits for."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator
from typing import Any

__all__ = ["ThreadTicket", "Ticket"]

_UNSET: Any = object()


class Ticket:
    """Awaited on the loop that resolves it, by one task."""

    __slots__ = ("_future", "_reply")

    def __init__(self) -> None:
        self._reply: Any = _UNSET
        self._future: asyncio.Future[None] | None = None

    @property
    def done(self) -> bool:
        """Whether the outcome is known."""
        return self._reply is not _UNSET

    def resolve(self, reply: Any) -> None:
        """Give the outcome; an exception instance is raised where the ticket is awaited."""
        self._reply = reply
        if self._future is not None and not self._future.done():
            self._future.set_result(None)

    def __await__(self) -> Generator[Any, None, Any]:
        if self._reply is _UNSET:
            self._future = asyncio.get_running_loop().create_future()
            yield from self._future
        return self._outcome()

    def _outcome(self) -> Any:
        if isinstance(self._reply, BaseException):
            raise self._reply
        return self._reply


class ThreadTicket(Ticket):
    """Waited for by the thread that made it."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._lock.acquire()

    def resolve(self, reply: Any) -> None:
        """Give the outcome and wake the thread."""
        self._reply = reply
        self._lock.release()

    def result(self) -> Any:
        """Wait for the outcome; raises it when it is an exception."""
        self._lock.acquire()
        return self._outcome()
