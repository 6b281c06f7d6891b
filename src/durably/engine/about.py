"""What a workflow's code can know of its own run."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from durably.engine import attributes, authority
from durably.types import WorkflowContext

if TYPE_CHECKING:
    from durably.core.ports import Claimed
    from durably.engine.registry import WorkflowDefinition

__all__ = ["context"]


def context(claimed: Claimed, definition: WorkflowDefinition, app_version: str) -> WorkflowContext:
    """See `durably.types.WorkflowContext`."""
    rights, deadline = authority.recorded(claimed), claimed.deadline_ms
    return WorkflowContext(
        workflow_id=claimed.workflow_id,
        name=claimed.name,
        class_name=claimed.class_name or None,
        config_name=claimed.config_name or None,
        queue_name=claimed.queue_name,
        parent_workflow_id=claimed.parent_workflow_id,
        authenticated_user=rights.user,
        authenticated_roles=tuple(rights.roles),
        assumed_role=authority.check(definition, rights),
        attributes=attributes.recorded(claimed) or {},
        deadline=None if deadline is None else datetime.fromtimestamp(deadline / 1000, UTC),
        attempt=claimed.recovery_attempts,
        app_version=app_version,
        retry_attempt=claimed.failed_attempts + 1,
    )
