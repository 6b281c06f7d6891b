"""The end of background tasks."""

from __future__ import annotations

import asyncio
from typing import Any

__all__ = ["end"]

PATIENCE = 0.5  # seconds until a cancellation counts as lost


async def end(task: asyncio.Task[Any] | None) -> None:
    """Cancel a task and wait for its end, whatever that is; nothing to do for None.

    Before Python 3.12 `asyncio.wait_for`, which the driver waits with, may swallow a cancellation that comes
    at the moment its own wait is over: so cancel again until the task has ended.
    """
    while task is not None and not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=PATIENCE)
    if task is not None and not task.cancelled():
        task.exception()  # seen
