# Generated from src/durably/aio/__init__.py; do not edit: `make generate`.
"""What a workflow can do besides calling steps and other workflows: for `def` workflows.

Every operation takes its number when it is called, in call order. `durably.aio` has the same functions for
`async def` workflows. Durations are seconds or `timedelta`; instants are aware `datetime`s. All of them raise
WrongContext outside a workflow.
"""

from __future__ import annotations

from durably.sync._choices import (
    as_completed,
    first_of,
    on_event,
    on_message,
    on_result,
    on_step,
    on_timer,
)
from durably.sync._cleanup import shield
from durably.sync._context import cancel_requested, client, context, step_id, workflow_id
from durably.sync._events import get_event, set_event
from durably.sync._generations import continue_as_new
from durably.sync._messages import recv, send, send_many
from durably.sync._patches import deprecate_patch, patch
from durably.sync._progress import heartbeat, saved_progress
from durably.sync._questions import Request, ask, recv_request
from durably.sync._steps import StepOptions, run_step, step_options
from durably.sync._streams import close_stream, read_stream, read_stream_offset, write_stream
from durably.sync._time import sleep, sleep_until
from durably.sync._values import now, random, uuid4

__all__ = [
    "Request",
    "StepOptions",
    "as_completed",
    "ask",
    "cancel_requested",
    "client",
    "close_stream",
    "context",
    "continue_as_new",
    "deprecate_patch",
    "first_of",
    "get_event",
    "heartbeat",
    "now",
    "on_event",
    "on_message",
    "on_result",
    "on_step",
    "on_timer",
    "patch",
    "random",
    "read_stream",
    "read_stream_offset",
    "recv",
    "recv_request",
    "run_step",
    "saved_progress",
    "send",
    "send_many",
    "set_event",
    "shield",
    "sleep",
    "sleep_until",
    "step_id",
    "step_options",
    "uuid4",
    "workflow_id",
    "write_stream",
]
