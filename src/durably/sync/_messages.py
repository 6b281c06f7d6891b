# Generated from src/durably/aio/_messages.py; do not edit: `make generate`.
"""Messages: sent and received."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar, overload

from durably.client import Message
from durably.core import checks, ops
from durably.engine.context import current_run
from durably.sync._context import client
from durably.types import Seconds

__all__ = ["recv", "send", "send_many"]

T = TypeVar("T")


def send(
    destination_id: str, message: Any, topic: str | None = None, *, idempotency_key: str | None = None
) -> None:
    """Send a message to a workflow, exactly once; NoSuchWorkflow when there is none of that id.

    sync.send("order-17", {"ok": True}, topic="approval")
    """
    checks.address("destination_id", destination_id)
    checks.optional_address("topic", topic)
    checks.optional_address("idempotency_key", idempotency_key)
    return current_run().perform_blocking(ops.SendMessage(destination_id, message, topic, idempotency_key))


def send_many(items: Sequence[Message]) -> None:
    """Send messages in one transaction, exactly once: all of them, or none; received in this order.

    sync.send_many([Message(destination_id=id, message="stop") for id in ids])
    """
    return client().send_many(items)


@overload
def recv(topic: str | None = None, *, timeout: Seconds | None = 60.0) -> Any: ...


@overload
def recv(topic: str | None = None, *, timeout: Seconds | None = 60.0, type: type[T]) -> T | None: ...


def recv(topic: str | None = None, *, timeout: Seconds | None = 60.0, type: Any = Any) -> Any:
    """The oldest message of a topic, decoded to `type`; None when none came within `timeout` seconds.

    A message is consumed and recorded in one transaction: it is received once, and the same one at replay.
    `timeout=None` waits as long as it takes, 0 only looks.

        approval = sync.recv("approval", timeout=3600)
    """
    limit = None if timeout is None else checks.span("timeout", timeout)
    return current_run().perform_blocking(ops.Receive(checks.optional_address("topic", topic), limit, type))
