"""Planted bugs: each breaks one invariant in one place, and the simulation must find it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from durably.concurrency.ticket import Ticket
from durably.core.ports import HistoryRow
from durably.core.records import Continue, Finish, Receive, Record, Step, Timer
from durably.engine.engine import Engine
from durably.store.writer import Writer
from tests.simulation.model import Model, OperationRow, WorkflowRow
from tests.simulation.scenario import Mutant

__all__ = ["MUTANTS"]


class WithoutFence(Model):
    """Steps are recorded whoever asks."""

    def step(self, record: Step) -> Any:
        row = OperationRow(
            name=record.function_name,
            output=record.output,
            error=record.error,
            serialization=record.serialization,
            child=record.child_workflow_id,
            completed_at=record.completed_at,
        )
        return self._taken(record, self.put(record, record.function_id, row))


class Overwriting(Model):
    """The last outcome of a step wins, and not the first."""

    def step(self, record: Step) -> Any:
        self.operations.get(record.workflow_id, {}).pop(record.function_id, None)
        return super().step(record)


class LateFinish(Model):
    """Whoever was the owner once may still end the workflow."""

    def finish(self, record: Finish) -> Any:
        row = self.workflows[record.workflow_id]
        if record.owner in self.audit.claims[record.workflow_id] and row.status != "CANCELLED":
            return self.conclude(record, row)
        return super().finish(record)


class FailureKept(Model):
    """A workflow that is tried again still has the record of what failed."""

    def _forget(self, workflow_id: str, cut: int) -> None:
        super()._forget(workflow_id, cut + 1)


class AdoptedWithOwner(Model):
    """Adopted work keeps its owner token, so that the former owner goes on writing."""

    def _put_back(self, rows: list[WorkflowRow]) -> list[str]:
        owners = [row.owner for row in rows]
        queues = super()._put_back(rows)
        for row, owner in zip(rows, owners, strict=True):
            row.owner = owner
        return queues


class RestartedTimers(Model):
    """A timer that is recorded begins anew."""

    def timer(self, record: Timer) -> Any:
        self.operations.get(record.workflow_id, {}).pop(record.function_id, None)
        return super().timer(record)


class LostMessages(Model):
    """A message is consumed, and its receipt is not recorded with it."""

    def _received(self, record: Receive, text: str, serialization: str) -> Any:
        received = super()._received(record, text, serialization)
        del self.operations[record.workflow_id][record.function_id]
        return received


class ForgottenProgress(Model):
    """What a step saved goes with the process that saved it."""

    def _put_back(self, rows: list[WorkflowRow]) -> list[str]:
        for row in rows:
            self.saved = {key: saved for key, saved in self.saved.items() if key[0] != row.workflow_id}
        return super()._put_back(rows)


class GenerationsKept(Model):
    """A workflow that begins anew still has the records of its generation before."""

    def continue_as_new(self, record: Continue) -> Any:
        before = dict(self.operations.get(record.workflow_id, {}))
        reply = super().continue_as_new(record)
        if isinstance(reply, int):
            self.operations[record.workflow_id] = before | self.operations[record.workflow_id]
        return reply


class Impatient(Model):
    """Leases are taken as over when they are half over."""

    def _expired(self, application: str) -> list[str]:
        found = super()._expired(application)
        for executor_id, lease in self.executors.items():
            if not lease.stopped and lease.expires < self.clock() + 4.0 and executor_id not in found:
                lease.expires = 0.0
                found.append(executor_id)
        return found


class EagerWriter(Writer):
    """Tickets are resolved before the commit."""

    def submit(self, record: Record) -> Ticket:
        ticket = super().submit(record)
        if isinstance(record, Step):
            ticket.resolve(None)
        return ticket


def _eager(engine: Engine) -> None:
    engine.writer = EagerWriter(engine.store.commit, engine.world)
    engine.resources.writer = engine.writer


def _without_history(engine: Engine) -> None:
    """A taken over workflow begins at its beginning."""

    async def nothing(claimed: Sequence[Any]) -> dict[str, list[HistoryRow]]:
        return {}

    engine.dispatcher.claims._history = nothing  # type: ignore[method-assign]


def _without_reconciling(engine: Engine) -> None:
    """What the database thinks runs here is not compared with what does."""
    engine._look = lambda: None  # type: ignore[method-assign]


def _trusting(engine: Engine) -> None:
    """A lease is trusted until the database says that it has run out."""
    engine.tenure.renew(math.inf)


def _local_clock(engine: Engine) -> None:
    """This machine's clock is taken for the database's."""
    engine._set_clock = lambda *_, **__: None  # type: ignore[method-assign]


MUTANTS = [
    Mutant("steps without the fence", model=WithoutFence),
    Mutant("outcomes overwritten", model=Overwriting),
    Mutant("late finishes accepted", model=LateFinish),
    Mutant("failures kept", model=FailureKept),
    Mutant("adopt keeps the owner", model=AdoptedWithOwner),
    Mutant("timers begin anew", model=RestartedTimers),
    Mutant("receipts not recorded", model=LostMessages),
    Mutant("saved progress forgotten", model=ForgottenProgress),
    Mutant("generations kept", model=GenerationsKept),
    Mutant("leases cut short", model=Impatient),
    Mutant("tickets resolved before the commit", engine=_eager),
    Mutant("replay without history", engine=_without_history),
    Mutant("no reconciling", engine=_without_reconciling),
    Mutant("leases trusted for ever", engine=_trusting),
    Mutant("the executor's own clock", engine=_local_clock),
]
