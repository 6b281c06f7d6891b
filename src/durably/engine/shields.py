"""Scopes in which code of a cancelled run goes on: its cleanup, with operations that are recorded.

entered, then cancelled -> the run takes its token back; the code goes on, and is interrupted at the end
cancelled, then entered -> the run takes its token back; operations have numbers of their own
the last one ends       -> the token is given back

A scope that is entered by a run that stops for another reason (its process ends, another one owns it) is not
entered: whoever goes on with the run also does what is in it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from durably.core.records import Reclaim
from durably.engine.context import Frame, frame

if TYPE_CHECKING:
    from contextvars import Token

    from durably.engine.run import Run

__all__ = ["Shield", "Shields"]


class Shield:
    """One scope: `async with` on the loop, `with` on the thread of a blocking workflow."""

    def __init__(self, run: Run, seconds: float) -> None:
        self._run = run
        self._seconds = seconds
        self._token: Token[Frame | None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.late = False  # entered after the cancellation: its operations have numbers of their own
        self.over = False  # its time is up, or its run is another's
        self.task: asyncio.Task[Any] | None = None

    async def enter(self) -> None:
        """Open the scope; RunInterrupted where the run stops for another reason than a cancellation."""
        run, here = self._run, frame.get()
        if here is not None and here.shield is not None and here.shielded:
            self.late = here.shield.late
        elif run.interruption is not None:
            self.late = True
            if not await run.shields.reclaim():
                raise run.interruption
            self.begin_to_end()
        run.shields.opened(self)

    async def leave(self) -> None:
        """Close the scope: the last one gives the token back."""
        if self._timer is not None:
            self._timer.cancel()
        await self._run.shields.closed(self)

    def begin_to_end(self) -> None:
        """From now on the scope has its time, and no more."""
        if self._timer is None:
            self._timer = self._run.resources.loop.call_later(self._seconds, self._expire)

    def _expire(self) -> None:
        self.over = True
        self._run.stop(self.task)

    async def __aenter__(self) -> None:
        self.task = asyncio.current_task()
        await self.enter()
        self._token = frame.set(Frame(self._run, shield=self))

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._reset()
        await self.leave()
        if kind is None and self._must_end:
            self._run.stop(self.task)
            await asyncio.sleep(0)  # where the interruption that was put off arrives

    def __enter__(self) -> None:
        self._run.wait_for(self.enter, shield=self)
        self._token = frame.set(Frame(self._run, shield=self))

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._reset()
        self._run.wait_for(self.leave, shield=self)
        if kind is None and self._must_end and self._run.interruption is not None:
            raise self._run.interruption

    @property
    def _must_end(self) -> bool:
        """Whether the run was interrupted inside, and nothing shields it any more."""
        return self._run.interruption is not None and not self.late and not self._run.shields.active

    def _reset(self) -> None:
        if self._token is not None:
            frame.reset(self._token)


class Shields:
    """The open scopes of one run, and its token once it is cancelled."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._open: set[Shield] = set()
        self.owned = False  # the token was taken back
        self._claim: asyncio.Task[bool] | None = None
        self._deciding: asyncio.Task[None] | None = None

    @property
    def active(self) -> bool:
        """Whether there is a scope that still counts."""
        return any(not shield.over for shield in self._open)

    def opened(self, shield: Shield) -> None:
        """A scope begins."""
        self._open.add(shield)

    async def closed(self, shield: Shield) -> None:
        """A scope ends; behind the last one nothing more is recorded."""
        self._open.discard(shield)
        if self._claim is not None:
            await self._claim
        if self.owned and not self._open:
            self.owned = False
            await self._run.resources.writer.submit(self._record(back=True))

    async def wait(self) -> None:
        """Until the scopes have ended that tasks of the run, beside its main one, are in."""
        here = asyncio.current_task()
        tasks = {shield.task for shield in self._open if not shield.over and shield.task is not here}
        if others := {task for task in tasks if task is not None}:
            await asyncio.wait(others)

    def put_off(self) -> None:
        """The run is interrupted while scopes are open: they go on if it was cancelled. On the loop."""
        for shield in self._open:
            shield.begin_to_end()
        self._deciding = self._run.resources.loop.create_task(self._go_on_or_end())

    def end(self) -> None:
        """The run is another's, or its process ends: no scope counts any more."""
        for shield in self._open:
            shield.over = True

    async def reclaim(self) -> bool:
        """Take the token back, which only a cancelled run of this very process can; whether it could."""
        interruption = self._run.interruption
        if interruption is not None and interruption.cancelled is False:
            return False
        if self._claim is None:
            self._claim = self._run.resources.loop.create_task(self._reclaim())
            self._claim.add_done_callback(lambda _: setattr(self, "_claim", None))
        return await asyncio.shield(self._claim)

    async def owns(self) -> bool:
        """Whether the token was taken back; takes it back where nothing has yet."""
        return self.owned or await self.reclaim()

    async def _reclaim(self) -> bool:
        self.owned = bool(await self._run.resources.writer.submit(self._record(back=False)))
        return self.owned

    async def _go_on_or_end(self) -> None:
        if not await self.reclaim():
            self.end()
            self._run.stop()

    def _record(self, *, back: bool) -> Reclaim:
        run = self._run
        return Reclaim(workflow_id=run.workflow_id, owner=run.owner, executor_id=run.executor_id, back=back)
