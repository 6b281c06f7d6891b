"""What the console has seen is shown at once, however long the next look takes."""

from __future__ import annotations

import asyncio

import pytest

from durably.console.memory import STALE, Memory

SECONDS = 10.0  # for which what was seen is fresh


async def test_what_was_seen_is_shown_while_the_next_look_goes_on() -> None:
    memory, go_on = Memory(), asyncio.Event()

    async def slow() -> str:
        await go_on.wait()
        return "second"

    async def first() -> str:
        return "first"

    assert await memory.soon("it", first, SECONDS) == "first"
    memory.of("it")._at -= 2 * SECONDS  # it is older than fresh by now
    async with asyncio.timeout(5):
        assert await memory.soon("it", slow, SECONDS) == "first"
        go_on.set()
        while await memory.soon("it", slow, SECONDS) != "second":
            await asyncio.sleep(0)
    await memory.aclose()


async def test_what_is_fresh_is_not_looked_up_again() -> None:
    memory, looks = Memory(), []

    async def look() -> int:
        looks.append(1)
        return len(looks)

    assert [await memory.soon("it", look, SECONDS) for _ in range(3)] == [1, 1, 1]


async def test_what_was_seen_long_ago_is_not_shown() -> None:
    memory, looks = Memory(), []

    async def first() -> str:
        return "first"

    async def second() -> str:
        looks.append(1)
        if len(looks) == 1:  # the one in the background, which takes longer than a page waits for it
            await asyncio.Event().wait()
        return "second"

    assert await memory.soon("it", first, SECONDS) == "first"
    memory.of("it")._at -= STALE
    assert await memory.soon("it", second, SECONDS) == "second"
    await memory.aclose()


async def test_a_look_that_fails_is_told_though_something_was_seen_before() -> None:
    memory = Memory()

    async def seen() -> str:
        return "seen"

    async def down() -> str:
        raise OSError("the database is down")

    assert await memory.soon("it", seen, SECONDS) == "seen"
    memory.of("it")._at = float("-inf")
    with pytest.raises(OSError, match="is down"):
        await memory.soon("it", down, SECONDS)
