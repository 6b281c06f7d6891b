"""Why a workflow does not run: one reason, from the facts of one query."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import msgspec

from durably.core import names
from durably.types import Status

__all__ = ["Facts", "explain", "paused"]


class Waits(msgspec.Struct, frozen=True):
    """One of the things that a running workflow waits for; see `core.ports.Waiting`."""

    kind: str
    id: str
    key: str
    until_ms: int | None
    since_ms: int


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What the database knows of a workflow, its queue, and who could run it; instants in milliseconds."""

    workflow_id: str
    status: Status
    queue_name: str | None = None
    partition_key: str | None = None
    app_version: str | None = None
    application_name: str | None = None
    executor_id: str | None = None
    attempts: int | None = None
    delay_until_ms: int | None = None
    now_ms: int = 0
    is_registered: bool = False
    queue_owner: str | None = None
    concurrency: int | None = None
    worker_concurrency: int | None = None
    rate_limit_max: int | None = None
    rate_limit_period_sec: float | None = None
    partition_concurrency: int | None = None
    partition_worker_concurrency: int | None = None
    partition_rate_limit_max: int | None = None
    partition_rate_limit_period_sec: float | None = None
    running: int = 0
    holders: list[str] = []
    partition_running: int = 0
    partition_holders: list[str] = []
    starts: int = 0
    partition_starts: int = 0
    ahead: int = 0
    is_paused: bool = False
    pause_reason: str | None = None
    queue_paused_by: str | None = None
    queue_paused_at_ms: int | None = None
    paused_on: list[str] = []
    workers: list[str] = []
    versions: list[str] = []
    latest_version: str | None = None
    has_lease: bool = False
    is_alive: bool = False
    stranded: str | None = None
    paused_by: str | None = None
    paused_at_ms: int | None = None
    paused_because: str | None = None
    children: list[str] = []
    waits: list[Waits] = []
    failed_attempts: int = 0
    failed_with: str | None = None
    last_id: int | None = None
    last_name: str | None = None
    last_output: str | None = None
    last_at_ms: int | None = None
    is_behind_gap: bool | None = None  # the last operation has no record before it: that one is under way
    unread: list[str] = []  # topics of messages that it has not received
    is_pure: bool = False  # only DBOS has used the database: leases and pauses are not known


Reasons = Iterator[tuple[str, str]]


def explain(facts: Facts) -> tuple[str, str]:
    """A word for the reason, and the reason in words: the first that holds."""
    return next(_REASONS.get(facts.status, _ended)(facts))


def paused(by: str | None, at_ms: int | None, reason: str | None) -> str:
    """Who paused a workflow, and what to do."""
    return f"paused{_who(by, at_ms, reason)}; unpause_workflow lets it go on"


def _who(by: str | None, at_ms: int | None, reason: str | None) -> str:
    who = f" by {by}" if by else ""
    since = f" since {_instant(at_ms)}" if at_ms is not None else ""
    return f"{who}{since}" + (f": {reason}" if reason else "")


def _ended(facts: Facts) -> Reasons:
    if facts.status == "MAX_RECOVERY_ATTEMPTS_EXCEEDED":
        yield (
            "dead_letter",
            f"it was set aside after {facts.attempts} attempts, none of which ended: its process died or "
            "gave up each time; when that is mended, resume_workflow lets it go on, with its attempts "
            "counted anew",
        )
    if facts.status == "CANCELLED":
        yield "cancelled", "it was cancelled, or its deadline passed; resume_workflow lets it go on"
    yield "ended", f"it has ended: {facts.status}"


def _delayed(facts: Facts) -> Reasons:
    if facts.delay_until_ms == names.PAUSED_UNTIL_MS:
        yield "paused", f"it is {paused(facts.paused_by, facts.paused_at_ms, facts.paused_because)}"
    if facts.delay_until_ms == names.STRANDED_UNTIL_MS:
        yield "stranded", f"its record does not fit the code that runs: {facts.stranded}"
    until = facts.delay_until_ms or 0
    left = (until - facts.now_ms) / 1000
    if left > 0 and facts.failed_attempts:
        yield (
            "retry",
            f"it failed {_times(facts.failed_attempts)} and is tried again at {_instant(until)}, in "
            f"{left:.1f} s; its last error: {facts.failed_with}",
        )
    if left > 0:
        yield "delayed", f"it is delayed until {_instant(until)}, for {left:.1f} s more"
    yield from _without_workers(facts)
    yield "delayed", f"its delay was over at {_instant(until)}; a worker puts it on its queue at once"


def _enqueued(facts: Facts) -> Reasons:
    yield from _without_queue(facts)
    yield from _held(facts)
    yield from _without_workers(facts)
    yield from _over_limits(facts)
    if facts.ahead:
        many = "1000 or more workflows are" if facts.ahead >= 1000 else f"{facts.ahead} workflows are"
        yield "behind", f"{many} ahead of it on queue {facts.queue_name!r}: more urgent ones, and older ones"
    if facts.is_pure:
        yield "ready", _ready_for_dbos(facts)
    yield (
        "ready",
        "nothing holds it: a worker takes it as soon as it has a place; if it stays so, no worker that runs "
        "has registered its name, or reads its serialization",
    )


def _without_queue(facts: Facts) -> Reasons:
    name = facts.queue_name
    if not facts.is_registered and not (name or "").startswith(names.RESERVED_PREFIX):
        yield (
            "unregistered_queue",
            f"nobody has registered queue {name!r} in this database: it waits until then",
        )
    if facts.queue_owner and facts.application_name not in (None, facts.queue_owner):
        yield (
            "queue_owned",
            f"it is for application {facts.application_name!r}, and queue {name!r} belongs to "
            f"{facts.queue_owner!r}, whose workers leave it alone: enqueue it on another queue",
        )
    if _is_partitioned(facts) and facts.partition_key is None:
        yield (
            "no_partition_key",
            f"queue {name!r} is partitioned, and it has no queue_partition_key: nobody ever takes it; cancel "
            "it and enqueue it again with one",
        )


def _held(facts: Facts) -> Reasons:
    if facts.is_paused:
        who = _who(facts.queue_paused_by, facts.queue_paused_at_ms, facts.pause_reason)
        yield "paused", f"queue {facts.queue_name!r} is paused{who}; resume_queue lets it go on"
    if facts.workers and set(facts.workers) <= set(facts.paused_on):
        yield (
            "paused",
            f"queue {facts.queue_name!r} is paused on every worker that runs: {_ids(facts.workers)}",
        )


def _ready_for_dbos(facts: Facts) -> str:
    wanted = facts.app_version or facts.latest_version
    which = "any version" if wanted is None else f"version {wanted!r}"
    latest = "" if facts.app_version or wanted is None else ", the latest"
    return (
        f"nothing in DBOS's tables holds it: a worker of {which}{latest} takes it. Whether one runs is not "
        "recorded there; of durably's workers it is, once `durably db migrate` has run"
    )


def _without_workers(facts: Facts) -> Reasons:
    if facts.is_pure:
        return
    if not facts.workers:
        whose = f" of application {facts.application_name!r}" if facts.application_name else ""
        yield "no_worker", f"no durably worker{whose} runs (of DBOS's own nothing is known)"
    wanted = facts.app_version or facts.latest_version
    if wanted is not None and wanted not in facts.versions:
        which = f"version {wanted!r}" if facts.app_version else f"the latest version, {wanted!r},"
        yield (
            "no_version",
            f"it is for workers of {which} and none runs: there are {_ids(facts.versions)}; start one, or "
            "give it another version with move_workflows",
        )


def _over_limits(facts: Facts) -> Reasons:
    key, name = facts.partition_key, facts.queue_name
    if _is_full(facts.concurrency, facts.running):
        yield (
            "concurrency",
            f"queue {name!r} runs {facts.running} of at most {facts.concurrency}: {_ids(facts.holders)}",
        )
    if _is_full(facts.partition_concurrency, facts.partition_running):
        yield (
            "partition_concurrency",
            f"partition {key!r} of queue {name!r} runs {facts.partition_running} of at most "
            f"{facts.partition_concurrency}: {_ids(facts.partition_holders)}",
        )
    if _is_full(facts.rate_limit_max, facts.starts):
        yield (
            "rate_limit",
            f"queue {name!r} has started {facts.starts} of at most {facts.rate_limit_max} in the last "
            f"{facts.rate_limit_period_sec:g} s",
        )
    if _is_full(facts.partition_rate_limit_max, facts.partition_starts):
        yield (
            "partition_rate_limit",
            f"partition {key!r} of queue {name!r} has started {facts.partition_starts} of at most "
            f"{facts.partition_rate_limit_max} in the last {facts.partition_rate_limit_period_sec:g} s",
        )
    if _is_full(facts.worker_concurrency, facts.running / max(1, len(facts.workers))):
        yield (
            "worker_concurrency",
            f"each of {len(facts.workers)} workers runs at most {facts.worker_concurrency} of queue "
            f"{name!r}: {_ids(facts.holders)}",
        )


def _pending(facts: Facts) -> Reasons:
    if facts.has_lease and not facts.is_alive:
        yield (
            "executor_lost",
            f"executor {facts.executor_id} does not answer; another worker of its application takes it over",
        )
    yield from _waiting(facts)
    wake = _wake(facts)
    if wake is not None and wake > facts.now_ms:
        left = (wake - facts.now_ms) / 1000
        if facts.is_behind_gap and not facts.has_lease:
            yield (
                "message_or_event",
                f"operation {(facts.last_id or 0) - 1} waits for a message or an event until "
                f"{_instant(wake)} at most, for {left:.1f} s more{_unread(facts)}{_peer(facts)}",
            )
        yield (
            "timer",
            f"it waits until {_instant(wake)}, for {left:.1f} s more, unless what it waits for comes first",
        )
    if facts.children:
        yield (
            "running",
            f"it runs on {facts.executor_id}; children that have not ended: {_ids(facts.children)}",
        )
    last = f"; its last recorded operation is {facts.last_id}, {facts.last_name}" if facts.last_name else ""
    if facts.last_name and facts.last_at_ms is not None:
        last += f", {max(0, facts.now_ms - facts.last_at_ms) / 1000:.1f} s ago"
    yield (
        "running",
        f"it runs on {facts.executor_id}, in attempt {facts.attempts}{last}{_unread(facts)}{_peer(facts)}",
    )


def _unread(facts: Facts) -> str:
    if not facts.unread:
        return ""
    topics = ("no topic" if topic in ("", names.NULL_TOPIC) else repr(topic) for topic in facts.unread)
    return f"; messages that it has not received, by topic: {', '.join(topics)}"


def _peer(facts: Facts) -> str:
    """What cannot be known of a process that has no lease."""
    if facts.has_lease:
        return ""
    return "; its executor is DBOS's, or long gone: it has no lease, and tells no more of what it waits for"


def _waiting(facts: Facts) -> Reasons:
    """As its executor has told: the first of several decides the word."""
    if not facts.waits:
        return
    first = facts.waits[0]
    word = (
        "child"
        if first.kind == "result" and first.id in facts.children
        else _WORDS.get(first.kind, first.kind)
    )
    ends = [wait.until_ms for wait in facts.waits if wait.until_ms is not None]
    until = f", until {_instant(min(ends))} at most" if ends else ""
    what = ", or ".join(dict.fromkeys(_awaited(facts, wait) for wait in facts.waits))
    yield word, f"it waits for {what}{until}; since {_instant(min(wait.since_ms for wait in facts.waits))}"


def _awaited(facts: Facts, wait: Waits) -> str:
    match wait.kind:
        case "message":
            return "a message" + ("" if wait.key == names.NULL_TOPIC else f" on topic {wait.key!r}")
        case "event":
            return f"event {wait.key!r} of workflow {wait.id}"
        case "result":
            return (
                f"the end of its child {wait.id}"
                if wait.id in facts.children
                else f"the end of workflow {wait.id}"
            )
        case "stream":
            return f"the next value of stream {wait.key!r} of workflow {wait.id}"
        case "step":
            return f"the end of step {wait.key!r}, which runs"
        case "retry":
            return f"the next attempt of step {wait.key!r}, which failed"
        case _:
            return "a timer"


def _times(many: int) -> str:
    return "once" if many == 1 else f"{many} times"


def _wake(facts: Facts) -> int | None:
    """The instant of the timer that was recorded last, in milliseconds; DBOS for Python writes seconds."""
    if facts.last_name != names.SLEEP or facts.last_output is None:
        return None
    try:
        instant = float(facts.last_output)
    except ValueError:
        return None
    return math.floor(instant if instant > 1e11 else instant * 1000) if math.isfinite(instant) else None


def _is_partitioned(facts: Facts) -> bool:
    limits = facts.partition_concurrency, facts.partition_worker_concurrency, facts.partition_rate_limit_max
    return any(limit is not None for limit in limits)


def _is_full(limit: int | None, used: float) -> bool:
    return limit is not None and used >= limit


def _instant(epoch_ms: int) -> str:
    return datetime.fromtimestamp(epoch_ms / 1000, UTC).isoformat(sep=" ", timespec="milliseconds")


def _ids(ids: list[str]) -> str:
    return ", ".join(ids) if ids else "none"


_WORDS = {"result": "workflow"}
_REASONS: dict[str, Callable[[Facts], Reasons]] = {
    "ENQUEUED": _enqueued,
    "DELAYED": _delayed,
    "PENDING": _pending,
}
