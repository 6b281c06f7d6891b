"""Durable workflows as ordinary Python functions on PostgreSQL, and a client for any DBOS application.

A name is imported when it is first used: a command line that prints its help, or a script that needs the
client alone, does not pay for the engine and the driver.

    from durably import App, DBOSClient, aio, sync
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from durably import aio, errors, sync
    from durably.app import App, Queue
    from durably.client import (
        AsyncDBOSClient,
        AsyncWorkflowHandle,
        DBOSClient,
        DeclaredWorkflow,
        Enqueue,
        Message,
        WorkflowHandle,
        declare_workflow,
    )
    from durably.errors import RetryAfter
    from durably.types import (
        Arguments,
        Debounce,
        EnqueueOptions,
        RateLimit,
        Retry,
        Schedule,
        ScheduleSpec,
        StepInfo,
        WorkflowFilter,
        WorkflowStatus,
    )

__all__ = [
    "App",
    "Arguments",
    "AsyncDBOSClient",
    "AsyncWorkflowHandle",
    "DBOSClient",
    "Debounce",
    "DeclaredWorkflow",
    "Enqueue",
    "EnqueueOptions",
    "Message",
    "Queue",
    "RateLimit",
    "Retry",
    "RetryAfter",
    "Schedule",
    "ScheduleSpec",
    "StepInfo",
    "WorkflowFilter",
    "WorkflowHandle",
    "WorkflowStatus",
    "aio",
    "declare_workflow",
    "errors",
    "sync",
]

_MODULES = ("aio", "errors", "sync")
_HOMES = {
    "durably.app": ("App", "Queue"),
    "durably.errors": ("RetryAfter",),
    "durably.types": (
        "Arguments",
        "Debounce",
        "EnqueueOptions",
        "RateLimit",
        "Retry",
        "Schedule",
        "ScheduleSpec",
        "StepInfo",
        "WorkflowFilter",
        "WorkflowStatus",
    ),
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    home = next((home for home, names in _HOMES.items() if name in names), "durably.client")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
