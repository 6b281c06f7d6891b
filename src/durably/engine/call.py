"""How a workflow is called: the options of one start."""

from __future__ import annotations

from dataclasses import dataclass

from durably.types import DuplicationPolicy, Seconds, WorkflowIdReusePolicy

__all__ = ["Call"]


@dataclass(frozen=True, kw_only=True)
class Call:
    """Options of one start; without a queue the workflow runs at once, in this process."""

    workflow_id: str | None = None
    workflow_id_reuse_policy: WorkflowIdReusePolicy = "return-existing"
    queue_name: str | None = None
    timeout: Seconds | None = None
    delay: Seconds | None = None
    priority: int | None = None
    deduplication_id: str | None = None
    duplication_policy: DuplicationPolicy = "reject"
    queue_partition_key: str | None = None
    authenticated_user: str | None = None
    serialization: str | None = None
