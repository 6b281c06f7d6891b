"""An idle process with many queues asks next to nothing."""

from __future__ import annotations

import asyncio

import pytest

from durably.app import App
from tests.engine.support import Statements

SECONDS = 6


async def test_a_hundred_idle_queues_cost_one_query_a_second(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = App("idle", system_database_url=database_url)
    for n in range(100):
        app.queue(f"q{n}", concurrency=5)
    asked = Statements(monkeypatch)
    async with app:
        await asyncio.sleep(3)  # until the pulse has slowed down; nothing tells of it
        asked.trips.clear()
        await asyncio.sleep(SECONDS)
        assert {trip[0] for trip in asked.trips} >= {"hub/pulse", "executors/beat"}
        assert len(asked.trips) <= SECONDS + 1, asked.trips  # a beat and a sweep may both fall into it
