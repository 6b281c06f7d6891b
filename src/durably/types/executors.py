"""Executors, and the versions and workflows that they run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from durably.types.aliases import ExecutorState

__all__ = [
    "ApplicationVersion",
    "ExecutorInfo",
    "KnownWorkflow",
    "StrandedWorkflow",
    "VersionLoad",
]


@dataclass(frozen=True, kw_only=True)
class ExecutorInfo:
    """A process that runs workflows. Instants are epoch milliseconds, of the database's clock.

    `state` is "alive" while its lease holds, "expired" when that ran out (its work is taken over), "closed"
    after a stop, or "no lease": a process of DBOS. `running_on` counts what runs on it by queue ('' for what
    was started directly).
    """

    executor_id: str
    state: ExecutorState
    application_name: str | None = None
    app_version: str | None = None
    host: str | None = None
    pid: int | None = None
    started_at: int | None = None
    heartbeat_at: int | None = None
    expires_at: int | None = None
    stopped_at: int | None = None
    running_on: Mapping[str, int] = field(default_factory=dict)

    @property
    def running(self) -> int:
        """How many workflows run on it."""
        return sum(self.running_on.values())


@dataclass(frozen=True, kw_only=True)
class VersionLoad:
    """How much work of a version has not ended, each figure up to `counted_to`; None: of no version."""

    app_version: str | None
    enqueued: int
    delayed: int
    running: int
    counted_to: int


@dataclass(frozen=True, kw_only=True)
class KnownWorkflow:
    """A workflow that is known by name: where it ran last, and its parameters where its application tells.

    `parameters` is `{"parameters": [{"name", "kind", "required", "default", "schema"}, ...], "$defs": {...}}`
    with JSON schemas, `kind` "positional" or "keyword". `last_started_at` is in epoch milliseconds.
    """

    name: str
    class_name: str | None = None
    queue_name: str | None = None
    application_name: str | None = None
    last_started_at: int | None = None
    parameters: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class ApplicationVersion:
    """A version of an application, as its first worker registered it.

    The one with the highest `version_timestamp` is the latest: it runs what was enqueued for no version.
    """

    version_id: str
    version_name: str
    version_timestamp: int
    created_at: int
    application_name: str | None = None


@dataclass(frozen=True, kw_only=True)
class StrandedWorkflow:
    """A workflow that was set aside because its recorded operations do not fit the code.

    `function_id` is the first operation that differs, `asked` what the code asked for there and `recorded`
    what the record has. `code` is the fingerprint of the code that met it; `code_changed` tells whether other
    code made the record, or this very code, which then depends on something unrecorded.
    """

    workflow_id: str
    name: str
    class_name: str | None = None
    queue_name: str | None = None
    app_version: str | None = None
    application_name: str | None = None
    function_id: int
    asked: str
    recorded: str
    code: str
    code_changed: bool
    stranded_at: int
    explanation: str
