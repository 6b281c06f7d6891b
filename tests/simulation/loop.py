"""An event loop with virtual time: waiting costs nothing, and a seed orders what is ready."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable
from contextvars import Context, ContextVar, copy_context
from heapq import heappop, heappush
from random import Random
from typing import Any

__all__ = ["Stalled", "Strand", "VirtualLoop", "strand"]


class Stalled(Exception):
    """Nothing is ready and nothing is scheduled: the simulation waits for ever."""


class Strand:
    """What runs together and dies together: a thread of a simulated process.

    Every handle of the loop belongs to the strand in whose context it was made. Handles of a frozen strand
    wait until it goes on; those of a dead one never run.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.dead = False
        self.frozen = False
        self.held: list[_Handle] = []
        self.tasks: list[asyncio.Task[Any]] = []  # kept, so that the dead are not closed by the collector


strand: ContextVar[Strand | None] = ContextVar("simulated-strand", default=None)


class _Handle:
    """A callback: what asyncio.Handle is, without what only a loop in debug mode needs."""

    __slots__ = ("args", "callback", "context", "is_cancelled", "when")

    def __init__(
        self, callback: Callable[..., object], args: Any, context: Context | None, when: float = 0.0
    ) -> None:
        self.callback = callback
        self.args = args
        self.context = copy_context() if context is None else context
        self.is_cancelled = False
        self.when = when

    def cancel(self) -> None:
        """Never run it."""
        self.is_cancelled = True

    def cancelled(self) -> bool:
        """Whether it was cancelled."""
        return self.is_cancelled


class VirtualLoop(asyncio.BaseEventLoop):
    """Runs callbacks in an order drawn from `random`; time passes only when nothing is ready.

    `disorder` is the chance that a ready callback other than the first runs next.
    """

    def __init__(self, random: Random, *, disorder: float = 0.0) -> None:
        super().__init__()
        self._now = 0.0
        self._random = random
        self._disorder = disorder
        self._handles: list[_Handle] = []  # ready; the first is the next, or any of them
        self._timers: list[tuple[float, int, _Handle]] = []
        self._serial = 0
        self.failures: list[str] = []
        self.set_task_factory(_remembered)
        self.set_exception_handler(self._note_failure)

    def time(self) -> float:
        """Seconds since the simulation began."""
        return self._now

    def call_soon(self, callback: Any, *args: Any, context: Context | None = None) -> Any:  # type: ignore[override]
        """See asyncio."""
        handle = _Handle(callback, args, context)
        self._handles.append(handle)
        return handle

    call_soon_threadsafe = call_soon  # type: ignore[assignment]

    def call_at(self, when: float, callback: Any, *args: Any, context: Context | None = None) -> Any:  # type: ignore[override]
        """See asyncio."""
        handle = _Handle(callback, args, context, when)
        self._serial += 1
        heappush(self._timers, (when, self._serial, handle))
        return handle

    def call_later(self, delay: float, callback: Any, *args: Any, context: Context | None = None) -> Any:  # type: ignore[override]
        """See asyncio."""
        return self.call_at(self._now + delay, callback, *args, context=context)

    def _run_once(self) -> None:
        """Run until `stop`: the base class would come back after each turn."""
        while not self._stopping:  # type: ignore[attr-defined]
            handle = self._next()
            if handle.is_cancelled:
                continue
            owner = handle.context.get(strand)
            if owner is None or not (owner.dead or owner.frozen):
                self._run(handle)
            elif owner.frozen and not owner.dead:
                owner.held.append(handle)

    def _next(self) -> _Handle:
        handles = self._handles
        if not handles:
            self._let_time_pass()
        if len(handles) > 1 and self._disorder and self._random.random() < self._disorder:
            return handles.pop(self._random.randrange(len(handles)))
        return handles.pop(0)

    def _let_time_pass(self) -> None:
        timers = self._timers
        while timers and timers[0][2].is_cancelled:
            heappop(timers)
        if not timers:
            raise Stalled
        self._now = max(self._now, timers[0][0])
        while timers and timers[0][0] <= self._now:
            self._handles.append(heappop(timers)[2])

    def _run(self, handle: _Handle) -> None:
        try:
            handle.context.run(handle.callback, *handle.args)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            self.call_exception_handler({"message": f"in {handle.callback}", "exception": error})

    def thaw(self, frozen: Strand) -> None:
        """Let a frozen strand go on with everything that came for it meanwhile."""
        frozen.frozen = False
        held, frozen.held = frozen.held, []
        self._handles += held

    def _note_failure(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        self.failures.append(f"{context['message']}: {error!r}")


def _remembered(loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> asyncio.Task[Any]:
    task: asyncio.Task[Any] = asyncio.Task(coroutine, loop=loop, **options)
    context = options.get("context")
    owner = context.get(strand) if context is not None else strand.get()
    if owner is not None:
        owner.tasks.append(task)
    return task


def close_coroutines(strands: list[Strand]) -> None:
    """End what the dead left behind, without the noise that the collector would make."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # "was never awaited": its process died before that
        _close_all(strands)


def _close_all(strands: list[Strand]) -> None:
    for each in strands:
        for task in each.tasks:
            if not task.done():
                task._log_destroy_pending = False  # type: ignore[attr-defined]
                _close(task.get_coro().close)
        each.tasks.clear()


def _close(close: Callable[[], object]) -> None:
    try:
        close()
    except BaseException:
        pass
