"""Runs: found by filter and by text, picked, and acted upon."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from urllib.parse import urlencode

from starlette.responses import Response

from durably.console.views import runs as view
from durably.console.visit import Visit, page
from durably.core.names import PAUSED_UNTIL_MS
from durably.types import SearchCounts, WorkflowFilter, WorkflowStatus

__all__ = ["PAGES", "now"]

FRESH = 2.0  # seconds for which the counts of all runs are


@page("/runs")
async def runs(visit: Visit) -> Response:
    """A page of the runs that the URL asks for."""
    asked = view.asked(visit.query, now())
    found, counts, exact = await asyncio.gather(
        visit.client.search_workflows(
            asked.filter,
            text=asked.text,
            order=asked.order,
            after=visit.query.get("after"),
            before=visit.query.get("before"),
            limit=view.LIMIT,
        ),
        _counts(visit, asked),
        _by_id(visit, asked),
    )
    return visit.render(
        "runs/list.html",
        asked=asked,
        view=view,
        found=found,
        exact=[run for run in exact if run.workflow_id not in {each.workflow_id for each in found.workflows}],
        chips=view.chips(asked, counts),
        counts=counts,
        actions=[action for action in view.ACTIONS.values() if visit.may(action.role)],
        filter_query=urlencode(asked.given),
        now_ms=now().timestamp() // 5 * 5000,
        paused_until=PAUSED_UNTIL_MS,
        is_first=not {"after", "before"} & set(visit.query),
    )


async def _counts(visit: Visit, asked: view.Asked) -> SearchCounts:
    """How many there are by status: of all runs, which is most work, those seen a moment ago will do."""
    look = partial(visit.client.count_statuses, replace(asked.filter, status=None), text=asked.text)
    if asked.text is not None or replace(asked.filter, status=None) != WorkflowFilter():
        return await look()
    return await visit.memory.soon("statuses", look, FRESH)


async def _by_id(visit: Visit, asked: view.Asked) -> tuple[WorkflowStatus, ...]:
    """Runs whose id begins with what is looked for: those an index finds, however old they are."""
    if asked.text is None or {"after", "before"} & set(visit.query):
        return ()
    return tuple(await visit.client.workflows_by_id_prefix(asked.text, limit=5))


def now() -> datetime:
    """This instant, by the clock of the console's machine."""
    return datetime.now(UTC)


PAGES = (runs,)
