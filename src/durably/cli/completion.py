"""What the shell offers at Tab: names and ids that are in the database, at once or not at all."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import typer  # noqa: TC002  (it reads the annotations of these functions)

from durably.cli.command import Session
from durably.types import ACTIVE, TERMINAL, WorkflowFilter

if TYPE_CHECKING:
    from durably.client import DBOSClient

__all__ = [
    "ids_completed",
    "queues_completed",
    "schedules_completed",
    "statuses_completed",
    "versions_completed",
]

PATIENCE = 2  # seconds; a prompt that hangs is worse than one without help
OFFERED = 30
OPTIONS = ("database_url", "system_database", "system_database_url", "schema", "application_name")


def statuses_completed(incomplete: str) -> list[str]:
    """The statuses of workflows."""
    return [each for each in (*ACTIVE, *TERMINAL, "active") if each.lower().startswith(incomplete.lower())]


def ids_completed(ctx: typer.Context, incomplete: str) -> list[str]:
    """The newest workflows whose ids begin so."""
    wanted = WorkflowFilter(
        workflow_id_prefix=incomplete or None,
        sort_desc=True,
        limit=OFFERED,
        load_input=False,
        load_output=False,
    )
    return _asked(
        ctx, incomplete, lambda client: [each.workflow_id for each in client.list_workflows(wanted)]
    )


def queues_completed(ctx: typer.Context, incomplete: str) -> list[str]:
    """The registered queues."""
    return _asked(ctx, incomplete, lambda client: [each.name for each in client.list_queues()])


def schedules_completed(ctx: typer.Context, incomplete: str) -> list[str]:
    """The schedules."""
    return _asked(ctx, incomplete, lambda client: [each.schedule_name for each in client.list_schedules()])


def versions_completed(ctx: typer.Context, incomplete: str) -> list[str]:
    """The registered versions."""
    return _asked(
        ctx, incomplete, lambda client: [each.version_name for each in client.list_application_versions()]
    )


def _asked(ctx: typer.Context, incomplete: str, find: Callable[[DBOSClient], Sequence[str]]) -> list[str]:
    """What was found; nothing where there is no database, or none that answers in time."""
    from durably.cli import connection

    before = signal.signal(signal.SIGALRM, _leave)
    signal.alarm(PATIENCE)
    try:
        with connection.client(_session(ctx)) as client:
            found = find(client)
    except Exception:  # whatever is wrong: the command itself will say it
        return []
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    return [each for each in found if each.startswith(incomplete) and each.isprintable()][:OFFERED]


def _session(ctx: typer.Context) -> Session:
    """Which database the line so far means."""
    return Session(**{name: value for name in OPTIONS if (value := ctx.params.get(name)) is not None})


def _leave(_number: int, _frame: object) -> None:
    os._exit(0)  # a thread may be waiting for the server, and nobody waits for that
