"""Queues: many documents, indexed a few at a time, by as many workers as there are.

    pip install 'durably[embedded,cli]'
    python examples/indexing.py
    durably worker examples/indexing.py:app       # and as many of these as you like, on any machine

Each document is a workflow of its own, so a crash costs the document that was under way, and no other.
"""

from __future__ import annotations

import asyncio

from durably import App

app = App("indexing")
queue = app.queue("documents", concurrency=4)  # over all workers; worker_concurrency limits each


@app.step()
async def words(text: str) -> int:
    """Read one document."""
    return len(text.split())


@app.workflow()
async def index(text: str) -> int:
    """What the queue holds: one document."""
    return await words(text)


@app.workflow()
async def index_all(texts: list[str]) -> int:
    """Enqueue every document, then wait for all of them."""
    handles = [await queue.enqueue(index, text) for text in texts]
    counts = await asyncio.gather(*(handle.get_result() for handle in handles))
    return sum(counts)


async def main() -> None:
    """Index three documents."""
    async with app:
        texts = ["to be or not to be", "call me Ishmael", "it was a dark and stormy night"]
        print(await index_all.options(workflow_id="index-1")(texts))


if __name__ == "__main__":
    asyncio.run(main())
