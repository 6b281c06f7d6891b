"""Overview: what runs, what waits, what failed, and what needs somebody."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from starlette.responses import Response

from durably.console import charts
from durably.console.pages.runs import now
from durably.console.views import overview as view
from durably.console.views import queues as queue_view
from durably.console.visit import Visit, page
from durably.types import WorkflowFilter

__all__ = ["PAGES"]

RECENT = 8  # failures that are shown
QUEUES = 8  # queues that are shown


@page("/")
async def overview(visit: Visit) -> Response:
    """The first page."""
    client, memory = visit.client, visit.memory
    span = view.SPANS.get(visit.query.get("span", ""), view.SPANS["1h"])
    failed = partial(client.search_workflows, WorkflowFilter(status="ERROR"), limit=RECENT)
    facts, recent = await asyncio.gather(
        memory.soon("overview", client.get_overview, 1.0), memory.soon("failed", failed, 1.0)
    )
    queues, executors, findings, storage, activity = await asyncio.gather(
        memory.of("queues").latest(client.queue_activity, 2.0),
        memory.of("executors").latest(client.list_executors, 2.0),
        memory.of("findings").latest(client.diagnose, 30.0),
        memory.of("storage").latest(client.storage, 60.0),
        memory.of(f"activity {span.key}").latest(
            lambda: client.activity(seconds=span.seconds, spans=span.spans), span.fresh
        ),
    )
    return visit.render(
        "overview.html",
        tiles=view.tiles(facts, executors),
        span=span,
        spans=view.SPANS.values(),
        activity=activity,
        chart=None if activity is None else charts.throughput(activity),
        failures=view.failures(facts),
        facts=facts,
        recent=recent.workflows,
        queues=None if queues is None else _queues(queues),
        needs=None if findings is None else view.needs(findings),
        storage=storage,
        now_ms=now().timestamp() // 5 * 5000,
    )


def _queues(queues: Any) -> list[tuple[Any, queue_view.Chart]]:
    """The queues with most to do, and what each started by the minute."""
    busy = sorted(queues, key=lambda queue: (-queue.enqueued, -queue.running, queue.name))[:QUEUES]
    return [(queue, queue_view.chart(queue.finishes, width=120, height=24)) for queue in busy]


PAGES = (overview,)
