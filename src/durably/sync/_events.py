# Generated from src/durably/aio/_events.py; do not edit: `make generate`.
"""Events: published and read."""

from __future__ import annotations

from typing import Any, TypeVar, overload

from durably.core import checks, ops
from durably.engine.context import current_run
from durably.types import Seconds

__all__ = ["get_event", "set_event"]

T = TypeVar("T")


def set_event(key: str, value: Any) -> None:
    """Publish a value under a key; who waits for it (`get_event`, here or in a client) wakes at once.

    sync.set_event("status", {"stage": "charged"})
    """
    return current_run().perform_blocking(ops.SetEventValue(checks.address("key", key), value))


@overload
def get_event(workflow_id: str, key: str, *, timeout: Seconds = 60.0) -> Any: ...


@overload
def get_event(workflow_id: str, key: str, *, timeout: Seconds = 60.0, type: type[T]) -> T | None: ...


def get_event(workflow_id: str, key: str, *, timeout: Seconds = 60.0, type: Any = Any) -> Any:
    """What another workflow published under a key, waiting up to `timeout` seconds for it; then None.

    status = sync.get_event("order-17", "status", timeout=10)
    """
    checks.address("workflow_id", workflow_id)
    limit = checks.span("timeout", timeout)
    return current_run().perform_blocking(ops.GetEvent(workflow_id, checks.address("key", key), limit, type))
