"""`durably send`, `durably event` and `durably stream`: talk to a workflow."""

from __future__ import annotations

from typing import Annotated

import typer

from durably.cli import connection, output, values
from durably.cli.command import Session, command
from durably.cli.failures import NoEvent

__all__ = ["app"]

app = typer.Typer()

WorkflowId = Annotated[str, typer.Argument(metavar="ID", help="The workflow's id.")]


@app.command()
@command
def send(
    workflow_id: WorkflowId,
    message: Annotated[str, typer.Argument(metavar="MESSAGE", help="JSON, or text where it is not JSON.")],
    session: Session,
    topic: Annotated[str | None, typer.Option(metavar="TOPIC", help="The topic that it waits on.")] = None,
    key: Annotated[
        str | None,
        typer.Option(metavar="KEY", help="Idempotency key: sent again with it, it is the same message."),
    ] = None,
) -> None:
    """Send a message to a workflow."""
    with connection.client(session) as client:
        client.send(workflow_id, values.value(message), topic=topic, idempotency_key=key)
    if session.as_json:
        output.print_json({"destination_id": workflow_id, "topic": topic, "idempotency_key": key})
    else:
        output.note(f"sent to {workflow_id}")


@app.command()
@command
def event(
    workflow_id: WorkflowId,
    key: Annotated[str, typer.Argument(metavar="KEY", help="The key that it publishes.")],
    session: Session,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", help="How long to wait for it.")] = 60.0,
) -> None:
    """Print what a workflow published under a key, waiting for it."""
    with connection.client(session) as client:
        value = client.get_event(workflow_id, key, timeout_seconds=timeout)
        if value is None:
            client.get_workflow(workflow_id)  # raises where there is none
            raise NoEvent(
                workflow_id, f"workflow {workflow_id!r} published nothing under {key!r} within {timeout:g} s"
            )
    if session.as_json:
        output.print_json({"workflow_id": workflow_id, "key": key, "value": value})
    else:
        print(output.printable(output.document(value)))


@app.command()
@command
def stream(
    workflow_id: WorkflowId,
    key: Annotated[str, typer.Argument(metavar="KEY", help="The key of the stream.")],
    session: Session,
    offset: Annotated[int, typer.Option(metavar="N", help="Leave out the first N values.", min=0)] = 0,
    timeout: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="How long to wait for each value; without it, for ever."),
    ] = None,
) -> None:
    """Print the values of a stream as they come, a line each, until it ends."""
    with connection.client(session) as client:
        found = client.read_stream(workflow_id, key, offset=offset, timeout=timeout)
        for place, value in enumerate(found, offset):
            if session.as_json:
                output.print_line({"offset": place, "value": value})
            else:
                print(output.printable(output.document(value)), flush=True)
