"""Which workflows a command is for: conditions as options."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Annotated, Any, cast

import typer

from durably.cli import values
from durably.cli.completion import queues_completed, statuses_completed
from durably.cli.failures import UsageError
from durably.cli.output import Form
from durably.types import ACTIVE, TERMINAL, WorkflowFilter

__all__ = ["PAGE", "Chosen", "Conditions", "Wanted", "instant"]


PAGE = 20  # workflows that a person is shown


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """Every condition that is given holds, one given twice is any of them."""

    status: Annotated[
        list[str] | None,
        typer.Option(
            "--status",
            "-S",
            metavar="STATUS",
            help=", ".join(ACTIVE + TERMINAL) + "; or `active`.",
            autocompletion=statuses_completed,
        ),
    ] = None
    name: Annotated[
        list[str] | None, typer.Option("--name", "-n", metavar="WORKFLOW", help="The workflow's name.")
    ] = None
    queue_name: Annotated[
        list[str] | None,
        typer.Option(
            "--queue", "-q", metavar="QUEUE", help="The queue it was put on.", autocompletion=queues_completed
        ),
    ] = None
    workflow_id_prefix: Annotated[
        str | None, typer.Option("--id-prefix", metavar="TEXT", help="How its id begins.")
    ] = None
    app_version: Annotated[
        list[str] | None, typer.Option("--app-version", "-v", metavar="VERSION", help="The version it is of.")
    ] = None
    executor_id: Annotated[
        list[str] | None, typer.Option("--executor", metavar="ID", help="The process that runs or ran it.")
    ] = None
    authenticated_user: Annotated[
        list[str] | None, typer.Option("--user", "-u", metavar="USER", help="For whom it runs.")
    ] = None
    parent_workflow_id: Annotated[
        list[str] | None, typer.Option("--parent", metavar="ID", help="The workflow that started it.")
    ] = None
    forked_from: Annotated[
        list[str] | None, typer.Option("--forked-from", metavar="ID", help="The workflow it is a fork of.")
    ] = None
    schedule_name: Annotated[
        list[str] | None, typer.Option("--schedule", metavar="NAME", help="The schedule that started it.")
    ] = None
    attributes: Annotated[
        str | None,
        typer.Option("--attributes", metavar="JSON", help="An object; its own has all of these values."),
    ] = None
    start_time: Annotated[
        str | None,
        typer.Option("--start-time", "-t", metavar="TIME", help="Created then or later: ISO 8601."),
    ] = None
    end_time: Annotated[
        str | None, typer.Option("--end-time", "-e", metavar="TIME", help="Created then or before: ISO 8601.")
    ] = None
    completed_after: Annotated[
        str | None, typer.Option("--completed-after", metavar="TIME", help="Ended then or later.")
    ] = None
    completed_before: Annotated[
        str | None, typer.Option("--completed-before", metavar="TIME", help="Ended then or before.")
    ] = None
    is_paused: Annotated[
        bool | None, typer.Option("--paused/--not-paused", help="Whether somebody has paused it.")
    ] = None

    def conditions(self) -> dict[str, Any]:
        """The client's conditions, those that are given."""
        given = {field.name: getattr(self, field.name) for field in fields(Conditions)} | {
            "status": _statuses(self.status),
            "attributes": values.json_object("--attributes", self.attributes) or None,
            "start_time": instant("--start-time", self.start_time),
            "end_time": instant("--end-time", self.end_time),
            "completed_after": instant("--completed-after", self.completed_after),
            "completed_before": instant("--completed-before", self.completed_before),
        }
        return {name: value for name, value in given.items() if value not in (None, [])}


@dataclass(frozen=True, kw_only=True)
class Wanted(Conditions):
    """Which workflows to list, and how."""

    oldest_first: Annotated[bool, typer.Option("--oldest-first", help="Otherwise the newest is first.")] = (
        False
    )
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit",
            "-l",
            metavar="N",
            min=0,
            help=f"At most so many. Otherwise {PAGE}, and all with -o ids and -o jsonl.",
        ),
    ] = None
    offset: Annotated[int, typer.Option("--offset", metavar="N", min=0, help="Leave out so many.")] = 0
    payloads: Annotated[
        bool, typer.Option("--payloads", help="With -o json: their inputs and outputs, too.")
    ] = False

    def filter(self, form: Form) -> WorkflowFilter:
        """The client's filter; what is for the next command has no page."""
        usual = None if form in (Form.ids, Form.jsonl) else PAGE
        return WorkflowFilter(
            **self.conditions(),
            limit=usual if self.limit is None else self.limit,
            offset=self.offset,
            sort_desc=not self.oldest_first,
            load_input=self.payloads,
            load_output=self.payloads,
        )


@dataclass(frozen=True, kw_only=True)
class Chosen(Conditions):
    """Which workflows to do something to, the oldest first."""

    limit: Annotated[
        int | None, typer.Option("--limit", "-l", metavar="N", min=1, help="At most so many, the oldest.")
    ] = None
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Change nothing, only say how many, and some of them.")
    ] = False
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask, however many there are.")] = False


def _statuses(given: list[str] | None) -> Any:
    if not given:
        return None
    chosen = [status for text in given for status in (ACTIVE if text == "active" else [text.upper()])]
    unknown = [status for status in chosen if status not in ACTIVE + TERMINAL]
    if unknown:
        allowed = ", ".join(ACTIVE + TERMINAL)
        raise UsageError(f"--status {unknown[0]}: there is no such status; there are {allowed}, or active")
    return cast("Any", chosen)


def instant(option: str, text: str | None) -> datetime | None:
    """An instant; local time where it names no zone."""
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        raise UsageError(f"{option} {text!r} is not a time: write it like 2026-05-01T19:30 (local)") from None
