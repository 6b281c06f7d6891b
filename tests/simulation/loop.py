"""An event loop with virtual time: waiting costs nothing, and a seed orders what is ready."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable
from contextvars import ContextVar
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
        self.held: list[asyncio.Handle] = []
        self.tasks: list[asyncio.Task[Any]] = []  # kept, so that the dead are not closed by the collector


strand: ContextVar[Strand | None] = ContextVar("simulated-strand", default=None)


class _Ready:
    """The loop's queue of ready handles: first in, first out, or any of them, as the seed has it."""

    def __init__(self, random: Random, disorder: float) -> None:
        self._random = random
        self._disorder = disorder
        self._handles: list[asyncio.Handle] = []
        self._nothing = asyncio.Handle(lambda: None, (), _NoLoop())  # type: ignore[arg-type]
        self._nothing.cancel()

    def __len__(self) -> int:
        return len(self._handles)

    def append(self, handle: asyncio.Handle) -> None:
        self._handles.append(handle)

    def clear(self) -> None:
        self._handles.clear()

    def popleft(self) -> asyncio.Handle:
        index = 0
        if len(self._handles) > 1 and self._random.random() < self._disorder:
            index = self._random.randrange(len(self._handles))
        handle = self._handles.pop(index)
        owner: Strand | None = handle._context.get(strand)  # type: ignore[attr-defined]
        if owner is None or not (owner.dead or owner.frozen):
            return handle
        if owner.frozen:
            owner.held.append(handle)
        return self._nothing


class _NoLoop:
    def get_debug(self) -> bool:
        return False


class _Clockwork:
    """In the place of a selector: there is no I/O, and waiting moves the clock."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> list[Any]:
        if timeout is None:
            raise Stalled
        self._loop.advance(timeout)
        return []


class VirtualLoop(asyncio.BaseEventLoop):
    """Runs callbacks in an order drawn from `random`; time passes only when nothing is ready.

    `disorder` is the chance that a ready callback other than the first runs next.
    """

    def __init__(self, random: Random, *, disorder: float = 0.0) -> None:
        super().__init__()
        self._now = 0.0
        self._selector = _Clockwork(self)
        self._ready = _Ready(random, disorder)
        self._clock_resolution = 1e-9
        self.failures: list[str] = []
        self.set_task_factory(_remembered)
        self.set_exception_handler(self._note_failure)

    def time(self) -> float:
        """Seconds since the simulation began."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let virtual time pass."""
        self._now += seconds

    def thaw(self, frozen: Strand) -> None:
        """Let a frozen strand go on with everything that came for it meanwhile."""
        frozen.frozen = False
        held, frozen.held = frozen.held, []
        for handle in held:
            self._ready.append(handle)

    def _process_events(self, event_list: list[Any]) -> None:
        pass

    def _write_to_self(self) -> None:
        pass

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
