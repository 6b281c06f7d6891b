"""`durably workflow`: cancel, resume, pause, unpause, delete, move; other delays, priorities, attributes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from durably.cli import bulk, connection, output
from durably.cli.auditing import actor
from durably.cli.bulk import Deed, Which
from durably.cli.command import Session, command
from durably.cli.completion import ids_completed, queues_completed, versions_completed
from durably.cli.conditions import Chosen, instant
from durably.cli.failures import UsageError
from durably.cli.output import Form

if TYPE_CHECKING:
    from durably.client import DBOSClient

__all__ = ["app"]

app = typer.Typer()

Ids = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[ID]...",
        help="Their ids; `-` reads them from the standard input, one a line.",
        autocompletion=ids_completed,
    ),
]
WorkflowId = Annotated[
    str, typer.Argument(metavar="ID", help="The workflow's id.", autocompletion=ids_completed)
]
Children = Annotated[bool, typer.Option("--children", help="And those that they started, and so on.")]
Queue = Annotated[
    str | None,
    typer.Option(
        "--on",
        metavar="QUEUE",
        help="Where they go on; otherwise DBOS's internal queue.",
        autocompletion=queues_completed,
    ),
]
Reason = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why: others are shown it.")]
By = Annotated[
    str | None, typer.Option("--by", metavar="NAME", help="Who: otherwise DURABLY_ACTOR, or user@host.")
]


@app.command()
@command
def cancel(session: Session, chosen: Chosen, ids: Ids = None, children: Children = False) -> None:
    """Cancel workflows, by id or by conditions: they stop at once. Those that have ended stay as they are.

    Example: durably workflow cancel --name sendEmail --queue mails --dry-run
    """
    meant = bulk.which(ids, chosen)
    with connection.client(session) as client:
        if (only := _only(meant, chosen)) is not None:
            client.cancel_workflow(only, cancel_children=children)
            return _report(session, client, only)
        deed = Deed(
            word="cancelled",
            act=lambda some, dry: client.cancel_workflows(some, cancel_children=children, dry_run=dry),
            find=lambda some: client.cancel_workflows(some, dry_run=True),
            otherwise="it has ended",
        )
        bulk.perform(session, chosen, meant, deed)


@app.command()
@command
def resume(session: Session, chosen: Chosen, ids: Ids = None, on: Queue = None) -> None:
    """Let workflows that were cancelled or set aside go on from their last recorded step.

    Example: durably workflow list --status CANCELLED -o ids | durably workflow resume -
    """
    meant = bulk.which(ids, chosen)
    with connection.client(session) as client:
        if (only := _only(meant, chosen)) is not None:
            client.resume_workflow(only, queue_name=on)
            return _report(session, client, only)

        def act(some: Which, dry: bool) -> list[str]:
            handles = client.resume_workflows(some, queue_name=on, dry_run=dry)
            return [handle.workflow_id for handle in handles]

        bulk.perform(session, chosen, meant, Deed(word="resumed", act=act, otherwise="it has ended"))


@app.command()
@command
def pause(session: Session, chosen: Chosen, ids: Ids = None, reason: Reason = None, by: By = None) -> None:
    """Pause workflows, by id or by conditions: they stop at once, and nobody runs them until `unpause`.

    Example: durably workflow pause --name charge --reason "the bank is closed"
    """
    meant = bulk.which(ids, chosen)
    with connection.client(session) as client:
        if (only := _only(meant, chosen)) is not None:
            client.pause_workflow(only, reason=reason, paused_by=by or actor())
        deed = Deed(
            word="paused",
            act=lambda some, dry: (
                [only]
                if only is not None
                else client.pause_workflows(some, reason=reason, paused_by=by or actor(), dry_run=dry)
            ),
            otherwise="it is paused, has ended",
        )
        bulk.perform(session, chosen, meant, deed)


@app.command()
@command
def unpause(session: Session, chosen: Chosen, ids: Ids = None) -> None:
    """Let paused workflows go on where they were.

    Example: durably workflow unpause --name charge
    """
    meant = bulk.which(ids, chosen)
    with connection.client(session) as client:
        only = _only(meant, chosen)

        def act(some: Which, dry: bool) -> list[str]:
            if only is not None:
                return [only] if client.unpause_workflow(only) else []
            return client.unpause_workflows(some, dry_run=dry)

        bulk.perform(session, chosen, meant, Deed(word="unpaused", act=act, otherwise="it is not paused"))


@app.command()
@command
def delete(session: Session, chosen: Chosen, ids: Ids = None, children: Children = False) -> None:
    """Delete workflows and all that is recorded of them; without --status those that have ended.

    Example: durably workflow delete --status SUCCESS --completed-before 2026-01-01 --dry-run
    """
    meant = bulk.which(ids, chosen)
    with connection.client(session) as client:
        if (only := _only(meant, chosen)) is not None:
            client.get_workflow(only)  # raises where there is none
        deed = Deed(
            word="deleted",
            act=lambda some, dry: client.delete_workflows(some, delete_children=children, dry_run=dry),
            find=lambda some: client.delete_workflows(some, dry_run=True),
        )
        bulk.perform(session, chosen, meant, deed)


@app.command()
@command
def move(
    session: Session,
    chosen: Chosen,
    ids: Ids = None,
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="VERSION",
            help="A version that a worker has registered.",
            autocompletion=versions_completed,
        ),
    ] = None,
    to_latest: Annotated[
        bool, typer.Option("--to-latest", help="Whichever version is the latest when they run.")
    ] = False,
) -> None:
    """Let the workers of another version run workflows that wait; stranded ones go back on their queues.

    Example: durably workflow stranded -o ids | durably workflow move - --to-latest
    """
    if (to is None) is not to_latest:
        raise UsageError("where to? give --to VERSION, or --to-latest")
    meant = bulk.which(ids, chosen)
    with connection.client(session) as client:

        def act(some: Which, dry: bool) -> list[str]:
            if not dry:
                return client.move_workflows(some, to)
            from durably.types import WorkflowFilter

            wanted = some if isinstance(some, WorkflowFilter) else WorkflowFilter(workflow_ids=some)
            found = client.list_workflows(wanted)
            return [each.workflow_id for each in found if each.status in ("ENQUEUED", "DELAYED")]

        deed = Deed(word="moved", act=act, otherwise="it runs, has ended")
        bulk.perform(session, chosen, meant, deed)


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
    """Delay a delayed workflow otherwise.

    Example: durably workflow set-delay order-17 --until 2026-05-01T19:30
    """
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
    """Give a workflow that waits another priority.

    Example: durably workflow set-priority order-17 1
    """
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
    """Give a workflow other attributes, by which filters find it.

    Example: durably workflow set-attributes order-17 '{"customer": 17}' --merge
    """
    try:
        value = json.loads(attributes)
    except ValueError:
        raise UsageError(
            f"{attributes!r} is not JSON: write an object, like '{{\"customer\": 17}}'"
        ) from None
    with connection.client(session) as client:
        client.update_workflow_attributes(workflow_id, value, merge=merge)
        _report(session, client, workflow_id)


def _only(meant: Which, chosen: Chosen) -> str | None:
    """The one id that was given, if it is to be done: then what cannot be is an error."""
    if not isinstance(meant, list) or len(meant) != 1 or chosen.dry_run:
        return None
    return meant[0]


def _report(session: Session, client: DBOSClient, workflow_id: str) -> None:
    found = client.get_workflow(workflow_id)
    output.answer(session.form, found, f"{found.workflow_id} {found.status}", id_=workflow_id)


def _report_change(
    session: Session, client: DBOSClient, workflow_id: str, changed: bool, otherwise: str
) -> None:
    found: Any = client.get_workflow(workflow_id)
    said = "changed" if changed else f"not changed: {otherwise}"
    if session.form is Form.ids and not changed:
        return output.note(f"{workflow_id} {said}")
    output.answer(session.form, found, f"{workflow_id} {said}", id_=workflow_id)
