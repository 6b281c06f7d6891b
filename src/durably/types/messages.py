"""Messages, events and streams."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from durably.types.steps import Payload

__all__ = [
    "EventRecord",
    "First",
    "MessageRecord",
    "ReceivedMessage",
    "StreamInfo",
    "StreamRecord",
    "WorkflowEvent",
]


@dataclass(frozen=True, kw_only=True)
class MessageRecord:
    """A message to a workflow as a page shows it; `consumed_by_function_id` is the operation that took it."""

    message_uuid: str
    topic: str | None
    message: Payload
    created_at_epoch_ms: int
    consumed: bool
    consumed_by_function_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class EventRecord:
    """A value that a workflow published under a key, as a page shows it."""

    key: str
    value: Payload
    function_id: int
    is_latest: bool


@dataclass(frozen=True, kw_only=True)
class StreamInfo:
    """A stream of a workflow: how many values it has now, and whether more may come."""

    key: str
    values: int
    is_closed: bool


@dataclass(frozen=True, kw_only=True)
class StreamRecord:
    """One value of a stream as a page shows it."""

    offset: int
    value: Payload
    function_id: int


@dataclass(frozen=True, kw_only=True)
class WorkflowEvent:
    """A value that a workflow published under a key, by the operation `function_id`."""

    key: str
    value: Any
    function_id: int


@dataclass(frozen=True, kw_only=True)
class ReceivedMessage:
    """A message to a workflow; `consumed_by_function_id` is the operation that received it."""

    message_uuid: str
    topic: str | None
    message: Any
    serialization: str | None
    created_at_epoch_ms: int
    consumed: bool
    consumed_by_function_id: int | None = None


@dataclass(frozen=True)
class First:
    """What `first_of` came to: the name of the choice that was first, and its value."""

    name: str
    value: Any = None
