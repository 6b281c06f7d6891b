"""`durably workflow wait|result`: until workflows have ended."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from durably.cli import bulk, connection, output
from durably.cli.command import Session, command
from durably.cli.completion import ids_completed
from durably.cli.failures import WorkflowEnded
from durably.errors import CodecError, ConfigurationError, DatabaseError, NoSuchWorkflow, WorkflowTimeout

__all__ = ["answer_with_result", "app"]

app = typer.Typer()

Timeout = Annotated[
    float | None, typer.Option("--timeout", metavar="SECONDS", help="Exit with 5 after so long.")
]
PASSED_ON = (CodecError, DatabaseError, ConfigurationError, NoSuchWorkflow, WorkflowTimeout)


@app.command()
@command
def result(
    workflow_id: Annotated[
        str, typer.Argument(metavar="ID", help="The workflow's id.", autocompletion=ids_completed)
    ],
    session: Session,
    timeout: Timeout = None,
) -> None:
    """Wait for a workflow's result, and print it; exits with 1 if it has none.

    Example: durably workflow result order-17 --timeout 60
    """
    with connection.client(session) as client:
        answer_with_result(session, client.retrieve_workflow(workflow_id), timeout)


@app.command()
@command
def wait(
    ids: Annotated[
        list[str],
        typer.Argument(
            metavar="ID...",
            help="Their ids; `-` reads them from the standard input.",
            autocompletion=ids_completed,
        ),
    ],
    session: Session,
    any_: Annotated[bool, typer.Option("--any", help="Until the first one has ended.")] = False,
    timeout: Timeout = None,
) -> None:
    """Wait until workflows have ended, and print their statuses; exits with 1 if one did not succeed.

    Example: durably workflow list --queue mails --status active -o ids | durably workflow wait -
    """
    with connection.client(session) as client:
        handles = [client.retrieve_workflow(id_) for id_ in bulk.ids_given(ids)]
        if not handles:
            return output.note("no ids were given")
        ended = [client.wait_first(handles, timeout)] if any_ else client.wait_all(handles, timeout)
        found = [handle.get_status() for handle in ended]
    output.print_list(
        session.form,
        found,
        columns=("workflow_id", "status"),
        row=lambda each: (each.workflow_id, each.status),
        id_of=lambda each: each.workflow_id,
        empty="",
        bare=True,
    )
    if any(each.status != "SUCCESS" for each in found):
        raise typer.Exit(1)


def answer_with_result(session: Session, handle: Any, timeout: float | None) -> None:
    """Print the result of a workflow, its id for the person."""
    found = _result(handle, timeout)
    if session.as_json:
        document = {"workflow_id": handle.workflow_id, "status": "SUCCESS", "output": found}
        return output.answer(session.form, document, "", id_=handle.workflow_id)
    output.note(handle.workflow_id)
    output.answer(session.form, found, output.document(found), id_=handle.workflow_id)


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
