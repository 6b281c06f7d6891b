"""How a workflow is called: the options of one start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from durably.core import checks
from durably.errors import InvalidOption
from durably.types import DuplicationPolicy, Seconds, WorkflowIdReusePolicy

__all__ = ["INHERITED", "Call"]

QUEUE_OPTIONS = ("app_version", "delay", "priority", "deduplication_id", "queue_partition_key")


class _Inherited:
    def __repr__(self) -> str:
        return "inherited"


INHERITED: Any = _Inherited()  # an option that was not given: a child has its parent's, a first workflow none


@dataclass(frozen=True, kw_only=True)
class Call:
    """Options of one start; without a queue the workflow runs at once, in this process.

    A child has its parent's deadline and attributes and, all three or none, its user, roles and assumed role.
    What is given here replaces them, and None (`timeout=None`: run without a deadline) leaves them out.
    """

    workflow_id: str | None = None
    workflow_id_reuse_policy: WorkflowIdReusePolicy | None = None
    queue_name: str | None = None
    app_version: str | None = None
    timeout: Seconds | None = INHERITED
    delay: Seconds | None = None
    priority: int | None = None
    deduplication_id: str | None = None
    duplication_policy: DuplicationPolicy = "reject"
    queue_partition_key: str | None = None
    authenticated_user: str | None = INHERITED
    authenticated_roles: Sequence[str] | None = INHERITED
    assumed_role: str | None = INHERITED
    attributes: Mapping[str, Any] | None = INHERITED
    serialization: str | None = None

    @property
    def has_own_user(self) -> bool:
        """Whether it says for whom the workflow runs; otherwise that is whom the caller runs for."""
        given = (self.authenticated_user, self.authenticated_roles, self.assumed_role)
        return any(option is not INHERITED for option in given)

    def given(self, option: str) -> Any:
        """The value of an option, None where it was not given."""
        value = getattr(self, option)
        return None if value is INHERITED else value

    def check(self) -> None:
        """Refuse, before anything is written, what cannot be: InvalidOption names the option."""
        checks.optional_name("workflow_id", self.workflow_id)
        checks.optional_name("queue_name", self.queue_name)
        checks.optional_name("app_version", self.app_version)
        checks.optional_name("deduplication_id", self.deduplication_id)
        checks.optional_name("queue_partition_key", self.queue_partition_key)
        checks.optional_name("authenticated_user", self.given("authenticated_user"))
        checks.optional_name("assumed_role", self.given("assumed_role"))
        checks.texts("authenticated_roles", self.given("authenticated_roles") or ())
        checks.duration("timeout", self.given("timeout"), zero=False)
        checks.duration("delay", self.delay, zero=True)
        if self.priority is not None:
            checks.whole("priority", self.priority, least=1)
        if self.workflow_id_reuse_policy is not None:
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
