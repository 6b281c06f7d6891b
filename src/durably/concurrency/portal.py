"""Calls from threads into a loop: one that runs already, or one that the portal starts on its own thread."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, ParamSpec, TypeVar

from durably.errors import NotRunning, WrongContext

__all__ = ["Portal"]

P = ParamSpec("P")
T = TypeVar("T")


class Portal:
    """Runs coroutine functions on a loop for threads outside it.

    portal = Portal.start("durably-client")
    portal.call(async_function, 1, two=2)
    portal.close()
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, thread: threading.Thread | None = None) -> None:
        self.loop = loop
        self._thread = thread
        self._closed = False

    @classmethod
    def start(cls, name: str) -> Portal:
        """A portal with a loop of its own, on a daemon thread of that name."""
        loop = asyncio.new_event_loop()
        ready = threading.Event()

        def run() -> None:
            asyncio.set_event_loop(loop)
            loop.call_soon(ready.set)
            loop.run_forever()
            loop.close()

        thread = threading.Thread(target=run, name=name, daemon=True)
        thread.start()
        ready.wait()
        return cls(loop, thread)

    def call(self, function: Callable[P, Coroutine[Any, Any, T]], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `function(*args, **kwargs)` on the loop, in this thread's context, and wait for its result.

        Raises WrongContext on the loop's own thread (it would wait for itself), NotRunning when closed.
        """
        self._refuse(getattr(function, "__name__", "it"))
        context = contextvars.copy_context()

        async def run() -> T:
            task = context.run(asyncio.ensure_future, function(*args, **kwargs))
            return await task

        future = asyncio.run_coroutine_threadsafe(run(), self.loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def iterate(
        self, function: Callable[P, AsyncIterator[T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> Iterator[T]:
        """Iterate over an asynchronous iterator, one call for each value."""
        iterator = function(*args, **kwargs)

        async def advance() -> tuple[bool, Any]:
            try:
                return True, await anext(iterator)
            except StopAsyncIteration:
                return False, None

        while True:
            going, value = self.call(advance)
            if not going:
                return
            yield value

    def post(self, function: Callable[..., object], *args: Any) -> None:
        """Run a plain function on the loop soon; nothing happens when the loop is closed."""
        with contextlib.suppress(RuntimeError):
            self.loop.call_soon_threadsafe(function, *args)

    def close(self) -> None:
        """Stop the loop that the portal started, and join its thread. Closing twice is fine."""
        if self._closed:
            return
        self._closed = True
        if self._thread is not None:
            self.post(self.loop.stop)
            self._thread.join()

    def _refuse(self, name: str) -> None:
        if self._closed or self.loop.is_closed():
            raise NotRunning(f"{name}() needs a running client or application: it is closed")
        with contextlib.suppress(RuntimeError):
            if asyncio.get_running_loop() is self.loop:
                raise WrongContext(
                    f"blocking call {name}() on the event loop's own thread would wait for itself; "
                    f"await the asynchronous {name}() instead"
                )
