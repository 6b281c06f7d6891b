"""What the database says about the purchases: read by the client, before and after the kill."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from durably.cli.demo.journal import Run
from durably.cli.demo.purchases import Purchase
from durably.client import DBOSClient
from durably.types import StepInfo, WorkflowFilter, WorkflowStatus

__all__ = ["TIMER", "Evidence", "Recorded", "look"]

TIMER = "DBOS.sleep"  # recorded by those that had to wait only


@dataclass(frozen=True)
class Recorded:
    """A workflow's row and its recorded operations, at one moment."""

    workflow: WorkflowStatus
    steps: Sequence[StepInfo]

    @property
    def step_names(self) -> set[str]:
        """The names of the recorded steps."""
        return {step.function_name for step in self.steps}


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """All that the claims are checked against."""

    purchases: Sequence[Purchase]
    executors: tuple[str, str]
    kill_status: int
    stop_status: int
    before: Mapping[str, Recorded]
    after: Mapping[str, Recorded]
    results: Mapping[str, Any]
    events: Mapping[str, Any]
    ran_before: Counter[Run]
    ran: Counter[Run]

    @property
    def interrupted(self) -> list[str]:
        """The workflows that were running when their process was killed."""
        return [wid for wid, recorded in self.before.items() if recorded.workflow.status == "PENDING"]

    @property
    def in_flight(self) -> set[Run]:
        """The steps whose body ran at the kill: begun, and not recorded."""
        recorded = {(wid, name) for wid, r in self.before.items() for name in r.step_names}
        return self.ran_before.keys() - recorded

    @property
    def operations(self) -> dict[int, str]:
        """What each operation number is, in the workflows taken together."""
        steps = [step for recorded in self.after.values() for step in recorded.steps]
        return dict(sorted({step.function_id: step.function_name for step in steps}.items()))

    @property
    def recorded_steps(self) -> list[Run]:
        """The steps with a body of their own that are recorded in the end."""
        return [
            (wid, step.function_name)
            for wid, recorded in self.after.items()
            for step in recorded.steps
            if not step.function_name.startswith("DBOS.")
        ]


def look(client: DBOSClient, run: str) -> dict[str, Recorded]:
    """Every workflow of this run of the demo, with its steps."""
    found = client.list_workflows(WorkflowFilter(workflow_id_prefix=f"{run}-"))
    return {w.workflow_id: Recorded(w, client.list_workflow_steps(w.workflow_id)) for w in found}
