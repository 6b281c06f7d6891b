"""Executors, versions, and the database itself: what carries the runs."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from starlette.exceptions import HTTPException
from starlette.responses import Response

from durably.console.views import queues as figures
from durably.console.views import storage as views
from durably.console.views.overview import SPANS
from durably.console.visit import Visit, action, page
from durably.types import WorkflowFilter

__all__ = ["PAGES"]

STRANDED = 100


@page("/executors")
async def executors(visit: Visit) -> Response:
    """Who runs workflows."""
    found = await visit.client.list_executors()
    return visit.render(
        "fleet/executors.html",
        executors=[each for each in found if each.state != "closed"],
        closed=[each for each in found if each.state == "closed"],
        now_ms=_now_ms(),
    )


@page("/versions")
async def versions(visit: Visit) -> Response:
    """Which versions there are, what is for them, and what is stranded between them."""
    client = visit.client
    known, loads, found, stranded = await asyncio.gather(
        client.list_application_versions(),
        client.version_loads(),
        client.list_executors(),
        client.list_stranded(WorkflowFilter(limit=STRANDED)),
    )
    by_version = {load.app_version: load for load in loads}
    alive: dict[str | None, int] = {}
    for each in found:
        if each.state == "alive":
            alive[each.app_version] = alive.get(each.app_version, 0) + 1
    latest = {version.application_name: version.version_name for version in reversed(known)}
    names = {version.version_name for version in known}
    return visit.render(
        "fleet/versions.html",
        versions=known,
        latest=latest,
        loads=by_version,
        alive=alive,
        unknown=[load for load in loads if load.app_version is not None and load.app_version not in names],
        stranded=stranded,
        most=STRANDED,
        now_ms=_now_ms(),
        counted=figures.counted,
    )


@action("/version/latest")
async def set_latest(visit: Visit) -> Response:
    """Let another version run what is for no version."""
    name = str((await visit.form())["name"])
    set_ = lambda: visit.client.set_latest_application_version(name)  # noqa: E731
    await visit.act("make latest", "version", name, set_)
    return visit.go(
        "/versions", say=f"{name} is the latest: its workers run what was enqueued for no version."
    )


@action("/version/move")
async def move(visit: Visit) -> Response:
    """Give stranded workflows another version."""
    form = await visit.form()
    ids = [str(each) for each in form.getlist("id")]
    if not ids:
        raise HTTPException(400, "nothing was moved: tick the runs to move")
    version = str(form.get("version", "")) or None
    moved = await visit.act(
        "move",
        "workflow",
        ids,
        lambda: visit.client.move_workflows(ids, version),
        detail={"version": version},
        did=lambda done: f"moved {len(done)} of {len(ids)}",
    )
    to = version or "whichever version is the latest"
    return visit.go("/versions", say=f"Moved {len(moved):,} of {len(ids):,} to {to}.")


@action("/version/fork")
async def fork(visit: Visit) -> Response:
    """Begin a stranded workflow anew from the operation that differs."""
    form = await visit.form()
    origin, step = str(form["id"]), str(form["step"])
    if not step.isdecimal():
        raise HTTPException(400, f"step={step}: a whole number")
    forked = await visit.act(
        "fork",
        "workflow",
        origin,
        lambda: visit.client.fork_workflow(origin, int(step)),
        detail={"start_step": int(step)},
        did=lambda handle: f"as {handle.workflow_id}",
    )
    return visit.go("/versions", say=f"Forked {origin} from operation {step} on, as {forked.workflow_id}.")


@page("/storage")
async def storage(visit: Visit) -> Response:
    """How large the tables are, and how well they are kept."""
    found = await visit.client.storage()
    return visit.render(
        "fleet/storage.html",
        storage=found,
        bars=[views.parts(table, found) for table in found.tables],
        now_ms=float(found.measured_at),
    )


@page("/storage/doctor")
async def doctor(visit: Visit) -> Response:
    """What else is wrong around the tables: asked for behind the page, for it may take some seconds."""
    return visit.render("fleet/doctor.html", findings=await visit.client.diagnose())


@page("/storage/growth")
async def growth(visit: Visit) -> Response:
    """How fast the tables grow: asked for behind the page, as a week of runs is counted for it."""
    week = SPANS["7d"]
    found, activity = await asyncio.gather(
        visit.memory.soon("storage", visit.client.storage, 60.0),
        visit.memory.soon(
            f"activity {week.key}",
            lambda: visit.client.activity(seconds=week.seconds, spans=week.spans),
            week.fresh,
        ),
    )
    grown = views.growth(activity, found)
    chart = None if grown is None else figures.chart(grown.by_day, width=7 * 20, height=60)
    return visit.render("fleet/growth.html", growth=grown, chart=chart)


def _now_ms() -> float:
    return datetime.now(UTC).timestamp() // 1 * 1000


PAGES = (executors, versions, set_latest, move, fork, storage, doctor, growth)
