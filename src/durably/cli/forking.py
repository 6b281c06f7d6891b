"""`durably workflow fork|rewind`: let workflows run again from some step."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import typer

from durably.cli import bulk, connection, output, values
from durably.cli.command import Session, command
from durably.cli.failures import UsageError
from durably.types import Arguments, StartStep

__all__ = ["app"]

app = typer.Typer()

Ids = Annotated[
    list[str],
    typer.Argument(metavar="ID...", help="Their ids; `-` reads them from the standard input, one a line."),
]


@dataclass(frozen=True, kw_only=True)
class Again:
    """From where, for whom, and with which edits."""

    start: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="STEP",
            help="The number of the first step that runs again (`workflow steps` has them), or `failure`. "
            "Otherwise all run again.",
        ),
    ] = None
    queue_name: Annotated[
        str | None,
        typer.Option("--on", metavar="QUEUE", help="Where it goes on; otherwise DBOS's internal queue."),
    ] = None
    queue_partition_key: Annotated[
        str | None, typer.Option("--partition-key", metavar="KEY", help="Its partition of that queue.")
    ] = None
    app_version: Annotated[
        str | None,
        typer.Option("--app-version", "-v", metavar="VERSION", help="For workers of this version."),
    ] = None
    args: Annotated[
        str | None, typer.Option("--args", metavar="JSON", help="Other arguments, as a JSON list.")
    ] = None
    kwargs: Annotated[
        str | None, typer.Option("--kwargs", metavar="JSON", help="Other arguments by name, as an object.")
    ] = None
    outputs: Annotated[
        list[str] | None,
        typer.Option("--output-of", metavar="STEP=JSON", help="Another outcome of a step that is kept."),
    ] = None

    def common(self) -> dict[str, Any]:
        """What the client takes for one and for several."""
        return {
            "start_step": _step(self.start),
            "queue_name": self.queue_name,
            "queue_partition_key": self.queue_partition_key,
            "app_version": self.app_version,
        }

    def edits(self) -> dict[str, Any]:
        """What it takes for one alone; {} where nothing is edited."""
        found: dict[str, Any] = {}
        if self.args is not None or self.kwargs is not None:
            args = json_list("--args", self.args)
            found["arguments"] = Arguments(args, values.json_object("--kwargs", self.kwargs))
        if self.outputs:
            found["outputs"] = dict(map(_outcome, self.outputs))
        return found


@app.command()
@command
def fork(
    ids: Ids,
    session: Session,
    again: Again,
    new_id: Annotated[
        str | None, typer.Option("--id", metavar="ID", help="The fork's id: the same again is the same fork.")
    ] = None,
    children: Annotated[
        list[str] | None,
        typer.Option("--child", metavar="OLD=NEW", help="Another id in place of a recorded child's."),
    ] = None,
    timeout: Annotated[
        float | None, typer.Option("--timeout", metavar="SECONDS", help="How long the fork may run.")
    ] = None,
) -> None:
    """Begin new workflows with what others recorded before a step; prints the forks' ids.

    Example: durably workflow fork order-17 --from failure --args '["a1"]'
    """
    given, edits = bulk.ids_given(ids), again.edits()
    if new_id is not None:
        edits["new_workflow_id"] = new_id
    if children:
        edits["replacement_children"] = dict(_pair("--child", text) for text in children)
    with connection.client(session) as client:
        if len(given) == 1:
            handles = [client.fork_workflow(given[0], **again.common(), **edits, timeout=timeout)]
        else:
            _refuse_edits(edits)
            handles = client.fork_workflows(given, **again.common(), timeout=timeout)
    _say(session, given, [handle.workflow_id for handle in handles], "forked_from")


@app.command()
@command
def rewind(ids: Ids, session: Session, again: Again) -> None:
    """Let workflows that have ended go on from a step under their ids; what came after is forgotten.

    Example: durably workflow list --status ERROR -o ids | durably workflow rewind - --from failure
    """
    given, edits = bulk.ids_given(ids), again.edits()
    with connection.client(session) as client:
        if len(given) == 1:
            client.rewind_workflow(given[0], **again.common(), **edits)
        else:
            _refuse_edits(edits)
            client.rewind_workflows(given, **again.common())
    _say(session, given, given, "rewound")


def _refuse_edits(edits: dict[str, Any]) -> None:
    if edits:
        raise UsageError("edits, --id and --child are for one workflow, and these are several")


def _say(session: Session, given: Sequence[str], made: Sequence[str], word: str) -> None:
    pairs = list(zip(given, made, strict=True))
    output.print_list(
        session.form,
        [{"workflow_id": new, word: old} for old, new in pairs],
        columns=("workflow_id",),
        row=lambda each: (each["workflow_id"],),
        id_of=lambda each: str(each["workflow_id"]),
        empty="nothing was given",
        bare=True,
    )


def _step(text: str | None) -> StartStep:
    failure: Literal["failure"] = "failure"
    if text is None or text == failure:
        return None if text is None else failure
    try:
        return int(text)
    except ValueError:
        raise UsageError(f"--from {text}: give a step's number, or failure") from None


def _pair(option: str, text: str) -> tuple[str, str]:
    before, separator, after = text.partition("=")
    if not (before and separator and after):
        raise UsageError(f"{option} {text}: write it like OLD=NEW")
    return before, after


def _outcome(text: str) -> tuple[int, Any]:
    number, value = _pair("--output-of", text)
    if not number.isdecimal():
        raise UsageError(f"--output-of {text}: write it like 3=JSON, with a step's number")
    return int(number), values.value(value)


def json_list(option: str, text: str | None) -> list[Any]:
    """The JSON list that an option was given."""
    try:
        found = json.loads(text or "[]")
    except ValueError as error:
        raise UsageError(f"{option} is not JSON: {error}; write it like '[\"a1\", 2]'") from None
    if not isinstance(found, list):
        raise UsageError(f"{option} must be a JSON list, like '[\"a1\", 2]', and is {text!r}")
    return found
