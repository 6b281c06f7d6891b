"""A rate limit is kept in every window, and used: by several processes, one of which is killed at times."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from itertools import pairwise

import pytest

from durably import AsyncDBOSClient, EnqueueOptions, RateLimit
from tests.engine.support import eventually, rows
from tests.queues.test_histories import NOT_OVER, ours

LIMIT, PERIOD, WINDOWS = 40, 4.0, 5


@pytest.mark.timeout(150)
async def test_a_rate_is_never_exceeded_and_used_to_95_percent_while_processes_die(database_url: str) -> None:
    seen: set[tuple[str, int]] = set()

    def begun(many: int) -> bool:
        query = "SELECT workflow_uuid, started_at_epoch_ms FROM durably.queue_starts"
        seen.update(rows(database_url, query))
        return len(seen) > many

    with ExitStack() as exits:
        async with AsyncDBOSClient.create(system_database_url=database_url) as client:
            await client.register_queue("q", limiter=RateLimit(limit=LIMIT, period=PERIOD))
            executors = [ours(database_url) for _ in range(3)]
            for executor in executors:
                exits.callback(executor.end)
                executor.wait_until_ready()
            job: EnqueueOptions[..., None] = EnqueueOptions(workflow_name="job", queue_name="q")
            await client.enqueue_many([(job, (20,))] * (LIMIT * WINDOWS))
            for window in range(1, WINDOWS):
                await eventually(partial(begun, LIMIT * window), seconds=60)
                executors[window % 3].replace()
            await eventually(lambda: begun(0) and rows(database_url, NOT_OVER)[0][0] == 0, seconds=60)
    starts = sorted(at for _, at in seen)
    assert len(starts) >= LIMIT * WINDOWS
    for first, beyond in zip(starts, starts[LIMIT:], strict=False):
        assert beyond - first >= PERIOD * 1000
    full = (
        len(starts) // LIMIT - 1
    )  # windows between the first start and the one that begins the last of them
    took = (starts[full * LIMIT] - starts[0]) / 1000
    assert full * PERIOD / took >= 0.95, [later - earlier for earlier, later in pairwise(starts[::LIMIT])]
