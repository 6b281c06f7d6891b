"""What queues hold and do, as one looks at it again and again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from durably.client._base import Part
from durably.client._session import Open
from durably.core import checks
from durably.store import activity
from durably.types import Backlog, QueueActivity, Seconds, Status, StatusCounts

__all__ = ["Activity"]

MOST = 10_000


class Activity(Part):
    """What shows queues at work."""

    async def queue_activity(
        self, name: str | None = None, *, count_to: int = MOST, application_name: str | None = None
    ) -> list[QueueActivity]:
        """Return what queues hold now and did in the last hour, or one of them: cheap on any backlog.

        Also of queues that nobody has registered, while work waits or runs on them. Counts end at `count_to`.

            for queue in await client.queue_activity(): print(queue.name, queue.enqueued, queue.starts[-1])
        """
        wanted = checks.optional_address("name", name)
        most = checks.whole("count_to", count_to, least=1)
        given = checks.optional_name("application_name", application_name)
        scope = given or (self._session.settings.application_name if wanted is None else None)

        async def look(open_: Open) -> list[QueueActivity]:
            rows = await activity.queues(open_, wanted, scope, most)
            rates = await activity.rates(open_, wanted)
            return [_activity(row, [r for r in rates if r["name"] == row["name"]], most) for row in rows]

        return await self._session.call(look)

    async def count_by_status(self, *, since: Seconds = 300, count_to: int = MOST) -> StatusCounts:
        """Return how many workflows there are of each status, and how many ended in the last `since` seconds.

        Of the whole database, and cheap at any size: counts end at `count_to`, and how many have succeeded is
        the planner's estimate.

            failed = (await client.count_by_status()).ended.get("ERROR", 0)
        """
        seconds = checks.duration("since", since, zero=False) or 0.0
        most = checks.whole("count_to", count_to, least=1)
        rows = await self._session.call(lambda open_: activity.by_status(open_.database, seconds, most))
        counts: dict[str, dict[Status, int]] = {"now": {}, "ended": {}}
        for row in rows:
            counts[row["kind"]][row["status"]] = int(row["workflows"])
        return StatusCounts(**counts, seconds=seconds, counted_to=most)

    async def list_backlogs(self, name: str, *, limit: int = 20, count_to: int = 1000) -> list[Backlog]:
        """Return the partitions of a queue with the most work that waits: none if it has no partitions.

        They are the fullest of the first 300 by key; counts end at `count_to`.

            print([backlog.key for backlog in await client.list_backlogs("emails")])
        """
        queue = checks.address("name", name)
        many = checks.whole("limit", limit, least=1)
        most = checks.whole("count_to", count_to, least=1)
        rows = await self._session.call(lambda open_: activity.backlogs(open_.database, queue, most))
        return [Backlog(**row, counted_to=most) for row in rows[:many]]


def _activity(row: dict[str, Any], rates: Sequence[dict[str, Any]], most: int) -> QueueActivity:
    per_minute = {kind: [0] * activity.MINUTES for kind in ("start", "finish")}
    for rate in rates:
        per_minute[rate["kind"]][rate["minute"]] = rate["workflows"]
    return QueueActivity(
        **row,
        counted_to=most,
        starts=tuple(per_minute["start"]),
        finishes=tuple(per_minute["finish"]),
        is_estimate=any(rate["is_estimate"] for rate in rates),
    )
