"""`durably workflow`: cancel, resume, pause, unpause, delete; other delays, priorities, attributes."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from durably.cli import connection, output
from durably.cli.command import Session, command
from durably.cli.conditions import Chosen, instant
from durably.cli.failures import UsageError
from durably.types import WorkflowFilter

if TYPE_CHECKING:
    from durably.client import DBOSClient

__all__ = ["app"]

app = typer.Typer()

Ids = Annotated[
    list[str] | None,
    typer.Argument(metavar="[ID]...", help="Their ids; `-` reads them from the standard input, one a line."),
]
WorkflowId = Annotated[str, typer.Argument(metavar="ID", help="The workflow's id.")]
Children = Annotated[bool, typer.Option("--children", help="And those that they started, and so on.")]
Queue = Annotated[
    str | None,
    typer.Option("--on", metavar="QUEUE", help="Where they go on; otherwise DBOS's internal queue."),
]
Reason = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why: others are shown it.")]
By = Annotated[str | None, typer.Option("--by", metavar="NAME", help="Who: otherwise the database's role.")]


@app.command()
@command
def cancel(session: Session, chosen: Chosen, ids: Ids = None, children: Children = False) -> None:
    """Cancel workflows, by id or by conditions: they stop at once. Those that have ended stay as they are."""
    which = _which(ids, chosen)
    with connection.client(session) as client:
        if (only := _only(which, chosen)) is not None:
            client.cancel_workflow(only, cancel_children=children)
            return _report(session, client, only)
        done = client.cancel_workflows(which, cancel_children=children, dry_run=chosen.dry_run)
    _tell(session, "cancelled", done, which, dry_run=chosen.dry_run, otherwise="it has ended")


@app.command()
@command
def resume(session: Session, chosen: Chosen, ids: Ids = None, on: Queue = None) -> None:
    """Let workflows that were cancelled or set aside go on from their last recorded step."""
    which = _which(ids, chosen)
    with connection.client(session) as client:
        if (only := _only(which, chosen)) is not None:
            client.resume_workflow(only, queue_name=on)
            return _report(session, client, only)
        handles = client.resume_workflows(which, queue_name=on, dry_run=chosen.dry_run)
    done = [handle.workflow_id for handle in handles]
    _tell(session, "resumed", done, which, dry_run=chosen.dry_run, otherwise="it has ended")


@app.command()
@command
def pause(session: Session, chosen: Chosen, ids: Ids = None, reason: Reason = None, by: By = None) -> None:
    """Pause workflows, by id or by conditions: they stop at once, and nobody runs them until `unpause`."""
    which = _which(ids, chosen)
    with connection.client(session) as client:
        if (only := _only(which, chosen)) is not None:
            client.pause_workflow(only, reason=reason, paused_by=by)
            return _tell(session, "paused", [only], which, dry_run=False)
        done = client.pause_workflows(which, reason=reason, paused_by=by, dry_run=chosen.dry_run)
    _tell(session, "paused", done, which, dry_run=chosen.dry_run, otherwise="it is paused, has ended")


@app.command()
@command
def unpause(session: Session, chosen: Chosen, ids: Ids = None) -> None:
    """Let paused workflows go on where they were."""
    which = _which(ids, chosen)
    with connection.client(session) as client:
        if (only := _only(which, chosen)) is not None:
            done = [only] if client.unpause_workflow(only) else []
        else:
            done = client.unpause_workflows(which, dry_run=chosen.dry_run)
    _tell(session, "unpaused", done, which, dry_run=chosen.dry_run, otherwise="it is not paused")


@app.command()
@command
def delete(session: Session, chosen: Chosen, ids: Ids = None, children: Children = False) -> None:
    """Delete workflows and all that is recorded of them; without --status those that have ended."""
    which = _which(ids, chosen)
    with connection.client(session) as client:
        if (only := _only(which, chosen)) is not None:
            client.get_workflow(only)  # raises where there is none
        done = client.delete_workflows(which, delete_children=children, dry_run=chosen.dry_run)
    _tell(session, "deleted", done, which, dry_run=chosen.dry_run)


@app.command("set-delay")
@command
def set_delay(
    workflow_id: WorkflowId,
    session: Session,
    seconds: Annotated[float | None, typer.Option("--for", metavar="SECONDS", help="From now.")] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="An instant: ISO 8601.")
    ] = None,
) -> None:
    """Delay a delayed workflow otherwise."""
    if (seconds is None) == (until is None):
        raise UsageError("until when? give --for SECONDS, or --until TIME")
    with connection.client(session) as client:
        changed = client.set_workflow_delay(workflow_id, delay=seconds, delay_until=instant("--until", until))
        _report_change(session, client, workflow_id, changed, "it is not delayed")


@app.command("set-priority")
@command
def set_priority(
    workflow_id: WorkflowId,
    priority: Annotated[int, typer.Argument(metavar="N", help="The smallest goes first; 0: none.")],
    session: Session,
) -> None:
    """Give a workflow that waits another priority."""
    with connection.client(session) as client:
        changed = client.set_workflow_priority(workflow_id, priority)
        _report_change(session, client, workflow_id, changed, "it does not wait")


@app.command("set-attributes")
@command
def set_attributes(
    workflow_id: WorkflowId,
    attributes: Annotated[str, typer.Argument(metavar="JSON", help="An object, or null for none.")],
    session: Session,
    merge: Annotated[bool, typer.Option("--merge", help="Keep those that are not named.")] = False,
) -> None:
    """Give a workflow other attributes, by which filters find it."""
    try:
        value = json.loads(attributes)
    except ValueError:
        raise UsageError(
            f"{attributes!r} is not JSON: write an object, like '{{\"customer\": 17}}'"
        ) from None
    with connection.client(session) as client:
        client.update_workflow_attributes(workflow_id, value, merge=merge)
        _report(session, client, workflow_id)


def _which(ids: Sequence[str] | None, chosen: Chosen) -> list[str] | WorkflowFilter:
    conditions = chosen.conditions()
    if ids and (conditions or chosen.limit):
        raise UsageError("give ids or conditions, not both")
    if ids:
        return _read(ids)
    if not conditions:
        raise UsageError(
            "which workflows? give ids, `-` to read them from standard input, or conditions such as --name"
        )
    return WorkflowFilter(**conditions, limit=chosen.limit)


def _read(ids: Sequence[str]) -> list[str]:
    """The ids, with those of the standard input in place of `-`."""
    lines = [line.strip() for line in sys.stdin] if "-" in ids else []
    return [each for id_ in ids for each in ([line for line in lines if line] if id_ == "-" else [id_])]


def _only(which: list[str] | WorkflowFilter, chosen: Chosen) -> str | None:
    """The one id that was given, if it is to be done: then what cannot be is an error."""
    if isinstance(which, WorkflowFilter) or len(which) != 1 or chosen.dry_run:
        return None
    return which[0]


def _tell(
    session: Session,
    word: str,
    done: Sequence[str],
    which: list[str] | WorkflowFilter,
    *,
    dry_run: bool,
    otherwise: str = "",
) -> None:
    """Say what was done to which; of ids that were given also to which it was not."""
    if session.as_json:
        output.print_json({word: done, "dry_run": dry_run})
        return
    left = [] if isinstance(which, WorkflowFilter) else [id_ for id_ in which if id_ not in set(done)]
    will, why = (
        ("would be " if dry_run else ""),
        f"{otherwise}, or does not exist" if otherwise else "there is none",
    )
    for workflow_id in done:
        print(output.printable(f"{workflow_id} {will}{word}"))
    for workflow_id in left:
        print(output.printable(f"{workflow_id} not {word}: {why}"))
    if not done and not left:
        output.note("no such workflows")


def _report(session: Session, client: DBOSClient, workflow_id: str) -> None:
    found = client.get_workflow(workflow_id)
    if session.as_json:
        output.print_json(found)
    else:
        print(output.printable(f"{found.workflow_id} {found.status}"))


def _report_change(
    session: Session, client: DBOSClient, workflow_id: str, changed: bool, otherwise: str
) -> None:
    found: Any = client.get_workflow(workflow_id)
    if session.as_json:
        output.print_json(found)
    else:
        print(output.printable(f"{workflow_id} " + ("changed" if changed else f"not changed: {otherwise}")))
