"""Threads for blocking workflows: a pool of the engine's own.

At most `size` threads work at a time. A thread that parks (waits for a message, a timer, a child) gives its
place back for as long as it waits, so that parents who wait for children cannot use up the pool.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["Workers"]

_Job = tuple[asyncio.Future[Any], contextvars.Context, Callable[[], Any]]


class Workers:
    """Runs blocking functions for a loop: `await workers.run(function)`."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._jobs: deque[_Job] = deque()
        self._lock = threading.Condition()
        self._working = 0  # threads that hold a place: busy or about to look for a job
        self._idle = 0
        self._closed = False
        self._ended: list[tuple[asyncio.Future[Any], Any, BaseException | None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self, function: Callable[[], Any]) -> Any:
        """Call `function()` on a thread, in this task's context; BaseExceptions come through."""
        self._loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = self._loop.create_future()
        with self._lock:
            self._jobs.append((future, contextvars.copy_context(), function))
            self._staff()
        return await future

    def stop(self) -> None:
        """Let idle threads end; busy ones end after their job."""
        with self._lock:
            self._closed = True
            self._idle = 0
            self._lock.notify_all()

    @contextlib.contextmanager
    def parked(self) -> Iterator[None]:
        """Give the calling thread's place back while it waits."""
        with self._lock:
            self._working -= 1
            self._staff()
        try:
            yield
        finally:
            with self._lock:
                self._working += 1

    def _staff(self) -> None:
        """Wake or start a thread for the next job, when there is a place. Holds the lock."""
        if not self._jobs or self._working - self._idle >= self._size:
            return
        if self._idle:
            self._idle -= 1
            self._lock.notify()
            return
        self._working += 1
        threading.Thread(target=self._work, name="durably-worker", daemon=True).start()

    def _work(self) -> None:
        while (job := self._next()) is not None:
            future, context, function = job
            if future.done():  # cancelled before it began: its run is over
                continue
            try:
                value, error = context.run(function), None
            except BaseException as raised:
                value, error = None, raised
            self._report(future, value, error)

    def _next(self) -> _Job | None:
        with self._lock:
            while True:
                if self._working - self._idle > self._size:
                    break
                if self._jobs:
                    return self._jobs.popleft()
                if self._closed:
                    break
                self._idle += 1
                self._lock.wait()
            self._working -= 1
            return None

    def _report(self, future: asyncio.Future[Any], value: Any, error: BaseException | None) -> None:
        """Hand the outcome to the loop, one wake for all that ended meanwhile."""
        with self._lock:
            first = not self._ended
            self._ended.append((future, value, error))
        if first and self._loop is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        with self._lock:
            ended, self._ended = self._ended, []
        for future, value, error in ended:
            if future.done():
                continue
            if error is None:
                future.set_result(value)
            else:
                future.set_exception(error if not isinstance(error, StopIteration) else RuntimeError(error))
