"""What a workflow can do besides calling steps and other workflows: for `async def` workflows.

Every operation takes its number when it is called, in call order, so `asyncio.gather` and `TaskGroup` replay
stably. `durably.sync` has the same functions for blocking workflows. Durations are seconds or `timedelta`;
instants are aware `datetime`s. All of them raise WrongContext outside a workflow.
"""

from __future__ import annotations

from durably.aio._choices import (
    as_completed,
    first_of,
    on_event,
    on_message,
    on_result,
    on_step,
    on_timer,
)
from durably.aio._cleanup import shield
from durably.aio._context import cancel_requested, client, context, step_id, workflow_id
from durably.aio._events import get_event, set_event
from durably.aio._generations import continue_as_new
from durably.aio._messages import recv, send, send_many
from durably.aio._patches import deprecate_patch, patch
from durably.aio._progress import heartbeat, saved_progress
from durably.aio._questions import Request, ask, recv_request
from durably.aio._steps import StepOptions, run_step, step_options
from durably.aio._streams import close_stream, read_stream, read_stream_offset, write_stream
from durably.aio._time import sleep, sleep_until
from durably.aio._values import now, random, uuid4

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
