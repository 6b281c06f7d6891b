"""The state of everything at a glance: figures, and what happened lately."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from durably.client._base import Part
from durably.core import checks
from durably.core.cron import Cron
from durably.errors import InvalidOption
from durably.store import overview, schedules
from durably.types import OverviewFacts, Seconds, WorkflowActivity

__all__ = ["Overviews"]

COUNTED = 10_000  # workflows that a figure counts
FAILURES = 2000  # of the newest, that are counted by name
HOUR, DAY = 3_600_000, 86_400_000  # ms
LATE = timedelta(seconds=60)  # behind its time, with its jitter, a schedule is late
MOST_READ = 2_000_000  # rows that an activity reads


class Overviews(Part):
    """What tells how things are."""

    async def get_overview(self) -> OverviewFacts:
        """Return the state of everything in figures: what runs, waits and failed, in bounded time.

        facts = await client.get_overview()
        print(facts.pending, facts.enqueued, facts.failed_last_hour)
        """
        scope, now = self._session.settings.application_name, self._session.world.now()
        since = round(now * 1000) - DAY
        call = self._session.call
        figures, failures, late = await asyncio.gather(
            call(lambda open_: overview.figures(open_.database, scope, most=COUNTED + 1)),
            call(lambda open_: overview.failures(open_.database, scope, since=since, most=FAILURES + 1)),
            call(lambda open_: schedules.listed(open_, status="ACTIVE", application_name=scope)),
        )
        return OverviewFacts(
            **figures._asdict(),
            failed_last_hour=sum((row.ended or 0) > figures.now - HOUR for row in failures),
            schedules_late=tuple(row["schedule_name"] for row in late if _is_late(row, figures.now)),
            failures=dict(Counter(row.name for row in failures[:FAILURES]).most_common()),
            failures_are_all=len(failures) <= FAILURES,
        )

    async def activity(
        self, *, seconds: Seconds = 3600, spans: int = 60, most: int = MOST_READ
    ) -> WorkflowActivity:
        """Return what was created and what ended in the last `seconds`, in `spans` of equal length.

        The last span is the present one. It reads the newest `most` rows of each kind, in 30 s at most (then
        it raises DatabaseError).

            activity = await client.activity(seconds=3600, spans=60)
            print(sum(activity.succeeded), sum(activity.failed))
        """
        length = checks.duration("seconds", seconds, zero=False) or 0.0
        many = checks.whole("spans", spans, least=1, most=2000)
        rows = checks.whole("most", most, least=1)
        span_ms = round(length * 1000 / many)
        if span_ms < 1:
            raise InvalidOption("seconds", seconds, "at least a millisecond for each span")
        ends_at = (round(self._session.world.now() * 1000) // span_ms + 1) * span_ms
        begins_at = ends_at - many * span_ms
        scope = self._session.settings.application_name
        found = await self._session.call(
            lambda open_: overview.activity(
                open_.database, scope, begins_at=begins_at, ends_at=ends_at, span_ms=span_ms, most=rows
            )
        )
        by_kind: dict[str, list[int]] = {}
        for row in found:
            by_kind.setdefault(row.kind, [0] * many)[row.span] += row.workflows
        created = by_kind.pop("created", [0] * many)
        return WorkflowActivity(
            begins_at=begins_at,
            span_ms=span_ms,
            created=tuple(created),
            succeeded=tuple(by_kind.get("SUCCESS", [0] * many)),
            failed=_sum(many, by_kind, "ERROR", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"),
            cancelled=tuple(by_kind.get("CANCELLED", [0] * many)),
            is_complete=max(sum(created), sum(map(sum, by_kind.values()))) < rows,
        )


def _sum(many: int, by_kind: dict[str, list[int]], *kinds: str) -> tuple[int, ...]:
    return tuple(map(sum, zip(*(by_kind.get(kind, [0] * many) for kind in kinds), strict=True)))


def _is_late(row: dict[str, Any], now_ms: int) -> bool:
    """Whether an active schedule has missed its time."""
    if row["last_fired_at"] is None:
        return False
    try:
        last = datetime.fromisoformat(row["last_fired_at"])
        due = Cron.read(row["schedule"], row["cron_timezone"]).after(last.astimezone(UTC))
    except (InvalidOption, ValueError):
        return False
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    return due is not None and due + LATE + timedelta(seconds=row["jitter"] or 0.0) < now
