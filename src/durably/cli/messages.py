"""`durably send`, `send-many`, `ask`, `event` and `stream`: talk to workflows."""

from __future__ import annotations

from typing import Annotated

import typer

from durably.cli import connection, jsonlines, output, values
from durably.cli.command import Session, command
from durably.cli.completion import ids_completed
from durably.cli.failures import NoEvent
from durably.cli.output import Form

__all__ = ["app"]

app = typer.Typer()

WorkflowId = Annotated[
    str, typer.Argument(metavar="ID", help="The workflow's id.", autocompletion=ids_completed)
]


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
    """Send a message to a workflow.

    Example: durably send order-17 '{"ok": true}' --topic approval
    """
    with connection.client(session) as client:
        client.send(workflow_id, values.value(message), topic=topic, idempotency_key=key)
    if session.form is Form.table:
        return output.note(f"sent to {workflow_id}")
    document = {"destination_id": workflow_id, "topic": topic, "idempotency_key": key}
    output.answer(session.form, document, "", id_=workflow_id)


@app.command("send-many")
@command
def send_many(
    session: Session,
    path: Annotated[
        str, typer.Argument(metavar="[FILE]", help="JSON lines; `-`, or nothing: the standard input.")
    ] = "-",
) -> None:
    """Send a message for each line of JSON: all of them, or none.

    A line has destination_id and message, and may have topic, idempotency_key and serialization.

    Example: echo '{"destination_id": "order-17", "message": "stop"}' | durably send-many
    """
    from durably.client import Message

    lines = jsonlines.read_lines(
        path,
        needed=("destination_id", "message"),
        known=("destination_id", "message", "topic", "idempotency_key", "serialization"),
    )
    with connection.client(session) as client:
        client.send_many([Message(**line) for line in lines])
    if session.form is Form.table:
        return output.note(f"{output.counted(len(lines), 'message')} sent")
    ids = [line["destination_id"] for line in lines]
    if session.form is Form.json:
        return output.print_json({"sent": ids, "count": len(ids)})
    output.print_ids(session.form, ids)


@app.command()
@command
def ask(
    workflow_id: WorkflowId,
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="JSON, or text where it is not JSON.")],
    session: Session,
    topic: Annotated[str | None, typer.Option(metavar="TOPIC", help="The topic that it waits on.")] = None,
    key: Annotated[
        str | None, typer.Option(metavar="KEY", help="Idempotency key: asked again with it, the same reply.")
    ] = None,
    timeout: Annotated[
        float, typer.Option("--timeout", metavar="SECONDS", help="Exit with 5 after so long.")
    ] = 60.0,
) -> None:
    """Ask a workflow that runs, and print its reply.

    Example: durably ask order-17 '{"may": "ship"}' --topic questions
    """
    asked = values.value(question)
    with connection.client(session) as client:
        reply = client.ask(workflow_id, asked, topic, timeout=timeout, idempotency_key=key)
    document = {"workflow_id": workflow_id, "reply": reply}
    output.answer(session.form, document, output.document(reply), id_=workflow_id)


@app.command()
@command
def event(
    workflow_id: WorkflowId,
    key: Annotated[str, typer.Argument(metavar="KEY", help="The key that it publishes.")],
    session: Session,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", help="How long to wait for it.")] = 60.0,
) -> None:
    """Print what a workflow published under a key, waiting for it.

    Example: durably event order-17 status --timeout 10
    """
    with connection.client(session) as client:
        value = client.get_event(workflow_id, key, timeout_seconds=timeout)
        if value is None:
            client.get_workflow(workflow_id)  # raises where there is none
            raise NoEvent(
                workflow_id, f"workflow {workflow_id!r} published nothing under {key!r} within {timeout:g} s"
            )
    document = {"workflow_id": workflow_id, "key": key, "value": value}
    output.answer(session.form, document, output.document(value), id_=workflow_id)


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
    only: Annotated[
        int | None, typer.Option("--at", metavar="N", help="Only the value at this offset.", min=0)
    ] = None,
) -> None:
    """Print the values of a stream as they come, a line each, until it ends.

    Example: durably stream chat-17 tokens --timeout 60
    """
    with connection.client(session) as client:
        if only is not None:
            value = client.read_stream_offset(workflow_id, key, only, timeout=timeout)
            document = {"offset": only, "value": value}
            return output.answer(session.form, document, output.document(value), id_=str(only))
        found = client.read_stream(workflow_id, key, offset=offset, timeout=timeout)
        for place, value in enumerate(found, offset):
            if session.as_json:
                output.print_line({"offset": place, "value": value})
            else:
                print(output.printable(output.document(value)), flush=True)
