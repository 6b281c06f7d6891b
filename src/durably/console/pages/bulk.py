"""Many runs at once: what would be done is counted and shown first, then done as a job that can be stopped.

POST /runs/confirm   finds the runs, and shows how many and which; remembers them as a plan
POST /runs/begin     begins the plan's job: exactly those runs, skipping what has changed since
GET  /runs/job?id=   how far it is; POST /runs/stop ends it after its batch
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from urllib.parse import parse_qsl, urlencode

from starlette.exceptions import HTTPException
from starlette.responses import Response

from durably.client import AsyncDBOSClient
from durably.console.jobs import MOST, Act, Job
from durably.console.pages.runs import now
from durably.console.views import runs as view
from durably.console.visit import Visit, action, page
from durably.errors import DurablyError, WorkflowError
from durably.types import Status, WorkflowFilter

__all__ = ["PAGES"]

SAMPLE = 10  # runs that are shown before


@action("/runs/confirm")
async def confirm(visit: Visit) -> Response:
    """What would be done, to how many, and which for example."""
    form = await visit.form()
    wanted = _action(visit, str(form.get("verb", "")))
    query = dict(parse_qsl(str(form.get("filter", ""))))
    picked = [str(each) for each in form.getlist("id")]
    chosen, others = await _chosen(visit.client, wanted, query, picked)
    plan = visit.jobs.plan(who=visit.user.name, verb=wanted.verb, ids=chosen[:MOST], back=_back(query))
    sample = await visit.client.search_workflows(WorkflowFilter(workflow_ids=chosen[:SAMPLE] or [""]))
    return visit.render(
        "runs/confirm.html",
        action=wanted,
        plan=plan,
        count=min(len(chosen), MOST),
        is_capped=len(chosen) > MOST,
        most=MOST,
        others=others,
        picked=bool(picked),
        query=query,
        sample=sample.workflows,
        now_ms=now().timestamp() * 1000,
    )


@action("/runs/begin")
async def begin(visit: Visit) -> Response:
    """Begin what was confirmed."""
    form = await visit.form()
    plan = visit.jobs.take(str(form.get("plan", "")), visit.user.name)
    if plan is None:
        raise HTTPException(
            409, "this was begun already, or is older than ten minutes: choose the runs again"
        )
    wanted = _action(visit, plan.verb)
    act = _ACTS[wanted.verb](visit, wanted, str(form.get("reason", "")).strip() or None)
    job = visit.jobs.begin(plan, work=lambda job: _worked(visit, job, act))
    return visit.go(f"/runs/job?{urlencode({'id': job.job_id})}")


@page("/runs/job")
async def job(visit: Visit) -> Response:
    """How far a job is, or what it did."""
    return visit.render("runs/job.html", job=_job(visit, visit.asked("id")), action=view.ACTIONS)


@action("/runs/stop")
async def stop(visit: Visit) -> Response:
    """Let a job do no further batch."""
    found = _job(visit, str((await visit.form()).get("id", "")))
    await visit.act("stop", "job", found.job_id, lambda: _stopped(found))
    return visit.go(f"/runs/job?{urlencode({'id': found.job_id})}")


async def _chosen(
    client: AsyncDBOSClient, wanted: view.BulkAction, query: dict[str, str], picked: Sequence[str]
) -> tuple[list[str], int]:
    """The ids that the action would do something to, and how many more were picked."""
    if picked:
        base = WorkflowFilter(workflow_ids=picked, status=wanted.statuses)
        ids = await client.delete_workflows(_suiting(base, wanted), dry_run=True)
        return ids, len(set(picked)) - len(ids)
    asked = view.asked(query, now())
    chosen = _suiting(replace(asked.filter, status=_both(asked, wanted)), wanted)
    if asked.text is None:
        page = replace(chosen, limit=MOST + 1, sort_desc=True)
        return (await client.delete_workflows(page, dry_run=True) if chosen.status else []), 0
    return await _with_text(client, chosen, asked.text), 0


async def _with_text(client: AsyncDBOSClient, chosen: WorkflowFilter, text: str) -> list[str]:
    """The ids of those in which a text occurs, however far one has to look."""
    ids: list[str] = []
    after: str | None = None
    while len(ids) <= MOST:
        found = await client.search_workflows(chosen, text=text, after=after, limit=1000)
        ids += [run.workflow_id for run in found.workflows]
        after = found.after or found.further
        if after is None:
            return ids
    return ids


def _both(asked: view.Asked, wanted: view.BulkAction) -> tuple[Status, ...]:
    """The statuses that are asked for and can be acted upon."""
    given = asked.filter.status
    if given is None:
        return wanted.statuses
    return tuple(status for status in wanted.statuses if status in given)


def _suiting(chosen: WorkflowFilter, wanted: view.BulkAction) -> WorkflowFilter:
    """Only paused ones are unpaused; only those that are not are paused."""
    is_paused = {"unpause": True, "pause": False}.get(wanted.verb)
    return chosen if is_paused is None else replace(chosen, is_paused=is_paused)


async def _worked(visit: Visit, job: Job, act: Act) -> None:
    """Do a job, and have the audit say what it did."""

    async def call() -> str:
        await job.run(act)
        if job.state == "failed":
            raise DurablyError(job.told())
        return job.told()

    await visit.act(job.verb, "workflow", job.ids, call, detail={"runs": job.total}, did=str)


async def _stopped(job: Job) -> None:
    job.stop()


def _action(visit: Visit, verb: str) -> view.BulkAction:
    if (wanted := view.ACTIONS.get(verb)) is None:
        raise HTTPException(400, f"there is no action {verb!r}")
    if not visit.may(wanted.role):
        raise HTTPException(
            403, f"{visit.user.name} is a {visit.user.role}; this needs the role {wanted.role}"
        )
    return wanted


def _job(visit: Visit, job_id: str) -> Job:
    if (found := visit.jobs.get(job_id)) is None:
        raise HTTPException(404, "no such job, or the console was started anew since: see the audit")
    return found


def _back(query: dict[str, str]) -> str:
    return f"/runs?{urlencode(query)}" if query else "/runs"


def _these(ids: Sequence[str], wanted: view.BulkAction) -> WorkflowFilter:
    """A batch, without those whose status has changed since."""
    return WorkflowFilter(workflow_ids=ids, status=wanted.statuses)


def _cancel(visit: Visit, wanted: view.BulkAction, reason: str | None) -> Act:
    return lambda ids: visit.client.cancel_workflows(_these(ids, wanted))


def _pause(visit: Visit, wanted: view.BulkAction, reason: str | None) -> Act:
    who = visit.user.name
    return lambda ids: visit.client.pause_workflows(_these(ids, wanted), reason=reason, paused_by=who)


def _unpause(visit: Visit, wanted: view.BulkAction, reason: str | None) -> Act:
    return lambda ids: visit.client.unpause_workflows(_these(ids, wanted))


def _resume(visit: Visit, wanted: view.BulkAction, reason: str | None) -> Act:
    async def act(ids: Sequence[str]) -> Sequence[str]:
        return [each.workflow_id for each in await visit.client.resume_workflows(_these(ids, wanted))]

    return act


def _fork(visit: Visit, wanted: view.BulkAction, reason: str | None) -> Act:
    async def act(ids: Sequence[str]) -> Sequence[str]:
        able = await visit.client.delete_workflows(_these(ids, wanted), dry_run=True)
        return [each for each in able if await _forked(visit.client, each)]

    return act


async def _forked(client: AsyncDBOSClient, workflow_id: str) -> bool:
    """One by one: one that cannot be forked keeps no other from it."""
    try:
        await client.fork_workflow(workflow_id, "failure")
    except WorkflowError:
        return False
    return True


def _delete(visit: Visit, wanted: view.BulkAction, reason: str | None) -> Act:
    return lambda ids: visit.client.delete_workflows(_these(ids, wanted))


_ACTS: dict[str, Callable[[Visit, view.BulkAction, str | None], Act]] = {
    "cancel": _cancel,
    "pause": _pause,
    "unpause": _unpause,
    "resume": _resume,
    "requeue": _resume,
    "fork": _fork,
    "delete": _delete,
}

PAGES = (confirm, begin, job, stop)
