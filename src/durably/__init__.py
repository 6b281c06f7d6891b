"""Durable workflows as ordinary Python functions on PostgreSQL, and a client for any DBOS application.

from durably import App, DBOSClient, aio, sync
"""

from __future__ import annotations

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
from durably.types import EnqueueOptions, Retry, StepInfo, WorkflowFilter, WorkflowStatus

__all__ = [
    "App",
    "AsyncDBOSClient",
    "AsyncWorkflowHandle",
    "DBOSClient",
    "DeclaredWorkflow",
    "Enqueue",
    "EnqueueOptions",
    "Message",
    "Queue",
    "Retry",
    "StepInfo",
    "WorkflowFilter",
    "WorkflowHandle",
    "WorkflowStatus",
    "aio",
    "declare_workflow",
    "errors",
    "sync",
]
