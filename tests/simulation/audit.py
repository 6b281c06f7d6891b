"""What must hold at each write of the modelled database, whoever wrote it and whatever the statement allowed.

The model calls these with what it is about to write; nothing here decides what is written, so a planted bug
in the model does not disable the audit.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Audit"]

Key = tuple[str, int]


@dataclass
class Audit:
    """Collects what happened and what must not have happened."""

    violations: list[str] = field(default_factory=list)
    outcomes: dict[Key, Any] = field(default_factory=dict)  # the first outcome of each operation
    recorded_at: dict[Key, int] = field(default_factory=dict)  # the serial number of that write
    claimed_at: dict[str, int] = field(default_factory=dict)  # owner token -> serial number of its claim
    executors: dict[str, str | None] = field(default_factory=dict)  # owner token -> whose it is
    claims: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))  # workflow -> tokens
    ends: dict[str, tuple[str, str | None, str | None]] = field(default_factory=dict)
    serial: int = 0

    def violation(self, what: str) -> None:
        """Note something that must never be."""
        if what not in self.violations:
            self.violations.append(what)

    def claimed(self, workflow_id: str, owner: str, executor_id: str | None) -> None:
        """A workflow got a new owner, in this executor."""
        self.serial += 1
        self.executors[owner] = executor_id
        self.claimed_at[owner] = self.serial
        self.claims[workflow_id].append(owner)

    def written_by(self, kind: str, workflow_id: str, owner: str | None, row: Any) -> None:
        """A run wrote something: it must be the workflow's owner at this moment (invariant 4).

        The cleanup of a cancelled one takes its token back.
        """
        if row is None or row.status not in ("PENDING", "CANCELLED") or row.owner != owner or owner is None:
            state = "no row" if row is None else f"{row.status}, owner {row.owner}"
            self.violation(
                f"invariant 4: {kind} of {workflow_id} by {owner}, which is not its owner ({state})"
            )

    def recorded(self, workflow_id: str, function_id: int, outcome: Any) -> None:
        """An operation's row was written: the first time, or with what is there already (invariant 3)."""
        self.serial += 1
        key = (workflow_id, function_id)
        first = self.outcomes.setdefault(key, outcome)
        self.recorded_at.setdefault(key, self.serial)
        if first != outcome:
            self.violation(
                f"invariant 3: {workflow_id}:{function_id} had the outcome {first}, then {outcome}"
            )

    def forgotten(self, workflow_id: str, function_id: int) -> None:
        """An operation's row is gone, by design: the next attempt has an outcome of its own."""
        self.outcomes.pop((workflow_id, function_id), None)
        self.recorded_at.pop((workflow_id, function_id), None)

    def ended(self, workflow_id: str, status: str, output: str | None, error: str | None) -> None:
        """A workflow reached its end: the first time, or the same end."""
        end = (status, output, error)
        if self.ends.setdefault(workflow_id, end) != end:
            self.violation(f"invariant 4: {workflow_id} ended as {self.ends[workflow_id]}, then as {end}")
