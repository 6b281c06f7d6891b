"""How a workflow is called: the options of one start."""

from __future__ import annotations

from dataclasses import dataclass

from durably.core import checks
from durably.errors import InvalidOption
from durably.types import DuplicationPolicy, Seconds, WorkflowIdReusePolicy

__all__ = ["Call"]

POLICIES = ("reject", "return-existing")
QUEUE_OPTIONS = ("delay", "priority", "deduplication_id", "queue_partition_key")


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

    def check(self) -> None:
        """Refuse, before anything is written, what cannot be: InvalidOption names the option."""
        checks.optional_name("workflow_id", self.workflow_id)
        checks.optional_name("queue_name", self.queue_name)
        checks.optional_name("deduplication_id", self.deduplication_id)
        checks.optional_name("queue_partition_key", self.queue_partition_key)
        checks.duration("timeout", self.timeout, zero=False)
        checks.duration("delay", self.delay, zero=True)
        if self.priority is not None:
            checks.whole("priority", self.priority, least=1)
        checks.choice(
            "workflow_id_reuse_policy", self.workflow_id_reuse_policy, ("return-existing", "reject")
        )
        checks.choice("duplication_policy", self.duplication_policy, ("reject", "return-existing"))
        self._check_what_needs_what()

    def _check_what_needs_what(self) -> None:
        if self.duplication_policy == "return-existing" and self.deduplication_id is None:
            raise InvalidOption("duplication_policy", self.duplication_policy, "it needs a deduplication_id")
        for option in QUEUE_OPTIONS:
            if self.queue_name is None and (value := getattr(self, option)) is not None:
                raise InvalidOption(option, value, "it needs a queue: give queue_name, or queue.enqueue()")
