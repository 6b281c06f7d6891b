"""`durably enqueue`: start a workflow of any application, and wait for it if asked."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from durably.cli import connection, output, values
from durably.cli.command import Session, command
from durably.cli.failures import WorkflowEnded
from durably.errors import ArgumentsIgnored, CodecError, ConfigurationError, DatabaseError, WorkflowTimeout

if TYPE_CHECKING:
    from durably.types import EnqueueOptions

__all__ = ["app"]

app = typer.Typer()

PASSED_ON = (CodecError, DatabaseError, ConfigurationError, WorkflowTimeout)


@dataclass(frozen=True, kw_only=True)
class Enqueueing:
    """The options of EnqueueOptions that the command has."""

    queue_name: Annotated[str, typer.Option("--queue", metavar="QUEUE", help="The queue to put it on.")]
    workflow_class_name: Annotated[
        str | None, typer.Option("--class", metavar="CLASS", help="The class that the workflow belongs to.")
    ] = None
    workflow_id: Annotated[
        str | None,
        typer.Option("--id", metavar="ID", help="Its id: the same id again is the same workflow."),
    ] = None
    kwargs: Annotated[
        str | None, typer.Option(metavar="JSON", help="Arguments by name, as a JSON object.")
    ] = None
    timeout: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="How long it may run once it was started.")
    ] = None
    delay: Annotated[float | None, typer.Option(metavar="SECONDS", help="How long it is held back.")] = None
    priority: Annotated[int | None, typer.Option(help="From 1, which is first.")] = None
    deduplication_id: Annotated[
        str | None,
        typer.Option("--dedup", metavar="ID", help="At most one active workflow of this queue has it."),
    ] = None
    app_version: Annotated[
        str | None, typer.Option(metavar="VERSION", help="The version that may run it; any, if left out.")
    ] = None
    serialization: Annotated[
        str | None, typer.Option(metavar="FORMAT", help="portable_json (if left out) or js_superjson.")
    ] = None

    def options(self, workflow_name: str) -> EnqueueOptions[..., Any]:
        """The client's options for a workflow."""
        from durably.types import EnqueueOptions

        given = {name: option for name, option in vars(self).items() if name != "kwargs"}
        return EnqueueOptions(workflow_name=workflow_name, **given)


@app.command()
@command
def enqueue(
    workflow_name: Annotated[str, typer.Argument(metavar="WORKFLOW", help="The workflow's name.")],
    session: Session,
    enqueueing: Enqueueing,
    args: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ARGS]...", help="Its arguments: JSON, or text where they are not JSON."),
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the result, and print it.")] = False,
    wait_timeout: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="With --wait: exit with 5 after so long.")
    ] = None,
) -> None:
    """Enqueue a workflow, and print its id.

    durably enqueue purchaseTicket Stonebraker '["a1", "a2"]' --queue ticketQueue --class DBOSTicketAuthority
    """
    kwargs = values.json_object("--kwargs", enqueueing.kwargs)
    arguments = [values.value(text) for text in args or []]
    with connection.client(session) as client:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ArgumentsIgnored)  # said below, as a command says it
            handle = client.enqueue(enqueueing.options(workflow_name), *arguments, **kwargs)
        if handle.arguments_ignored:
            output.note(str(ArgumentsIgnored(handle.workflow_id, name=workflow_name)))
        if wait:
            _answer(session, handle.workflow_id, _result(handle, wait_timeout))
        elif session.as_json:
            met = {"created": handle.created, "arguments_ignored": bool(handle.arguments_ignored)}
            output.print_json({"workflow_id": handle.workflow_id, **met})
        else:
            print(output.printable(handle.workflow_id))


def _answer(session: Session, workflow_id: str, result: Any) -> None:
    if session.as_json:
        output.print_json({"workflow_id": workflow_id, "status": "SUCCESS", "output": result})
    else:
        output.note(workflow_id)
        print(output.printable(output.document(result)))


def _result(handle: Any, timeout: float | None) -> Any:
    """The result; whatever else the workflow came to is one kind of error here."""
    try:
        return handle.get_result(timeout=timeout)
    except PASSED_ON:
        raise
    except Exception as error:
        workflow_id = handle.workflow_id
        said = output.document(error)
        raise WorkflowEnded(
            workflow_id,
            f"workflow {workflow_id!r} has no result: {said}\n`durably workflow steps` shows how far it came",
        ) from error
