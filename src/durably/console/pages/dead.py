"""Dead letters: what was set aside because every attempt ended with its process, and bringing it back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from starlette.exceptions import HTTPException
from starlette.responses import Response

from durably.console.visit import Visit, action, page
from durably.types import WorkflowFilter, WorkflowStatus

__all__ = ["PAGES"]

PAGE = 50
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOST_AT_ONCE = 10_000


@page("/dead")
async def dead(visit: Visit) -> Response:
    """The latest first, a page of them; of one workflow, if asked."""
    before, skip = _number(visit, "before"), _number(visit, "skip") or 0
    wanted = _filter(visit.query.get("workflow", ""), limit=PAGE + 1, before=before, skip=skip)
    return _shown(visit, await visit.client.list_dead_letters(wanted), before=before, skip=skip)


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
    return _shown(visit, found, workflow=workflow, queue=queue, count=len(ids))


def _shown(
    visit: Visit,
    found: list[WorkflowStatus],
    *,
    before: int | None = None,
    skip: int = 0,
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
        is_first=before is None,
        older=_older(found[:PAGE], before, skip) if len(found) > PAGE else None,
        now_ms=datetime.now(UTC).timestamp() // 1 * 1000,
    )


def _filter(workflow: str, *, limit: int, before: int | None = None, skip: int = 0) -> WorkflowFilter:
    """Those made at an instant or before it, without the first ones of that very instant."""
    return WorkflowFilter(
        name=workflow or None,
        end_time=None if before is None else EPOCH + timedelta(milliseconds=before),
        offset=skip,
        sort_desc=True,
        limit=limit,
        load_input=False,
        load_output=False,
    )


def _older(shown: list[WorkflowStatus], before: int | None, skip: int) -> dict[str, int]:
    """Where the next page begins: at the last one's instant, behind those of it that were shown."""
    last = shown[-1].created_at
    alike = sum(run.created_at == last for run in shown)
    return {"before": last, "skip": alike + (skip if last == before else 0)}


def _number(visit: Visit, name: str) -> int | None:
    text = visit.query.get(name, "")
    if not text:
        return None
    if not text.isdecimal() or len(text) > 15:
        raise HTTPException(400, f"{name}={text[:20]}: a whole number")
    return int(text)


PAGES = (dead, requeue)
