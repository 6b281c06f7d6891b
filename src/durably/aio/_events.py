"""Events: published and read."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar, overload

from durably.core import checks, ops
from durably.engine.context import current_run
from durably.types import Seconds

__all__ = ["get_event", "set_event"]

T = TypeVar("T")


def set_event(key: str, value: Any) -> Coroutine[Any, Any, None]:
    """Publish a value under a key; who waits for it (`get_event`, here or in a client) wakes at once.

    await aio.set_event("status", {"stage": "charged"})
    """
    return current_run().perform(ops.SetEventValue(checks.address("key", key), value))


@overload
def get_event(workflow_id: str, key: str, *, timeout: Seconds = 60.0) -> Coroutine[Any, Any, Any]: ...


@overload
def get_event(
    workflow_id: str, key: str, *, timeout: Seconds = 60.0, type: type[T]
) -> Coroutine[Any, Any, T | None]: ...


def get_event(
    workflow_id: str, key: str, *, timeout: Seconds = 60.0, type: Any = Any
) -> Coroutine[Any, Any, Any]:
    """What another workflow published under a key, waiting up to `timeout` seconds for it; then None.

    status = await aio.get_event("order-17", "status", timeout=10)
    """
    checks.address("workflow_id", workflow_id)
    limit = checks.span("timeout", timeout)
    return current_run().perform(ops.GetEvent(workflow_id, checks.address("key", key), limit, type))
