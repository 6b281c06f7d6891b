"""The writer's batches, without a database."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from durably.concurrency.world import RealWorld
from durably.core.records import Record, Step
from durably.store import writer as module
from durably.store.writer import Writer


def step(number: int, output: str) -> Step:
    return Step(
        workflow_id="w",
        owner="o",
        function_id=number,
        function_name="s",
        output=output,
        started_at=0,
        completed_at=0,
    )


async def batches(outputs: Sequence[str]) -> list[int]:
    """The sizes of the batches in which these outputs are committed, all pending at once."""
    sizes: list[int] = []

    async def commit(records: Sequence[Record]) -> list[Any]:
        sizes.append(len(records))
        return [None] * len(records)

    writer = Writer(commit, RealWorld())
    writer.start()
    tickets = [writer.submit(step(number, output)) for number, output in enumerate(outputs)]
    await asyncio.gather(*(_settled(ticket) for ticket in tickets))
    await writer.stop()
    return sizes


async def _settled(ticket: Any) -> None:
    await ticket


async def test_what_is_pending_goes_together() -> None:
    assert await batches(["x"] * (module.MOST + 1)) == [module.MOST, 1]


async def test_a_batch_of_large_values_is_cut() -> None:
    assert await batches(["x" * module.LARGEST] * 3) == [1, 1, 1]
