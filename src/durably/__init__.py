"""Durable workflows as ordinary Python functions on PostgreSQL, and a client for any DBOS application.

    from durably import App, DBOSClient, aio, sync
"""

from __future__ import annotations

from durably import aio, errors, sync
from durably.app import App, Queue
from durably.types import EnqueueOptions, Retry, StepInfo, WorkflowFilter, WorkflowStatus

__all__ = [
    "App",
    "EnqueueOptions",
    "Queue",
    "Retry",
    "StepInfo",
    "WorkflowFilter",
    "WorkflowStatus",
    "aio",
    "errors",
    "sync",
]
