"""Cleanup code of a cancelled workflow."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from durably.core import checks
from durably.engine.context import current_run
from durably.types import Seconds

__all__ = ["shield"]


def shield(timeout: Seconds = 30.0) -> AbstractAsyncContextManager[None]:
    """A scope whose code goes on when its workflow is cancelled, and whose operations are recorded.

    Entered before the cancellation it puts that off until its end; entered after it, in a `finally` or
    `except`, it is the cleanup, and its operations are numbered from 1,000,000,001 on, apart from the
    others, so that a resumed workflow begins where it was. `timeout` is how many seconds it has once the
    workflow is cancelled. A run that stops because its process ends, or because another goes on with it,
    does not enter the scope: RunInterrupted is raised in its place, and the cleanup is left to whoever goes
    on. Cleanup is tried once: a process that dies during it leaves the rest undone.

        try:
            await charge(order)
            await ship(order)
        except BaseException:
            async with aio.shield():
                await refund(order)
            raise
    """
    seconds = checks.duration("timeout", timeout, zero=False)
    return current_run().shield(30.0 if seconds is None else seconds)
