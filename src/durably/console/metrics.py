"""Metrics of the whole database, for Prometheus: `/metrics` of the console, with every worker down too.

    Starlette(routes=metrics.routes(client))

What a worker knows of itself it tells itself (`integrations.health`); here is what the rows say. Everything
is read through the client, and counts are capped or estimated, so that a scrape costs the same at a million
runs. Scrapes share one reading for `FRESH` seconds. A part that fails is told by `durably_scrape_errors`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from time import monotonic

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from durably.client import AsyncDBOSClient
from durably.console.access import Access
from durably.console.api.caller import caller
from durably.core.cron import Cron
from durably.errors import DurablyError, InvalidOption
from durably.types import Schedule, WorkflowFilter

__all__ = ["MetricsPage", "console_routes", "routes"]

logger = logging.getLogger(__name__)

FRESH = 5.0  # seconds
MOST = 10_000  # a count's end
WINDOW = 300  # seconds of which ended workflows are counted
LATE = timedelta(seconds=60)  # beyond its jitter, after which a schedule that has not fired is late

Part = Callable[[AsyncDBOSClient], Awaitable[list[Metric]]]


def routes(client: AsyncDBOSClient | Callable[[], Awaitable[AsyncDBOSClient]]) -> list[Route]:
    """The route `/metrics` on a client, or on what connects one when it is first needed."""
    return [Route("/metrics", MetricsPage(client).answer)]


def console_routes(access: Access, connect: Callable[[], Awaitable[AsyncDBOSClient]]) -> list[Route]:
    """The same for those whom a console knows, and for programs with a token (`Authorization: Bearer`)."""
    page = MetricsPage(connect)

    async def answer(request: Request) -> Response:
        try:
            known = await caller(request, access, await connect())
        except DurablyError as error:
            return Response(f"nobody can be known now: {error}", 503)
        if known is None:
            return Response(UNKNOWN, 401, {"www-authenticate": "Bearer"})
        return await page.answer()

    return [Route("/metrics", answer)]


class MetricsPage:
    """Reads the database at most every `FRESH` seconds, whoever asks."""

    def __init__(self, client: AsyncDBOSClient | Callable[[], Awaitable[AsyncDBOSClient]]) -> None:
        self._client = client
        self._reading = asyncio.Lock()
        self._read_at = -FRESH
        self._text = b""

    async def answer(self, _: Request | None = None) -> Response:
        """The exposition; a database that cannot be reached is a metric too."""
        async with self._reading:
            if monotonic() - self._read_at >= FRESH:
                self._text, self._read_at = await self._read(), monotonic()
        return Response(
            self._text, headers={"content-type": CONTENT_TYPE_LATEST, "cache-control": "no-store"}
        )

    async def _read(self) -> bytes:
        began, found, failed = monotonic(), [], 0
        try:
            client = self._client if isinstance(self._client, AsyncDBOSClient) else await self._client()
        except DurablyError as error:
            logger.warning("metrics wait for the database: %s", error)
            return _exposition([_gauge("durably_database_up", UP, 0)])
        parts = await asyncio.gather(*(part(client) for part in PARTS), return_exceptions=True)
        for part in parts:
            if isinstance(part, list):
                found += part
            elif isinstance(part, Exception):
                logger.warning("a part of the metrics cannot be read: %s", part)
                failed += 1
            else:
                raise part
        return _exposition(
            [
                *found,
                _gauge("durably_database_up", UP, failed < len(PARTS)),
                _gauge("durably_scrape_errors", "Parts of these metrics that could not be read", failed),
                _gauge("durably_scrape_seconds", "How long the database was read", monotonic() - began),
            ]
        )


UP = "1 if the database answers"
UNKNOWN = "metrics are for those whom this console knows: send the header Authorization: Bearer <token>\n"


async def _workflows(client: AsyncDBOSClient) -> list[Metric]:
    counts = await client.count_by_status(since=WINDOW, count_to=MOST)
    now = GaugeMetricFamily(
        "durably_workflows", f"Workflows now: up to {MOST}, SUCCESS an estimate", labels=["status"]
    )
    ended = GaugeMetricFamily(
        "durably_workflows_ended_lately", f"Ended in the last {WINDOW} s, up to {MOST}", labels=["status"]
    )
    for status, workflows in counts.now.items():
        now.add_metric([status], workflows)
        ended.add_metric([status], counts.ended.get(status, 0))
    dead = counts.now["MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
    return [
        now,
        ended,
        _gauge("durably_dead_letters", "Workflows set aside for their processes' deaths", dead),
    ]


async def _queues(client: AsyncDBOSClient) -> list[Metric]:
    of = {
        name: GaugeMetricFamily(f"durably_queue_{name}", what, labels=["queue"])
        for name, what in (
            ("enqueued", f"Workflows that wait for a place, up to {MOST}"),
            ("delayed", f"Workflows that wait for their time, up to {MOST}"),
            ("running", f"Workflows that run, up to {MOST}"),
            ("oldest_seconds", "How long the oldest of those that wait for a place has"),
            ("started_lately", "Starts in the last five minutes, in part estimated"),
            ("finished_lately", "Ends in the last five minutes, in part estimated"),
            ("paused", "1 where the queue is paused"),
            ("unregistered", "1 where work waits and nobody has registered the queue"),
        )
    }
    paused = {queue.name for queue in await client.list_queues() if queue.pauses}
    for queue in await client.queue_activity(count_to=MOST):
        oldest = queue.oldest_enqueued_at
        for name, value in (
            ("enqueued", queue.enqueued),
            ("delayed", queue.delayed),
            ("running", queue.running),
            ("oldest_seconds", 0 if oldest is None else max(0, queue.measured_at - oldest) / 1000),
            ("started_lately", sum(queue.starts[-5:])),
            ("finished_lately", sum(queue.finishes[-5:])),
            ("paused", queue.name in paused),
            ("unregistered", not queue.is_registered),
        ):
            of[name].add_metric([queue.name], float(value))
    return [*of.values()]


async def _executors(client: AsyncDBOSClient) -> list[Metric]:
    family = GaugeMetricFamily(
        "durably_executors",
        "Processes: alive, expired (their work is taken over), or of DBOS (no lease)",
        labels=["application", "state"],
    )
    counts: dict[tuple[str, str], int] = {}
    for executor in await client.list_executors():
        if executor.state != "closed":
            key = executor.application_name or "", executor.state
            counts[key] = counts.get(key, 0) + 1
            counts.setdefault((key[0], "alive"), 0)
    for (application, state), processes in sorted(counts.items()):
        family.add_metric([application, state], processes)
    return [family]


async def _stranded(client: AsyncDBOSClient) -> list[Metric]:
    found = await client.list_stranded(WorkflowFilter(limit=MOST))
    return [_gauge("durably_stranded", f"Workflows that no code here fits, up to {MOST}", len(found))]


async def _schedules(client: AsyncDBOSClient) -> list[Metric]:
    family = GaugeMetricFamily(
        "durably_schedules", "Schedules: on time, late, paused, or with a problem", labels=["state"]
    )
    now = datetime.now(UTC)
    states = [schedule_state(schedule, now) for schedule in await client.list_schedules()]
    for state in ("on time", "late", "paused", "problem"):
        family.add_metric([state], states.count(state))
    return [family]


async def _storage(client: AsyncDBOSClient) -> list[Metric]:
    storage = await client.storage()
    size, rows, dead = (
        GaugeMetricFamily(f"durably_table_{name}", what, labels=["schema", "table"])
        for name, what in (
            ("bytes", "Size with indexes and TOAST"),
            ("rows", "Rows, estimated"),
            ("dead_rows", "Rows that VACUUM has not removed, estimated"),
        )
    )
    for table in storage.tables:
        for family, value in ((size, table.total_bytes), (rows, table.rows), (dead, table.dead_rows)):
            family.add_metric([table.schema, table.name], value)
    return [_gauge("durably_database_bytes", "Size of the database", storage.bytes), size, rows, dead]


PARTS: tuple[Part, ...] = (_workflows, _queues, _executors, _stranded, _schedules, _storage)


def schedule_state(schedule: Schedule, now: datetime) -> str:
    """`on time`, `late` (its tick is over and did not fire), `paused` or `problem`."""
    if schedule.status != "ACTIVE":
        return "paused"
    if schedule.problem is not None:
        return "problem"
    try:
        fired = datetime.fromisoformat(schedule.last_fired_at or "")
        due = Cron.read(schedule.schedule, schedule.cron_timezone).after(fired)
    except (ValueError, InvalidOption):
        return "on time"  # it has not fired yet
    late = due is not None and due + LATE + timedelta(seconds=schedule.jitter) < now
    return "late" if late else "on time"


def _gauge(name: str, what: str, value: float) -> Metric:
    return GaugeMetricFamily(name, what, float(value))


def _exposition(metrics: Iterable[Metric]) -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Read(metrics))
    return generate_latest(registry)


class _Read(Collector):
    """What was read, as a collector."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        yield from self._metrics
