"""A long step with saved progress, and cleanup when its workflow is cancelled.

    pip install 'durably[embedded]'
    python examples/copying.py

A process that dies in the middle leaves the step to another one, which goes on behind the last page.
"""

from __future__ import annotations

import asyncio

from durably import App, Retry, aio

app = App("copying")


@app.step(retry=Retry(attempts=3), heartbeat_timeout=30)
async def copy(pages: list[str]) -> int:
    """Copy page after page; the pages before the last heartbeat are not copied again."""
    begin = await aio.saved_progress(type=int) or 0
    for number in range(begin, len(pages)):
        await aio.heartbeat(number + 1)
    return len(pages)


@app.step()
async def discard() -> None:
    """Remove what was copied."""


@app.workflow()
async def backup(pages: list[str]) -> str:
    """Copy, and leave nothing half done where it is cancelled."""
    try:
        return f"{await copy(pages)} pages"
    except asyncio.CancelledError:
        async with aio.shield():
            await discard()
        raise


async def main() -> None:
    """Copy three pages."""
    async with app:
        print(await backup(["one", "two", "three"]))


if __name__ == "__main__":
    asyncio.run(main())
