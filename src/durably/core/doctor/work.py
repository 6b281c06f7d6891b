"""The work: who runs it, what nobody can run, what was set aside, which schedules are late."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from durably.core.cron import Cron
from durably.core.doctor.readings import (
    Executor,
    Group,
    Pause,
    Queued,
    Readings,
    Running,
    ScheduleReading,
    Version,
)
from durably.core.doctor.words import ago, counted
from durably.core.names import RESERVED_PREFIX
from durably.errors import InvalidOption
from durably.types import Finding, Level

__all__ = ["judge"]

LATE = 60.0  # seconds that a schedule may be behind its time
BACKLOG = 600.0  # seconds that the oldest of a queue may have waited before somebody should look
MOST = 5  # examples
COUNTED = 1000  # beyond it nobody counts


def judge(readings: Readings) -> Iterator[Finding]:
    """The findings about the work."""
    executors = readings.executors
    if executors is not None or readings.running is not None:
        yield _executors(executors or (), readings.running or ())
    if readings.queued is not None:
        yield from _queues(readings.queued, executors or (), readings.versions or ())
    if readings.pauses:
        yield _paused(readings.pauses)
    if readings.stranded is not None:
        yield _stranded(readings.stranded)
    if readings.dead_letters is not None:
        yield _dead_letters(readings.dead_letters)
    if readings.schedules is not None and readings.server is not None:
        yield _schedules(readings.schedules, readings.server.now)


# -- executors ---------------------------------------------------------------------------------------------


def _executors(executors: Sequence[Executor], running: Sequence[Running]) -> Finding:
    """A lease that ran out with work is in nobody's hands until a worker of the application adopts it."""
    lapsed = {each.executor_id: each for each in executors if each.is_open and not each.is_alive}
    orphaned = [(lapsed[each.executor_id], each) for each in running if each.executor_id in lapsed]
    seen = _who(executors, running)
    if orphaned:
        applications = sorted({executor.application_name for executor, _ in orphaned})
        count = sum(work.workflows for _, work in orphaned)
        return Finding(
            check="executors",
            level="error",
            seen=f"{seen}; {counted(count, 'workflow')} of lapsed processes, and nobody adopts them",
            advice=f"start a worker of {', '.join(applications)}: it takes them over within seconds",
            examples=tuple(
                f"{executor.executor_id} of {executor.application_name}: lease over for "
                f"{ago(executor.expired_seconds)}, {counted(work.workflows, 'workflow')}, such as "
                f"{work.example}"
                for executor, work in orphaned[:MOST]
            ),
        )
    if lapsed and not any(each.is_alive for each in executors):
        names = sorted({each.application_name for each in lapsed.values()})
        advice = f"start a worker: durably worker MODULE:APP ({', '.join(names)})"
        return Finding(check="executors", level="warning", seen=seen, advice=advice)
    return Finding(check="executors", level="ok", seen=seen)


def _who(executors: Sequence[Executor], running: Sequence[Running]) -> str:
    alive = [each for each in executors if each.is_alive]
    names = sorted({each.application_name for each in alive})
    known = {each.executor_id for each in executors if each.is_open}
    theirs = [each for each in running if each.executor_id not in known]
    seen = f"{counted(len(alive), 'executor')} alive" + (f" ({', '.join(names)})" if names else "")
    seen += f", {counted(sum(each.workflows for each in running), 'workflow')} running"
    if theirs:
        count = counted(sum(each.workflows for each in theirs), "workflow")
        seen += f"; {count} of DBOS's processes, which hold no lease: whether they live cannot be seen"
    return seen


# -- queues ------------------------------------------------------------------------------------------------


def _queues(
    queued: Sequence[Queued], executors: Sequence[Executor], versions: Sequence[Version]
) -> Iterator[Finding]:
    """Each group of queued work has one reason why nobody can start it, or none."""
    reasons: dict[tuple[str, str], list[Queued]] = {}
    for group in queued:
        if found := _unservable(group, executors, versions):
            reasons.setdefault(found, []).append(group)
    for (seen, advice), groups in reasons.items():
        yield Finding(
            check="queues",
            level="error",
            seen=f"{counted(sum(each.workflows for each in groups), 'workflow')} nobody can start: {seen}",
            advice=advice,
            examples=tuple(map(_group, groups[:MOST])),
        )
    stuck = {id(each) for groups in reasons.values() for each in groups}
    yield _backlog([each for each in queued if id(each) not in stuck], len(queued) - len(stuck))


def _unservable(
    group: Queued, executors: Sequence[Executor], versions: Sequence[Version]
) -> tuple[str, str] | None:
    """Why nobody can start it, and what to do. Of DBOS's own processes nothing can be known."""
    name, application = group.queue_name, group.application_name
    if not group.is_registered and not (name or "").startswith(RESERVED_PREFIX):
        return (
            f"no application has registered the queue {name!r} here",
            f"start the application that has it, or `durably queue register {name}`; if the name is wrong, "
            "cancel them and enqueue them again",
        )
    ours = [each for each in executors if application is None or each.application_name == application]
    alive = [each for each in ours if each.is_alive]
    version = group.app_version or _latest(versions, application)
    if ours and not alive and application is not None:
        return f"no worker of {application} runs", f"start one: durably worker MODULE:APP (of {application})"
    is_ours = any(each.app_version == version for each in ours)
    if is_ours and alive and not any(each.app_version == version for each in alive):
        whose = "they are for" if group.app_version else "they are for the latest version,"
        return (
            f"{whose} version {version}, and none of its workers runs",
            f"start a worker of {version}, or `durably workflow move --to-latest ID...`, or make another "
            "version the latest: `durably version set-latest`",
        )
    return None


def _latest(versions: Sequence[Version], application: str | None) -> str | None:
    return next((v.version_name for v in versions if v.application_name in (application, None)), None)


def _group(group: Queued) -> str:
    return (
        f"{group.queue_name}: {counted(group.workflows, 'workflow')}, the oldest for "
        f"{ago(group.oldest_seconds)}, such as {group.example}"
    )


def _backlog(queued: Sequence[Queued], queues: int) -> Finding:
    total = counted(sum(each.workflows for each in queued), "workflow")
    if not queued:
        return Finding(check="queues", level="ok", seen="nothing waits that could be started")
    oldest = max(queued, key=lambda each: each.oldest_seconds)
    seen = f"{total} can be started, the oldest has waited {ago(oldest.oldest_seconds)}"
    if oldest.oldest_seconds <= BACKLOG:
        return Finding(check="queues", level="ok", seen=seen)
    return Finding(
        check="queues",
        level="warning",
        seen=seen,
        advice=f"`durably explain {oldest.example}` says what it waits for: a limit, a pause, or workers",
        examples=tuple(map(_group, queued[: min(MOST, queues)])),
    )


def _paused(pauses: Sequence[Pause]) -> Finding:
    return Finding(
        check="queues",
        level="warning",
        seen=f"{counted(len({each.queue_name for each in pauses}), 'queue')} paused",
        advice="`durably queue resume QUEUE` lets it go on",
        examples=tuple(
            f"{each.queue_name} {f'on {each.executor_id}' if each.executor_id else 'everywhere'} for "
            f"{ago(each.seconds)}" + (f": {each.reason}" if each.reason else "")
            for each in pauses[:MOST]
        ),
    )


# -- set aside ---------------------------------------------------------------------------------------------


def _stranded(group: Group) -> Finding:
    return _set_aside(
        group,
        check="stranded",
        level="error",
        what="stranded: the code asks for other operations than they recorded",
        none="no workflow is stranded",
        advice="`durably workflow stranded` shows the difference: run code that fits, or "
        "`durably workflow move`, fork or cancel them",
    )


def _dead_letters(group: Group) -> Finding:
    return _set_aside(
        group,
        check="dead_letters",
        level="warning",
        what="set aside after too many recoveries",
        none="no workflow is set aside",
        advice="each attempt ended with the death of its process: find out why, then "
        "`durably dead-letter requeue`",
    )


def _set_aside(group: Group, *, check: str, level: Level, what: str, none: str, advice: str) -> Finding:
    if not group.workflows:
        return Finding(check=check, level="ok", seen=none)
    more = "more than " if group.workflows > COUNTED else ""
    count = counted(min(group.workflows, COUNTED), "workflow")
    examples = tuple(group.examples or ())
    return Finding(check=check, level=level, seen=f"{more}{count} {what}", advice=advice, examples=examples)


# -- schedules ---------------------------------------------------------------------------------------------


def _schedules(schedules: Sequence[ScheduleReading], now: float) -> Finding:
    active = [each for each in schedules if each.status == "ACTIVE"]
    problems = [problem for each in active if (problem := _problem(each, now))]
    paused = len(schedules) - len(active)
    seen = f"{counted(len(active), 'schedule')} active" + (f", {paused} paused" if paused else "")
    if not problems:
        return Finding(check="schedules", level="ok", seen=seen)
    return Finding(
        check="schedules",
        level="error",
        seen=f"{seen}; {counted(len(problems), 'schedule')} late or not kept",
        advice="a worker of the schedule's application must run; `durably schedule backfill` starts what "
        "was missed",
        examples=tuple(problems[:MOST]),
    )


def _problem(schedule: ScheduleReading, now: float) -> str | None:
    if schedule.problem:
        return f"{schedule.schedule_name}: {schedule.problem}"
    last = _instant(schedule.last_fired_at)
    if last is None:
        return None
    try:
        due = Cron.read(schedule.schedule, schedule.cron_timezone).after(last)
    except InvalidOption as error:
        return f"{schedule.schedule_name}: {error}"
    patience = timedelta(seconds=LATE + schedule.jitter)
    if due is None or due + patience > datetime.fromtimestamp(now, UTC):
        return None
    return f"{schedule.schedule_name}: was due at {due.isoformat()}, last fired for {schedule.last_fired_at}"


def _instant(text: str | None) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)
