"""The hub tells nobody what was looked up before it asked."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from durably.concurrency.world import RealWorld
from durably.core.ports import Ready, ResultRow, Wait
from durably.store.hub import Hub

WAIT = Wait("result", "w")


def ended(output: str) -> Ready:
    return Ready(results=[ResultRow("w", "SUCCESS", output, None, "portable_json")])


async def test_who_comes_during_a_query_waits_for_the_next() -> None:
    """Its workflow may have been rewound between the query's snapshot and the call."""
    answers: asyncio.Queue[Ready] = asyncio.Queue()
    asked: asyncio.Queue[Sequence[Wait]] = asyncio.Queue()

    async def poll(waits: Sequence[Wait]) -> Ready:
        asked.put_nowait(waits)
        return await answers.get()

    hub = Hub(poll, RealWorld())
    hub.start()
    async with asyncio.timeout(10):
        with hub.watch(WAIT) as early:
            assert await asked.get() == [WAIT]
            with hub.watch(WAIT) as late:
                answers.put_nowait(ended("old"))
                assert (await early).output == "old"
                assert await asked.get() == [WAIT]
                assert not late.done()
                answers.put_nowait(ended("new"))
                assert (await late).output == "new"
    await hub.stop()


async def test_the_first_waiter_is_asked_for_also_when_it_has_just_looked() -> None:
    async def poll(waits: Sequence[Wait]) -> Ready:
        return ended("there")

    hub = Hub(poll, RealWorld())
    hub.start()
    for _ in range(3):
        async with asyncio.timeout(10):
            with hub.watch(WAIT, ask=False) as future:
                assert (await future).output == "there"
    await hub.stop()
