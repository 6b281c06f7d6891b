"""`durably queue`: limits, what is queued, and letting queues run or rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import typer

from durably.cli import connection, output
from durably.cli.auditing import actor
from durably.cli.command import Session, command
from durably.cli.completion import queues_completed
from durably.cli.failures import UsageError
from durably.cli.output import Form
from durably.types import QueueInfo, QueuePause, QueueStats, RateLimit

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Queues: their limits, what is on them, pausing them.")

NONE = "none"
Name = Annotated[
    str, typer.Argument(metavar="QUEUE", help="The queue's name.", autocompletion=queues_completed)
]
Worker = Annotated[
    str | None, typer.Option("--worker", metavar="ID", help="Only on the worker with this executor id.")
]
Reason = Annotated[str | None, typer.Option(metavar="TEXT", help="Why: others are shown it.")]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits that a command sets."""

    concurrency: Annotated[
        str | None, typer.Option(metavar="N", help="At most so many run at a time; none: no limit.")
    ] = None
    worker_concurrency: Annotated[
        str | None, typer.Option(metavar="N", help="At most so many in one process.")
    ] = None
    rate: Annotated[
        str | None, typer.Option(metavar="N/SECONDS", help="At most so many starts in any so many seconds.")
    ] = None
    partition_concurrency: Annotated[
        str | None, typer.Option(metavar="N", help="At most so many of one partition key.")
    ] = None
    partition_worker_concurrency: Annotated[
        str | None, typer.Option(metavar="N", help="At most so many of one partition key in one process.")
    ] = None
    partition_rate: Annotated[
        str | None, typer.Option(metavar="N/SECONDS", help="So many starts of one partition key.")
    ] = None


@app.command("list")
@command
def list_queues(session: Session) -> None:
    """List the registered queues, and what is on them.

    Example: durably queue list
    """
    with connection.client(session) as client:
        queues, stats = client.list_queues(), {each.name: each for each in client.queue_stats()}

    documents = [{**vars(queue), "stats": stats.get(queue.name)} for queue in queues]
    output.print_list(
        session.form,
        documents,
        columns=("name", "enqueued", "delayed", "pending", "limits", "paused"),
        row=_row,
        id_of=lambda item: str(item["name"]),
        empty="no queue is registered here yet",
    )


def _row(item: dict[str, Any]) -> tuple[Any, ...]:
    now: QueueStats | None = item["stats"]
    queue = QueueInfo(**{name: value for name, value in item.items() if name != "stats"})
    counts = (now.enqueued, now.delayed, now.pending) if now else (None, None, None)
    return (queue.name, *counts, _limits(queue), _paused(queue.pauses))


@app.command()
@command
def stats(
    session: Session,
    name: Annotated[
        str | None,
        typer.Argument(metavar="[QUEUE]", help="Otherwise all.", autocompletion=queues_completed),
    ] = None,
) -> None:
    """Count what is on queues, where it runs, and since when the oldest waits.

    Example: durably queue stats mails
    """
    with connection.client(session) as client:
        found = client.queue_stats(name)
    output.print_list(
        session.form,
        found,
        columns=("name", "enqueued", "delayed", "pending", "executors", "oldest", "starts", "paused"),
        row=lambda each: (
            each.name,
            each.enqueued,
            each.delayed,
            each.pending,
            len(each.running_on),
            output.clock(each.oldest_enqueued_at),
            each.starts_in_period,
            "yes" if each.is_paused else "",
        ),
        id_of=lambda each: each.name,
        empty="no queue is registered here yet",
    )


@app.command()
@command
def get(name: Name, session: Session) -> None:
    """Show a queue: its limits, what is on it, and where it is paused.

    Example: durably queue get mails
    """
    with connection.client(session) as client:
        queue, now = client.get_queue(name), client.queue_stats(name)[0]
    if session.form is not Form.table:
        return output.answer(session.form, {**asdict(queue), "stats": now}, "", id_=name)
    facts = {**asdict(queue), **asdict(now), "pauses": _paused(queue.pauses)}
    facts["limiter"], facts["partition_limiter"] = _rate(queue.limiter), _rate(queue.partition_limiter)
    output.print_fields({field: value for field, value in facts.items() if value is not None})


app.command("show", hidden=True)(get)


@app.command()
@command
def activity(
    session: Session,
    name: Annotated[
        str | None,
        typer.Argument(metavar="[QUEUE]", help="Otherwise all.", autocompletion=queues_completed),
    ] = None,
) -> None:
    """Show what queues hold now and did in the last hour: cheap on any backlog.

    Example: durably queue activity mails
    """
    with connection.client(session) as client:
        found = client.queue_activity(name)
    output.print_list(
        session.form,
        found,
        columns=("name", "enqueued", "delayed", "running", "started_1h", "finished_1h", "oldest"),
        row=lambda each: (
            each.name if each.is_registered else f"{each.name} (nobody's)",
            output.up_to(each.enqueued, each.counted_to),
            output.up_to(each.delayed, each.counted_to),
            each.running,
            sum(each.starts),
            sum(each.finishes),
            output.clock(each.oldest_enqueued_at),
        ),
        id_of=lambda each: each.name,
        empty="no queue holds anything",
    )


@app.command()
@command
def backlog(
    name: Name,
    session: Session,
    limit: Annotated[int, typer.Option("--limit", "-l", metavar="N", min=1, help="At most so many.")] = 20,
) -> None:
    """List the partitions of a queue with the most work that waits.

    Example: durably queue backlog mails
    """
    with connection.client(session) as client:
        found = client.list_backlogs(name, limit=limit)
    output.print_list(
        session.form,
        found,
        columns=("key", "enqueued", "running", "oldest"),
        row=lambda each: (
            each.key,
            output.up_to(each.enqueued, each.counted_to),
            each.running,
            output.clock(each.next_enqueued_at),
        ),
        id_of=lambda each: each.key,
        empty=f"nothing waits on partitions of {name}",
    )


@app.command("set")
@command
def set_limits(name: Name, limits: Limits, session: Session) -> None:
    """Change limits of a queue, which workers follow within a second; what is not named stays.

    Example: durably queue set mails --concurrency 5 --rate 100/60
    """
    changes = _changes(limits)
    if not changes:
        raise UsageError("name a limit to change, such as --concurrency 5, or --rate none")
    with connection.client(session) as client:
        _done(session, client.update_queue(name, **changes))


@app.command()
@command
def register(name: Name, limits: Limits, session: Session) -> None:
    """Create a queue, or give one these limits and no others.

    Example: durably queue register mails --concurrency 5
    """
    with connection.client(session) as client:
        _done(session, client.register_queue(name, **_changes(limits)))


@app.command()
@command
def delete(name: Name, session: Session) -> None:
    """Delete a queue's registration; its workflows wait until it is registered again.

    Example: durably queue delete mails
    """
    with connection.client(session) as client:
        client.get_queue(name)
        client.delete_queue(name)
    _say(session, name, {"name": name, "deleted": True}, f"{name} is deleted")


@app.command()
@command
def pause(name: Name, session: Session, worker: Worker = None, reason: Reason = None) -> None:
    """Take nothing more from a queue, everywhere or on one worker; what runs goes on.

    Example: durably queue pause mails --reason "the relay is down"
    """
    with connection.client(session) as client:
        _done(session, client.pause_queue(name, executor_id=worker, reason=reason, paused_by=actor()))


@app.command()
@command
def resume(name: Name, session: Session, worker: Worker = None) -> None:
    """Take from a queue again, on one worker or everywhere.

    Example: durably queue resume mails
    """
    with connection.client(session) as client:
        was_paused = client.resume_queue(name, executor_id=worker)
    text = f"{name} goes on" if was_paused else f"{name} was not paused"
    _say(session, name, {"name": name, "was_paused": was_paused}, text)


@app.command()
@command
def drain(
    name: Name,
    session: Session,
    worker: Worker = None,
    reason: Reason = None,
    timeout: Annotated[float | None, typer.Option(metavar="SECONDS", help="Wait no longer.")] = None,
) -> None:
    """Pause a queue and wait until nothing of it runs; exits with 1 if something does still.

    Example: durably queue drain mails --timeout 300
    """
    with connection.client(session) as client:
        is_empty = client.drain_queue(
            name, executor_id=worker, reason=reason, paused_by=actor(), timeout=timeout
        )
    text = f"nothing of {name} runs" if is_empty else f"something of {name} runs still; it stays paused"
    _say(session, name, {"name": name, "drained": is_empty}, text)
    if not is_empty:
        raise typer.Exit(1)


def _changes(limits: Limits) -> dict[str, Any]:
    given = {option: text for option, text in asdict(limits).items() if text is not None}
    return {
        option.replace("rate", "limiter"): (_parsed_rate if "rate" in option else _whole)(option, text)
        for option, text in given.items()
    }


def _whole(option: str, text: str) -> int | None:
    if text == NONE:
        return None
    if not text.isdecimal():
        raise UsageError(f"{_flag(option)} {text}: give a whole number, or {NONE}")
    return int(text)


def _parsed_rate(option: str, text: str) -> RateLimit | None:
    if text == NONE:
        return None
    starts, _, seconds = text.partition("/")
    try:
        return RateLimit(limit=int(starts), period=float(seconds))
    except ValueError:
        raise UsageError(
            f"{_flag(option)} {text}: give starts and seconds, such as 100/60, or {NONE}"
        ) from None


def _flag(option: str) -> str:
    return "--" + option.replace("_", "-")


def _limits(queue: QueueInfo) -> str:
    named = {
        "concurrency": queue.concurrency,
        "worker": queue.worker_concurrency,
        "rate": _rate(queue.limiter),
        "partition": queue.partition_concurrency,
        "partition worker": queue.partition_worker_concurrency,
        "partition rate": _rate(queue.partition_limiter),
    }
    return ", ".join(f"{name} {limit}" for name, limit in named.items() if limit is not None)


def _rate(limiter: RateLimit | None) -> str | None:
    return None if limiter is None else f"{limiter.limit}/{limiter.period:g} s"


def _paused(pauses: Sequence[QueuePause]) -> str:
    return ", ".join(
        (pause.executor_id or "everywhere")
        + (f" by {pause.paused_by}" if pause.paused_by else "")
        + (f" ({pause.reason})" if pause.reason else "")
        for pause in pauses
    )


def _done(session: Session, queue: QueueInfo) -> None:
    paused = _paused(queue.pauses)
    text = f"{queue.name}: {_limits(queue) or 'no limits'}" + (f"; paused {paused}" if paused else "")
    _say(session, queue.name, queue, text)


def _say(session: Session, name: str, value: Any, text: str) -> None:
    output.answer(session.form, value, text, id_=name)
