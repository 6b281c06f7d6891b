"""`durably enqueue`, `enqueue-many`, `debounce`: start workflows of any application."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Annotated, Any

import typer

from durably.cli import bulk, connection, jsonlines, output, values
from durably.cli.command import Session, command
from durably.cli.completion import queues_completed
from durably.cli.failures import INTERRUPTED, UsageError
from durably.cli.waiting import answer_with_result
from durably.errors import ArgumentsIgnored

if TYPE_CHECKING:
    from durably.types import EnqueueOptions

__all__ = ["app"]

app = typer.Typer()

Name = Annotated[str, typer.Argument(metavar="WORKFLOW", help="The workflow's name.")]
Args = Annotated[
    list[str] | None,
    typer.Argument(metavar="[ARGS]...", help="Its arguments: JSON, or text where they are not JSON."),
]
Kwargs = Annotated[
    str | None, typer.Option("--kwargs", metavar="JSON", help="Arguments by name, as a JSON object.")
]


@dataclass(frozen=True, kw_only=True)
class Enqueueing:
    """The options of EnqueueOptions that the command has."""

    queue_name: Annotated[
        str,
        typer.Option(
            "--queue", metavar="QUEUE", help="The queue to put it on.", autocompletion=queues_completed
        ),
    ]
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
    workflow_name: Name,
    session: Session,
    enqueueing: Enqueueing,
    args: Args = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the result, and print it.")] = False,
    wait_timeout: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="With --wait: exit with 5 after so long.")
    ] = None,
) -> None:
    """Enqueue a workflow, and print its id.

    Example: durably enqueue purchaseTicket Stonebraker '["a1", "a2"]' --queue tickets --class Authority
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
            return answer_with_result(session, handle, wait_timeout)
    met = {"created": handle.created, "arguments_ignored": bool(handle.arguments_ignored)}
    id_ = handle.workflow_id
    output.answer(session.form, {"workflow_id": id_, **met}, id_, id_=id_)


@app.command("enqueue-many")
@command
def enqueue_many(
    session: Session,
    path: Annotated[
        str, typer.Argument(metavar="[FILE]", help="JSON lines; `-`, or nothing: the standard input.")
    ] = "-",
    queue: Annotated[
        str | None,
        typer.Option(
            "--queue",
            metavar="QUEUE",
            help="Of lines that name none (queue_name).",
            autocompletion=queues_completed,
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="WORKFLOW", help="Of lines that name none (workflow_name)."),
    ] = None,
) -> None:
    """Enqueue a workflow for each line of JSON, and print their ids; 500 at a time, all of those or none.

    A line has args (a list), kwargs (an object), workflow_name, queue_name, and any option of `enqueue` under
    the client's name for it.

    Example: echo '{"workflow_name": "add", "args": [1, 2]}' | durably enqueue-many --queue sums
    """
    from durably.client import Enqueue

    usual = {"queue_name": queue, "workflow_name": name}
    given = {field: value for field, value in usual.items() if value is not None}
    needed = tuple(field for field in usual if field not in given)
    lines = jsonlines.read_lines(path, needed=needed, known=("args", "kwargs", *_options()))
    items = [_item(number, given | line) for number, line in enumerate(lines, 1)]
    done: list[str] = []
    with connection.client(session) as client, bulk.stoppable() as is_stopped:
        with bulk.progress("enqueued", len(items)) as advance:
            for start in range(0, len(items), bulk.BATCH):
                if is_stopped():
                    break
                batch = [Enqueue(*item) for item in items[start : start + bulk.BATCH]]
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", ArgumentsIgnored)  # the same file again is no mistake
                    handles = client.enqueue_many(batch)
                _print_ids(session, [handle.workflow_id for handle in handles])
                done += [handle.workflow_id for handle in handles]
                advance(len(batch))
    if len(done) < len(items):
        output.note(f"interrupted: {len(done):,} of {len(items):,} enqueued")
        raise typer.Exit(INTERRUPTED)
    output.note(f"{output.counted(len(done), 'workflow')} enqueued")


@app.command()
@command
def debounce(
    workflow_name: Name,
    session: Session,
    queue: Annotated[
        str,
        typer.Option(
            "--queue", metavar="QUEUE", help="The queue to put it on.", autocompletion=queues_completed
        ),
    ],
    key: Annotated[str, typer.Option("--key", metavar="KEY", help="Calls of one key start one workflow.")],
    period: Annotated[
        float, typer.Option("--period", metavar="SECONDS", help="It starts so long after the last call.")
    ],
    args: Args = None,
    most: Annotated[
        float | None,
        typer.Option(
            "--at-most", metavar="SECONDS", help="It starts so long after the first, whatever comes."
        ),
    ] = None,
    kwargs: Kwargs = None,
    class_name: Annotated[
        str | None, typer.Option("--class", metavar="CLASS", help="The class that the workflow belongs to.")
    ] = None,
) -> None:
    """Start a workflow when no call of this key has come for a while; prints the id of that run.

    Example: durably debounce index page-7 --queue searches --key page-7 --period 5
    """
    from durably.types import Debounce, EnqueueOptions

    options: EnqueueOptions[..., Any] = EnqueueOptions(
        workflow_name=workflow_name, queue_name=queue, workflow_class_name=class_name
    )
    arguments = [values.value(text) for text in args or []]
    named = values.json_object("--kwargs", kwargs)
    with connection.client(session) as client:
        handle = client.debounce(options, Debounce(key, period, most), *arguments, **named)
    output.answer(
        session.form, {"workflow_id": handle.workflow_id}, handle.workflow_id, id_=handle.workflow_id
    )


def _options() -> tuple[str, ...]:
    from durably.types import EnqueueOptions

    return tuple(field.name for field in fields(EnqueueOptions) if field.name != "result_type")


def _item(number: int, line: dict[str, Any]) -> tuple[EnqueueOptions[..., Any], list[Any], dict[str, Any]]:
    """Options and arguments of a line."""
    from durably.types import EnqueueOptions

    args, kwargs = line.pop("args", []), line.pop("kwargs", {})
    if not isinstance(args, list) or not isinstance(kwargs, dict):
        raise UsageError(f"workflow {number}: args is a list, and kwargs an object; nothing was done")
    return EnqueueOptions(**line), args, kwargs


def _print_ids(session: Session, ids: list[str]) -> None:
    if session.as_json:
        for each in ids:
            output.print_line({"workflow_id": each})
    else:
        output.print_ids(session.form, ids)
