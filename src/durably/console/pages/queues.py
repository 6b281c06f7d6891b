"""Queues: what they hold and do, their limits, and letting them run or rest."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from durably.console.views import queues as views
from durably.console.visit import Visit, action, page
from durably.core.limits import limited_queue
from durably.errors import InvalidOption, NoSuchQueue, QueueOwned
from durably.types import QueueInfo, RateLimit

__all__ = ["PAGES"]

WHOLE = ("concurrency", "worker_concurrency", "partition_concurrency", "partition_worker_concurrency")
RATES = ("limiter", "partition_limiter")
REASON = 200  # characters
FRESH = 1.0  # seconds for which what all queues hold is


@page("/queues")
async def queues(visit: Visit) -> Response:
    """All of them."""
    known, now = await asyncio.gather(
        visit.client.list_queues(), visit.memory.soon("queues", visit.client.queue_activity, FRESH)
    )
    by_name = {queue.name: queue for queue in known}
    rows = [
        {
            "queue": by_name[each.name],
            "now": each,
            "uses": views.uses(by_name[each.name], each),
            "chart": views.chart(each.finishes, width=120, height=24),
        }
        for each in now
        if each.name in by_name
    ]
    lost = [each for each in now if not each.is_registered and not each.name.startswith("_dbos_")]
    shown_at = now[0].measured_at // 1000 * 1000 if now else 0
    return visit.render(
        "queues/list.html", rows=rows, lost=lost, now_ms=shown_at, counted=views.counted, rate=views.rate
    )


@page("/queue")
async def queue(visit: Visit) -> Response:
    """One of them, registered or not."""
    name = visit.asked("name")
    client = visit.client
    (now,), executors, backlogs = await asyncio.gather(
        client.queue_activity(name), client.list_executors(), client.list_backlogs(name)
    )
    known = await client.get_queue(name) if now.is_registered else None
    if known is None and not (now.enqueued or now.running or now.delayed):
        raise NoSuchQueue(name)
    return visit.render(
        "queues/one.html",
        name=name,
        queue=known,
        now=now,
        uses=views.uses(known, now) if known else [],
        chart=views.chart(now.finishes, now.starts, width=720, height=120),
        backlogs=backlogs,
        executors={each.executor_id: each for each in executors},
        alive=[each for each in executors if each.state == "alive"],
        now_ms=now.measured_at // 1000 * 1000,
        counted=views.counted,
    )


@page("/queue/edit", role="operator")
async def edit(visit: Visit) -> Response:
    """The form that registers a queue, or changes one."""
    name = visit.query.get("name")
    known = await _known(visit, name) if name else None
    return _form(visit, known, name or "", _shown(known) if known else {})


@action("/queue/edit")
async def save(visit: Visit) -> Response:
    """Register a queue, or change the limits that the form changed; others stay as they are by now."""
    form = await visit.form()
    given = {field: str(value).strip() for field, value in form.items()}
    name = given.get("name", "")
    known = await _known(visit, name)
    try:
        if given.get("new") and known is not None:
            raise InvalidOption(
                "name", name, "this queue is registered already: open it to change its limits"
            )
        done = await _register(visit, name, given) if known is None else await _change(visit, known, given)
    except (InvalidOption, QueueOwned) as error:
        return _form(visit, None if given.get("new") else known, name, given, error)
    return visit.go(_path(name), say=done)


@action("/queue/pause")
async def pause(visit: Visit) -> Response:
    """Take nothing more from a queue; drained, what runs is let end first."""
    form = await visit.form()
    name, worker = str(form["name"]), str(form.get("executor", "")) or None
    reason, who = str(form.get("reason", "")).strip()[:REASON] or None, visit.user.name
    where = f"on {worker}" if worker else "everywhere"
    if "drain" in form:
        drain = lambda: visit.client.drain_queue(  # noqa: E731
            name, executor_id=worker, reason=reason, paused_by=who, timeout=0
        )
        detail = {"reason": reason, "executor": worker}
        empty = await visit.act("drain", "queue", name, drain, detail=detail)
        left = "nothing of it runs" if empty else "what runs goes on to its end; nothing new starts"
        return visit.go(_path(name), say=f"Draining {name} {where}: {left}.")
    await visit.act(
        "pause",
        "queue",
        name,
        lambda: visit.client.pause_queue(name, executor_id=worker, reason=reason, paused_by=who),
        detail={"reason": reason, "executor": worker},
    )
    return visit.go(_path(name), say=f"Paused {name} {where}.")


@action("/queue/resume")
async def resume(visit: Visit) -> Response:
    """Take from a queue again."""
    form = await visit.form()
    name, worker = str(form["name"]), str(form.get("executor", "")) or None
    was_paused = await visit.act(
        "resume",
        "queue",
        name,
        lambda: visit.client.resume_queue(name, executor_id=worker),
        detail={"executor": worker},
    )
    where = f" on {worker}" if worker else ""
    return visit.go(_path(name), say=f"Resumed {name}{where}." if was_paused else f"{name} was not paused.")


@action("/queue/delete")
async def delete(visit: Visit) -> Response:
    """Delete a queue's registration."""
    name = str((await visit.form())["name"])
    existed = await visit.act("delete", "queue", name, lambda: visit.client.delete_queue(name))
    return visit.go("/queues", say=f"Deleted {name}." if existed else f"{name} was deleted already.")


# -- how --------------------------------------------------------------------------------------------------


async def _known(visit: Visit, name: str) -> QueueInfo | None:
    try:
        return await visit.client.get_queue(name)
    except NoSuchQueue:
        return None


def _form(
    visit: Visit,
    known: QueueInfo | None,
    name: str,
    values: Mapping[str, str],
    error: InvalidOption | QueueOwned | None = None,
) -> Response:
    option = error.option.partition(".")[0] if isinstance(error, InvalidOption) else ""
    return visit.render(
        "queues/edit.html",
        status=200 if error is None else 400,
        queue=known,
        name=name,
        values=values,
        was=_shown(known) if known else {},
        error=error,
        wrong=option,
    )


async def _register(visit: Visit, name: str, given: Mapping[str, str]) -> str:
    limits: dict[str, Any] = {option: _whole(option, given) for option in WHOLE}
    limits |= {option: _rate(option, given) for option in RATES}
    polling = _seconds("polling_interval_sec", given) or 1.0
    owner = given.get("application_name") or None

    def register() -> Any:
        return visit.client.register_queue(
            name,
            **limits,
            polling_interval_sec=polling,
            application_name=owner,
            on_conflict="never_update",
        )

    await visit.act("register", "queue", name, register, detail=_plain(limits))
    return f"Registered {name}."


async def _change(visit: Visit, known: QueueInfo, given: Mapping[str, str]) -> str:
    """Change what the form has otherwise than it had it when it was shown."""
    changes: dict[str, Any] = {
        option: _whole(option, given) for option in WHOLE if _differs(given, option)
    } | {
        option: _rate(option, given)
        for option in RATES
        if _differs(given, option) or _differs(given, f"{option}_period")
    }
    if _differs(given, "polling_interval_sec"):
        changes["polling_interval_sec"] = _seconds("polling_interval_sec", given)
    if not changes:
        return f"Nothing was changed of {known.name}."
    limits = {option: getattr(known, option) for option in (*WHOLE, *RATES)}
    limited_queue(known.name, **limits | {k: v for k, v in changes.items() if k in limits})
    change = lambda: visit.client.update_queue(known.name, **changes)  # noqa: E731
    await visit.act("change limits", "queue", known.name, change, detail=_plain(changes))
    return f"Changed {known.name}: workers follow within a second."


def _differs(given: Mapping[str, str], field: str) -> bool:
    return given.get(field, "") != given.get(f"was_{field}", "")


def _whole(option: str, given: Mapping[str, str]) -> int | None:
    text = given.get(option, "").replace(",", "")
    if not text:
        return None
    if not text.isdecimal() or len(text) > 10:
        raise InvalidOption(option, text, "a whole number, or nothing for no limit")
    return int(text)


def _rate(option: str, given: Mapping[str, str]) -> RateLimit | None:
    starts, period = _whole(option, given), _seconds(f"{option}_period", given)
    if starts is None and period is None:
        return None
    if starts is None or period is None:
        raise InvalidOption(option, None, "both figures, or neither: so many starts in so many seconds")
    return RateLimit(limit=starts, period=period)


def _seconds(option: str, given: Mapping[str, str]) -> float | None:
    text = given.get(option, "").replace(",", "")
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        raise InvalidOption(option.removesuffix("_period"), text, "a number of seconds") from None


def _shown(queue: QueueInfo) -> dict[str, str]:
    """A queue as the form's fields."""
    shown = {option: _text(getattr(queue, option)) for option in (*WHOLE, "polling_interval_sec")}
    for option in RATES:
        limiter: RateLimit | None = getattr(queue, option)
        shown[option] = _text(limiter.limit if limiter else None)
        shown[f"{option}_period"] = _text(limiter.period if limiter else None)
    return shown


def _text(value: Any) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _plain(limits: Mapping[str, Any]) -> dict[str, Any]:
    """Limits as the audit writes them."""
    return {k: views.rate(v) if isinstance(v, RateLimit) else v for k, v in limits.items()}


def _path(name: str) -> str:
    return f"/queue?{urlencode({'name': name})}"


PAGES = (queues, queue, edit, save, pause, resume, delete)
