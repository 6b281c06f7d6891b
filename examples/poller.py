"""An endless workflow: a poller that begins anew after each page, so that it never has much to replay.

    pip install 'durably[embedded]'
    python examples/poller.py

Its id stays the same, and so does who waits for it; each generation is a finished workflow of its own.
"""

from __future__ import annotations

import asyncio

from durably import App, aio

app = App("poller")

PAGES = [["apples", "pears"], ["plums"], []]


@app.step()
async def fetch(page: int) -> list[str]:
    """Ask the shop what is new; here it is known."""
    return PAGES[page]


@app.workflow()
async def poll(page: int = 0, found: int = 0) -> int:
    """Read one page, wait, and begin anew with the next one, until there is none."""
    items = await fetch(page)
    if not items:
        return found
    await aio.sleep(0.01)
    poll.continue_as_new(page + 1, found + len(items))


async def main() -> None:
    """Start it, wait for it, and look at its generations."""
    async with app:
        handle = await poll.options(workflow_id="shop").start()
        print(await handle.get_result())
        for run in await app.client.list_workflow_generations("shop"):
            print(run.workflow_id, run.status)


if __name__ == "__main__":
    asyncio.run(main())
