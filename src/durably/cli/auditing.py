"""What operators do on the command line is in the audit, in the words of the console and of the HTTP API.

A client of a command notes each of the verbs below before it is done, and how it ended; a dry run changes
nothing, and leaves no trace. Where the audit is not kept, all works and nothing is noted.
"""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from durably.client import DBOSClient

__all__ = ["ENVIRONMENT_ACTOR", "actor", "audited", "noted"]

ENVIRONMENT_ACTOR = "DURABLY_ACTOR"

# The client's verb: the audit's, and what it is done to.
VERBS = {
    "enqueue": ("enqueue", "workflow"),
    "enqueue_many": ("enqueue", "workflow"),
    "debounce": ("debounce", "workflow"),
    "cancel_workflow": ("cancel", "workflow"),
    "cancel_workflows": ("cancel", "workflow"),
    "resume_workflow": ("resume", "workflow"),
    "resume_workflows": ("resume", "workflow"),
    "pause_workflow": ("pause", "workflow"),
    "pause_workflows": ("pause", "workflow"),
    "unpause_workflow": ("unpause", "workflow"),
    "unpause_workflows": ("unpause", "workflow"),
    "delete_workflows": ("delete", "workflow"),
    "move_workflows": ("move", "workflow"),
    "fork_workflow": ("fork", "workflow"),
    "fork_workflows": ("fork", "workflow"),
    "rewind_workflow": ("rewind", "workflow"),
    "rewind_workflows": ("rewind", "workflow"),
    "requeue_dead_letters": ("requeue", "workflow"),
    "set_workflow_delay": ("set delay", "workflow"),
    "set_workflow_priority": ("set priority", "workflow"),
    "update_workflow_attributes": ("set attributes", "workflow"),
    "send": ("send", "workflow"),
    "send_many": ("send", "workflow"),
    "ask": ("ask", "workflow"),
    "register_queue": ("register", "queue"),
    "update_queue": ("change limits", "queue"),
    "pause_queue": ("pause", "queue"),
    "resume_queue": ("resume", "queue"),
    "drain_queue": ("drain", "queue"),
    "delete_queue": ("delete", "queue"),
    "create_schedule": ("create", "schedule"),
    "apply_schedules": ("put", "schedule"),
    "pause_schedule": ("pause", "schedule"),
    "resume_schedule": ("resume", "schedule"),
    "trigger_schedule": ("trigger", "schedule"),
    "backfill_schedule": ("backfill", "schedule"),
    "delete_schedule": ("delete", "schedule"),
    "set_latest_application_version": ("make latest", "version"),
}
# What else was asked for that is no payload.
DETAILS = (
    "cancel_children", "delete_children", "queue_name", "reason", "paused_by", "start_step", "executor_id",
    "timeout", "topic", "delay", "delay_until", "app_version", "concurrency", "worker_concurrency", "limiter",
    "partition_concurrency", "partition_worker_concurrency", "partition_limiter",
)  # fmt: skip
NAMES = ("workflow_id", "destination_id", "schedule_name", "workflow_name", "name")  # the first that is there


def actor() -> str:
    """Who acts: DURABLY_ACTOR, otherwise the user of the operating system and the machine, as `ada@db-1`."""
    if named := os.environ.get(ENVIRONMENT_ACTOR, "").strip():
        return named
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    return f"{user}@{socket.gethostname()}"


@contextmanager
def noted(
    client: DBOSClient, verb: str, kind: str, target: str | Sequence[str], **detail: Any
) -> Iterator[Callable[[str | None], None]]:
    """Note that it begins, and how it ended; what is called with words says what came of it."""
    entry = client.begin_audit(actor(), verb, kind=kind, target=target, detail=detail, source="cli")
    said: list[str | None] = [None]
    try:
        yield said.append
    except BaseException as error:
        client.end_audit(entry, "failed", f"{type(error).__name__}: {error}")
        raise
    client.end_audit(entry, "done", said[-1])


def audited(client: DBOSClient) -> DBOSClient:
    """The client, whose verbs above are noted."""
    return cast("DBOSClient", _Audited(client))


class _Audited:
    def __init__(self, client: DBOSClient) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        called = getattr(self._client, name)
        return self._noting(name, called) if name in VERBS else called

    def _noting(self, name: str, called: Callable[..., Any]) -> Callable[..., Any]:
        verb, kind = VERBS[name]

        def call(*args: Any, **options: Any) -> Any:
            if options.get("dry_run"):
                return called(*args, **options)
            detail = {key: options[key] for key in DETAILS if options.get(key) is not None}
            if detail.get("paused_by") == actor():
                del detail["paused_by"]  # the entry says who
            with noted(self._client, verb, kind, _targets(args, options), **detail) as say:
                result = called(*args, **options)
                say(_came_to(result))
            return result

        return call


def _targets(args: Sequence[Any], options: dict[str, Any]) -> str | list[str]:
    """The names of what it is done to."""
    first = args[0] if args else next((options[name] for name in NAMES if name in options), ())
    if isinstance(first, str):
        return first
    if hasattr(first, "workflow_name"):
        return _name(first)
    many = first if isinstance(first, Sequence) else getattr(first, "workflow_ids", None) or ()
    if isinstance(many, str):
        return many
    return [each if isinstance(each, str) else _name(each) for each in many]


def _name(thing: Any) -> str:
    thing = getattr(thing, "options", thing)  # of one of many to enqueue
    return next(str(value) for name in NAMES if (value := getattr(thing, name, None)) is not None)


def _came_to(result: Any) -> str | None:
    """What came of it, never a payload: how many, or the id of what was made."""
    if result is False:
        return "nothing was changed"
    if isinstance(result, list):
        return f"{len(result)} done"
    made = getattr(result, "workflow_id", None)
    return made if isinstance(made, str) else None
