"""Dead letters: what was set aside because every attempt ended with its process, and bringing it back."""

from __future__ import annotations

from datetime import UTC, datetime

from starlette.exceptions import HTTPException
from starlette.responses import Response

from durably.console.visit import Visit, action, page
from durably.types import WorkflowFilter, WorkflowStatus

__all__ = ["PAGES"]

PAGE = 50
FARTHEST = 10_000
MOST_AT_ONCE = 10_000


@page("/dead")
async def dead(visit: Visit) -> Response:
    """The latest first, a page of them; of one workflow, if asked."""
    offset = _offset(visit.query.get("offset", "0"))
    found = await visit.client.list_dead_letters(
        _filter(visit.query.get("workflow", ""), limit=PAGE + 1, offset=offset)
    )
    return _shown(visit, found, offset)


@action("/dead/requeue")
async def requeue(visit: Visit) -> Response:
    """Bring back those that are ticked; or, said twice, all of a workflow's."""
    form = await visit.form()
    queue = str(form.get("queue", "")).strip() or None
    workflow = str(form.get("workflow", "")).strip()
    ids = [str(each) for each in form.getlist("id")]
    if "all" in form:
        wanted = _filter(workflow, limit=MOST_AT_ONCE)
        ids = await visit.client.requeue_dead_letters(wanted, queue_name=queue, dry_run=True)
        if form.get("count") != str(len(ids)):
            return await _ask(visit, workflow, queue, ids)
    if not ids:
        raise HTTPException(400, "nothing was requeued: tick the runs to requeue")
    done = await visit.act(
        "requeue",
        "workflow",
        ids,
        lambda: visit.client.requeue_dead_letters(ids, queue_name=queue),
        detail={"queue": queue},
        did=lambda requeued: f"requeued {len(requeued)} of {len(ids)}",
    )
    return visit.go("/dead", say=f"Requeued {len(done):,} of {len(ids):,}.")


async def _ask(visit: Visit, workflow: str, queue: str | None, ids: list[str]) -> Response:
    """Say how many it would be, and have it said again."""
    found = await visit.client.list_dead_letters(_filter(workflow, limit=PAGE + 1))
    return _shown(visit, found, 0, workflow=workflow, queue=queue, count=len(ids))


def _shown(
    visit: Visit,
    found: list[WorkflowStatus],
    offset: int,
    *,
    workflow: str | None = None,
    queue: str | None = None,
    count: int | None = None,
) -> Response:
    return visit.render(
        "fleet/dead.html",
        runs=found[:PAGE],
        workflow=visit.query.get("workflow", "") if workflow is None else workflow,
        queue=queue or "",
        count=count,
        most=MOST_AT_ONCE,
        before=max(0, offset - PAGE) if offset else None,
        after=offset + PAGE if len(found) > PAGE and offset + PAGE < FARTHEST else None,
        now_ms=datetime.now(UTC).timestamp() // 10 * 10_000,
    )


def _filter(workflow: str, *, limit: int, offset: int = 0) -> WorkflowFilter:
    return WorkflowFilter(
        name=workflow or None, sort_desc=True, limit=limit, offset=offset, load_input=False, load_output=False
    )


def _offset(text: str) -> int:
    if not text.isdecimal() or int(text) > FARTHEST:
        raise HTTPException(400, f"offset={text[:20]}: a whole number, {FARTHEST:,} at most")
    return int(text)


PAGES = (dead, requeue)
