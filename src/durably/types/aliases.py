"""The literals and aliases that options and fields take."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal, TypeAlias

__all__ = [
    "ACTIVE",
    "ROLES",
    "TERMINAL",
    "AuditOutcome",
    "AuditSource",
    "DuplicationPolicy",
    "ErrorClasses",
    "ExecutorState",
    "Isolation",
    "Level",
    "QueueConflict",
    "Role",
    "ScheduleOverlap",
    "Seconds",
    "StartStep",
    "Status",
    "WorkflowIdReusePolicy",
    "WorkflowOrder",
]


Seconds: TypeAlias = float | timedelta
ErrorClasses: TypeAlias = type[BaseException] | tuple[type[BaseException], ...]
Status: TypeAlias = Literal[
    "ENQUEUED",
    "DELAYED",
    "PENDING",
    "SUCCESS",
    "ERROR",
    "CANCELLED",
    "MAX_RECOVERY_ATTEMPTS_EXCEEDED",
]
DuplicationPolicy: TypeAlias = Literal["reject", "return-existing"]
WorkflowIdReusePolicy: TypeAlias = Literal["return-existing", "reject"]

Isolation: TypeAlias = Literal["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"]
QueueConflict: TypeAlias = Literal["update_if_latest_version", "always_update", "never_update"]

Level: TypeAlias = Literal["ok", "warning", "error"]

ScheduleOverlap: TypeAlias = Literal["allow", "skip", "buffer_one"]

ExecutorState: TypeAlias = Literal["alive", "expired", "closed", "no lease"]

StartStep: TypeAlias = int | Literal["failure"] | None

WorkflowOrder: TypeAlias = Literal["created", "completed"]
Role: TypeAlias = Literal["viewer", "operator", "admin"]
AuditOutcome: TypeAlias = Literal["began", "done", "failed"]
AuditSource: TypeAlias = Literal["console", "api", "cli"]

ROLES: tuple[Role, ...] = ("viewer", "operator", "admin")  # each may what those before it may
ACTIVE: tuple[Status, ...] = ("ENQUEUED", "DELAYED", "PENDING")
TERMINAL: tuple[Status, ...] = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")
