"""Calls from threads into a loop: one that runs already, or one that the portal starts on its own thread."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import os
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar
from weakref import WeakSet

from durably.concurrency.forks import keep_for_ever
from durably.concurrency.tasks import end
from durably.errors import NotRunning, WrongContext

__all__ = ["Portal", "detached_context", "has_calling_thread", "in_calling_thread", "on_loop"]

P = ParamSpec("P")
T = TypeVar("T")

Inbox = SimpleQueue[Callable[[], object] | None]  # what the waiting thread is to run; None: the call is over

_caller: contextvars.ContextVar[Inbox | None] = contextvars.ContextVar("durably_caller", default=None)
_portals: WeakSet[Portal] = WeakSet()


class Portal:
    """Runs coroutine functions on a loop for threads outside it.

    A portal with a loop of its own starts another one in a forked child, where the thread of the first does
    not exist; the parent's loop is left alone.

        portal = Portal.start("durably-client")
        portal.call(async_function, 1, two=2)
        portal.close()
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, thread: threading.Thread | None = None) -> None:
        self.loop: asyncio.AbstractEventLoop = loop
        self._thread = thread
        self._lock = threading.Lock()
        self._closed = self._forked = False
        _portals.add(self)

    @classmethod
    def start(cls, name: str) -> Portal:
        """A portal with a loop of its own, on a daemon thread of that name."""
        return cls(*_start(name))

    def call(self, function: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `function(*args, **kwargs)` on the loop, in this thread's context, and wait for its result.

        Raises WrongContext on the loop's own thread (it would wait for itself), NotRunning when closed.
        """
        self._refuse(getattr(function, "__name__", "it"))
        call = _Call(lambda: function(*args, **kwargs))
        with self._lock:  # what comes behind `close` would never begin, nor end
            if self._closed or self.loop.is_closed():
                raise NotRunning("the client or application is closed")
            self.loop.call_soon_threadsafe(call.start)
        result: T = call.wait(self.loop)
        return result

    def iterate(
        self, function: Callable[P, AsyncIterator[T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> Iterator[T]:
        """Iterate over an asynchronous iterator, one call for each value; who stops early has it closed."""
        iterator = function(*args, **kwargs)

        async def advance() -> tuple[bool, Any]:
            try:
                return True, await anext(iterator)
            except StopAsyncIteration:
                return False, None

        try:
            while True:
                going, value = self.call(advance)
                if not going:
                    return
                yield value
        except GeneratorExit:
            self.post(_close, iterator)
            raise

    def post(self, function: Callable[..., object], *args: Any) -> None:
        """Run a plain function on the loop soon; nothing happens when the loop is closed."""
        with contextlib.suppress(RuntimeError):
            self.loop.call_soon_threadsafe(function, *args)

    def close(self) -> None:
        """Stop the loop that the portal started, and join its thread. Closing twice is fine.

        Calls that are still waiting end with NotRunning.
        """
        with self._lock:
            if self._closed:
                return
            self._closed = True
        if self._thread is not None and not self._forked:
            self.post(self.loop.stop)
            self._thread.join()

    def _refuse(self, name: str) -> None:
        if self._forked:
            self._start_again()
        if self._closed or self.loop.is_closed():
            raise NotRunning(f"{name}() needs a running client or application: it is closed")
        with contextlib.suppress(RuntimeError):
            if asyncio.get_running_loop() is self.loop:
                raise WrongContext(
                    f"blocking call {name}() on the event loop's own thread would wait for itself; "
                    f"await the asynchronous {name}() instead"
                )

    def _start_again(self) -> None:
        with self._lock:
            if self._forked and not self._closed and self._thread is not None:
                self.loop, self._thread = _start(self._thread.name)
                self._forked = False

    def _forget_parent(self) -> None:
        """In a forked child: the loop's thread is not here, and its selector is the parent's too."""
        self._lock = threading.Lock()
        self._forked = self._thread is not None
        keep_for_ever(self.loop)


class _Call:
    """One call: its task on the loop, and the thread that waits for it and meanwhile does what it asks."""

    def __init__(self, function: Callable[[], Awaitable[Any]]) -> None:
        self._function = function
        self._inbox: Inbox = SimpleQueue()
        self._context = contextvars.copy_context()
        self._task: asyncio.Task[Any] | None = None

    def start(self) -> None:
        """On the loop: begin, in the context of the thread that called."""
        self._context.run(_caller.set, self._inbox)
        loop = asyncio.get_running_loop()
        self._task = loop.create_task(self._run(), context=self._context)
        self._task.add_done_callback(lambda _: self._inbox.put(None))

    async def _run(self) -> Any:
        return await self._function()

    def wait(self, loop: asyncio.AbstractEventLoop) -> Any:
        """On the calling thread: run what the call asks for until it is over; its result."""
        try:
            while (errand := self._inbox.get()) is not None:
                errand()
        except BaseException:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._cancel)
            raise
        assert self._task is not None
        if self._task.cancelled():
            raise NotRunning("the client or application was closed during this call")
        return self._task.result()

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()


async def on_loop(loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, T]) -> T:
    """Await a coroutine on the loop that it belongs to, from whichever loop is running."""
    if asyncio.get_running_loop() is loop:
        return await coroutine
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(coroutine, loop))


def detached_context() -> contextvars.Context:
    """A copy of the current context that belongs to no calling thread: for tasks that outlive the call."""
    context = contextvars.copy_context()
    context.run(_caller.set, None)
    return context


def has_calling_thread() -> bool:
    """Whether the running task serves a thread that waits in `Portal.call`."""
    return _caller.get() is not None


async def in_calling_thread(function: Callable[[], T]) -> T:
    """Run a blocking function on the thread that waits for the running task: what it holds is its own."""
    inbox = _caller.get()
    assert inbox is not None, "no thread waits for this task"
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def run() -> None:
        try:
            result = function()
        except BaseException as error:
            loop.call_soon_threadsafe(_settle, future, future.set_exception, error)
        else:
            loop.call_soon_threadsafe(_settle, future, future.set_result, result)

    inbox.put(run)
    return await future


def _close(iterator: AsyncIterator[Any]) -> None:
    if isinstance(iterator, AsyncGenerator):
        closing = asyncio.get_running_loop().create_task(iterator.aclose())
        closing.add_done_callback(lambda task: task.cancelled() or task.exception())


def _settle(future: asyncio.Future[Any], settle: Callable[[Any], None], outcome: Any) -> None:
    if not future.done():
        settle(outcome)


def _start(name: str) -> tuple[asyncio.AbstractEventLoop, threading.Thread]:
    """A loop that runs on a daemon thread of that name."""
    loop = asyncio.new_event_loop()
    ready = threading.Event()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.call_soon(ready.set)
        loop.run_forever()
        _end_tasks(loop)
        loop.close()

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    ready.wait()
    return loop, thread


def _end_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel what still runs, so that nobody waits for ever for a loop that has stopped."""
    for task in asyncio.all_tasks(loop):
        loop.run_until_complete(end(task))
    loop.run_until_complete(loop.shutdown_asyncgens())


def _after_fork() -> None:
    for portal in list(_portals):
        portal._forget_parent()


os.register_at_fork(after_in_child=_after_fork)
