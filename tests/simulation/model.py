"""A model of the system database: the engine's transactions on tables in memory, one at a time.

Every method is what the SQL of the same name does, on this model's own clock. `test_model.py` runs both with
the same calls and compares the answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from durably.core import names
from durably.core.ports import (
    Beat,
    Claim,
    Claimed,
    Compared,
    ExecutorIdentity,
    HistoryRow,
    QueueRow,
    Ready,
    ResultRow,
    Stranding,
    StreamPage,
    Wait,
    Waiting,
)
from durably.core.records import (
    Append,
    Continue,
    Create,
    Created,
    Finish,
    Progress,
    Receive,
    Received,
    Reclaim,
    Record,
    Send,
    SetEvent,
    Step,
    StoredArguments,
    Timer,
    TryAgain,
)
from durably.errors import Deduplicated, NoSuchWorkflow, RunInterrupted, WorkflowIdInUse
from tests.simulation.audit import Audit

__all__ = ["Lease", "Model", "OperationRow", "WorkflowRow"]

ACTIVE = ("ENQUEUED", "DELAYED", "PENDING")
INTERNAL = QueueRow(name=names.INTERNAL_QUEUE)


@dataclass
class WorkflowRow:
    """A row of workflow_status with its input and output."""

    workflow_id: str
    status: str
    name: str
    class_name: str | None
    config_name: str | None
    queue_name: str | None
    inputs: str | None
    serialization: str | None
    executor_id: str | None
    app_version: str | None
    application_name: str | None
    creator: str
    owner: str | None
    priority: int
    created_at: tuple[int, int]  # milliseconds, and the order within one
    recovery_attempts: int = 0
    most_attempts: int | None = None
    deduplication_id: str | None = None
    delay_until: int | None = None
    timeout_ms: int | None = None
    deadline_ms: int | None = None
    parent: str | None = None
    output: str | None = None
    error: str | None = None


@dataclass
class OperationRow:
    """A row of operation_outputs."""

    name: str
    output: str | None = None
    error: str | None = None
    serialization: str | None = None
    child: str | None = None
    completed_at: int = 0


@dataclass
class Message:
    """A row of notifications."""

    uuid: str
    destination: str
    topic: str
    text: str
    serialization: str
    order: tuple[int, str]
    consumed_by: int | None = None


@dataclass
class Lease:
    """A row of durably.executors."""

    executor: ExecutorIdentity
    expires: float
    stopped: bool = False
    on_trial: str | None = None


@dataclass
class Stranded:
    """A row of durably.stranded_workflows."""

    application_name: str
    met: list[str]
    released: bool = False


class Refused(Exception):
    """The database refuses the transaction for the sake of one record's values."""


Notify = Callable[[str, str], None]


@dataclass
class Model:
    """The tables and their transactions. `clock` gives epoch seconds; `notify` is told at each commit."""

    clock: Callable[[], float]
    notify: Notify = lambda channel, payload: None
    audit: Audit = field(default_factory=Audit)
    workflows: dict[str, WorkflowRow] = field(default_factory=dict)
    operations: dict[str, dict[int, OperationRow]] = field(default_factory=dict)
    events: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    saved: dict[tuple[str, int], tuple[str, str]] = field(default_factory=dict)  # how far steps are
    streams: dict[tuple[str, str], list[tuple[int, str, str]]] = field(default_factory=dict)
    event_history: dict[tuple[str, int, str], str] = field(default_factory=dict)
    messages: dict[str, Message] = field(default_factory=dict)
    executors: dict[str, Lease] = field(default_factory=dict)
    queues: dict[str, QueueRow] = field(default_factory=dict)
    versions: dict[str, tuple[float, str]] = field(default_factory=dict)  # version -> (since, application)
    attempts: dict[str, tuple[str, int]] = field(default_factory=dict)  # creator, and how many failed
    stranded: dict[str, Stranded] = field(default_factory=dict)
    _order: int = 0

    # -- the writer's transaction -------------------------------------------------------------------------

    def commit(self, batch: Sequence[Record]) -> list[Any]:
        """All records together; or, where one is refused, each alone."""
        try:
            return self._together(batch)
        except Refused:
            return [self._alone(record) for record in batch]

    def _alone(self, record: Record) -> Any:
        try:
            return self._together([record])[0]
        except Refused as refusal:
            return refusal.__cause__ or refusal

    def _together(self, batch: Sequence[Record]) -> list[Any]:
        self._refuse(batch)
        replies: dict[int, Any] = {}
        for kind, write in self._writes():
            for record in batch:
                if type(record) is kind:
                    replies[id(record)] = write(record)
        return [replies[id(record)] for record in batch]

    def _writes(self) -> list[tuple[type, Callable[[Any], Any]]]:
        return [
            (Reclaim, self.reclaim),
            (Progress, self.save_progress),
            (Step, self.step),
            (Timer, self.timer),
            (SetEvent, self.set_event),
            (Append, self.append),
            (Send, self.send),
            (Receive, self.receive),
            (Create, self.create),
            (Continue, self.continue_as_new),
            (TryAgain, self.try_again),
            (Finish, self.finish),
        ]

    def _refuse(self, batch: Sequence[Record]) -> None:
        """What makes the whole transaction fail: a row written twice, a deduplication id that is held."""
        written: set[Any] = set()
        for record in batch:
            for row in self._rows_of(record):
                if row in written:
                    raise Refused
                written.add(row)
            if isinstance(record, Create) and self._holder(record):
                raise Refused from Deduplicated(
                    record.workflow_id,
                    queue_name=record.queue_name,
                    deduplication_id=record.deduplication_id,
                )

    def _rows_of(self, record: Record) -> list[Any]:
        match record:
            case Step():
                return [(Step, record.workflow_id, record.function_id)]
            case Timer():
                return [(Timer, record.workflow_id, record.function_id)]
            case SetEvent():
                rows: list[Any] = [(SetEvent, record.workflow_id, record.function_id, record.key)]
                return rows if record.in_step else [*rows, (SetEvent, record.workflow_id, record.function_id)]
            case Create():
                held = (record.queue_name, record.deduplication_id)
                return [(Create, record.workflow_id), *([held] if self._holds(record) else [])]
            case _:
                return []

    def _holder(self, record: Create) -> bool:
        return self._holds(record) and any(
            row.queue_name == record.queue_name and row.deduplication_id == record.deduplication_id
            for row in self.workflows.values()
        )

    def _holds(self, record: Create) -> bool:
        """Whether it would hold a deduplication id: it is new, and its caller may create it."""
        allowed = record.caller_id is None or self.owns(record.caller_id, record.caller_owner)
        return record.deduplication_id is not None and record.workflow_id not in self.workflows and allowed

    def owns(self, workflow_id: str | None, owner: str | None) -> bool:
        """The fence: whether the token is the workflow's current one."""
        row = self.workflows.get(workflow_id or "")
        return row is not None and owner is not None and row.owner == owner

    def save_progress(self, record: Progress) -> Any:
        """steps/save_progress"""
        if not self.owns(record.workflow_id, record.owner):
            return _lost(record.workflow_id)
        if record.over:
            self.saved.pop((record.workflow_id, record.function_id), None)
        else:
            saved = (record.progress or "", record.serialization or "")
            self.saved[record.workflow_id, record.function_id] = saved
        return None

    def reclaim(self, record: Reclaim) -> bool:
        """workflows/reclaim"""
        row = self.workflows.get(record.workflow_id)
        if row is None or row.status != "CANCELLED" or row.executor_id != record.executor_id:
            return False
        if row.owner != record.owner and (record.back or row.owner is not None):
            return False
        row.owner = None if record.back else record.owner
        return True

    def continue_as_new(self, record: Continue) -> Any:
        """workflows/continue_as_new"""
        if not any(self.owns(record.workflow_id, owner) for owner in (record.owner, record.token)):
            return _lost(record.workflow_id)
        archive_id = f"{record.workflow_id}/{record.generation}"
        row = self.workflows[record.workflow_id]
        if archive_id in self.workflows:
            made = self.workflows[archive_id].creator == record.token
            return record.generation + 1 if made else WorkflowIdInUse(archive_id, name="", status="")
        self.workflows[archive_id] = replace(
            row,
            workflow_id=archive_id,
            status="SUCCESS",
            owner=None,
            output=record.output,
            parent=row.workflow_id,
            creator=record.token,
        )
        self.operations[archive_id] = self.operations.pop(record.workflow_id, {})
        marker = OperationRow(name=names.CONTINUE_AS_NEW, output=str(record.generation + 1))
        self.put(record, record.function_id, marker)
        row.inputs, row.recovery_attempts, row.owner = record.inputs, 1, record.token
        self.audit.claimed(record.workflow_id, record.token, row.executor_id)
        return record.generation + 1

    def try_again(self, record: TryAgain) -> Any:
        """workflows/try_again"""
        if not self._runs(record.workflow_id, record.owner):
            return _lost(record.workflow_id)
        self.put_off(record)
        return None

    def put_off(self, record: TryAgain) -> None:
        """The row becomes a delayed one, and what failed is forgotten."""
        row, id_ = self.workflows[record.workflow_id], record.workflow_id
        self.audit.written_by("TryAgain", id_, record.owner, row)
        self.attempts[id_] = (row.creator, self._failed(row) + 1)
        row.status, row.owner, row.recovery_attempts = "DELAYED", None, 0
        row.queue_name = row.queue_name or names.INTERNAL_QUEUE
        row.delay_until = self._now_ms() + round(record.seconds * 1000)
        self._forget(id_, self._cut(id_, record.error))

    def _failed(self, row: WorkflowRow) -> int:
        creator, failed = self.attempts.get(row.workflow_id, (row.creator, 0))
        return failed if creator == row.creator else 0

    def _cut(self, workflow_id: str, error: str) -> int:
        operations = self.operations.get(workflow_id, {})
        failed = [number for number, row in operations.items() if row.error is not None]
        cause = [number for number in failed if operations[number].error == error]
        return min(cause, default=max(failed, default=max(operations, default=-1) + 1))

    def _forget(self, workflow_id: str, cut: int) -> None:
        operations = self.operations.get(workflow_id, {})
        for number in [n for n, row in operations.items() if n >= cut and row.name != names.CONTINUE_AS_NEW]:
            del operations[number]
            self.audit.forgotten(workflow_id, number)
        for message in self.messages.values():
            if message.destination == workflow_id and (message.consumed_by or -1) >= cut:
                message.consumed_by = None
        self._undo_events(workflow_id, cut)

    def _undo_events(self, workflow_id: str, cut: int) -> None:
        values = {(n, key): v for (id_, n, key), v in self.event_history.items() if id_ == workflow_id}
        for key in {key for number, key in values if number >= cut}:
            former = max((n for n, other in values if other == key and n < cut), default=None)
            _, serialization = self.events.pop((workflow_id, key))
            if former is not None:
                self.events[workflow_id, key] = (values[former, key], serialization)
        for number, key in values:
            if number >= cut:
                del self.event_history[workflow_id, number, key]

    def put(self, record: Any, function_id: int, row: OperationRow) -> OperationRow:
        """The operation's row: this one, if there was none."""
        rows = self.operations.setdefault(record.workflow_id, {})
        row = rows.setdefault(function_id, row)
        self.audit.written_by(
            type(record).__name__, record.workflow_id, record.owner, self.workflows.get(record.workflow_id)
        )
        self.audit.recorded(record.workflow_id, function_id, (row.name, row.output, row.error, row.child))
        return row

    def step(self, record: Step) -> Any:
        """steps/record"""
        if not self.owns(record.workflow_id, record.owner):
            return _lost(record.workflow_id)
        row = OperationRow(
            name=record.function_name,
            output=record.output,
            error=record.error,
            serialization=record.serialization,
            child=record.child_workflow_id,
            completed_at=record.completed_at,
        )
        return self._taken(record, self.put(record, record.function_id, row))

    def _taken(self, record: Any, row: OperationRow) -> RunInterrupted | None:
        if row.completed_at == record.completed_at:
            return None
        return RunInterrupted(record.workflow_id, "this operation has another recorded outcome")

    def timer(self, record: Timer) -> Any:
        """timers/start"""
        if not self.owns(record.workflow_id, record.owner):
            return _lost(record.workflow_id)
        wake = record.until if record.until is not None else self.clock() + (record.seconds or 0.0)
        row = self.put(record, record.function_id, _instant(wake))
        return float(row.output or 0), self.clock()

    def set_event(self, record: SetEvent) -> Any:
        """events/set"""
        if not self.owns(record.workflow_id, record.owner):
            return _lost(record.workflow_id)
        self.events[record.workflow_id, record.key] = (record.value, record.serialization)
        self.event_history[record.workflow_id, record.function_id, record.key] = record.value
        self.notify(names.EVENTS_CHANNEL, f"{record.workflow_id}::{record.key}")
        if record.in_step:
            return None
        row = OperationRow(name=names.SET_EVENT, completed_at=record.completed_at)
        return self._taken(record, self.put(record, record.function_id, row))

    def append(self, record: Append) -> Any:
        """streams/append"""
        if not self.owns(record.workflow_id, record.owner):
            return _lost(record.workflow_id)
        stream = self.streams.setdefault((record.workflow_id, record.key), [])
        if record.in_step:
            return self._append_in_step(record, stream)
        if record.function_id not in self.operations.get(record.workflow_id, {}):
            self._append(record, stream)
        row = OperationRow(name=record.function_name, completed_at=record.completed_at)
        return self._taken(record, self.put(record, record.function_id, row))

    def _append_in_step(self, record: Append, stream: list[tuple[int, str, str]]) -> int:
        own = [
            (offset, value)
            for offset, (function_id, value, _) in enumerate(stream)
            if function_id == record.function_id and offset > record.after
        ]
        for place, (offset, value) in enumerate(own):
            if value == record.value and (place == record.place or (record.resent and place == len(own) - 1)):
                return offset
        return self._append(record, stream)

    def _append(self, record: Append, stream: list[tuple[int, str, str]]) -> int:
        stream.append((record.function_id, record.value, record.serialization))
        self.notify(names.STREAMS_CHANNEL, f"{record.workflow_id}::{record.key}")
        return len(stream) - 1

    def owner(self, workflow_id: str) -> str | None:
        """workflows/owner"""
        row = self.workflows.get(workflow_id)
        return row.owner if row else None

    def arguments(self, workflow_id: str) -> StoredArguments | None:
        """workflows/arguments"""
        row = self.workflows.get(workflow_id)
        if row is None:
            return None
        return StoredArguments(workflow_id=workflow_id, inputs=row.inputs, serialization=row.serialization)

    def stream(self, workflow_id: str, key: str, offset: int, most: int) -> StreamPage | None:
        """streams/read"""
        row = self.workflows.get(workflow_id)
        if row is None:
            return None
        values = self.streams.get((workflow_id, key), [])[offset : offset + most]
        return StreamPage(row.status, [(value, serialization) for _, value, serialization in values])

    def send(self, record: Send) -> Any:
        """messages/send"""
        if record.workflow_id is not None and not self.owns(record.workflow_id, record.owner):
            return _lost(record.workflow_id)
        if record.destination not in self.workflows:
            return NoSuchWorkflow(record.destination, "no such workflow")
        if record.message_uuid not in self.messages:
            self.messages[record.message_uuid] = Message(
                uuid=record.message_uuid,
                destination=record.destination,
                topic=record.topic,
                text=record.message,
                serialization=record.serialization,
                order=(self._now_ms(), record.message_uuid),
            )
            self.notify(names.MESSAGES_CHANNEL, f"{record.destination}::{record.topic}")
        if record.workflow_id is None or record.in_step:
            return None
        row = OperationRow(name=names.SEND, completed_at=record.completed_at)
        return self._taken(record, self.put(record, record.function_id, row))

    def receive(self, record: Receive) -> Any:
        """messages/receive"""
        if not self.owns(record.workflow_id, record.owner):
            return _lost(record.workflow_id)
        recorded = self.operations.get(record.workflow_id, {}).get(record.function_id)
        if recorded is not None:
            return Received(found=True, message=recorded.output, serialization=recorded.serialization)
        message = self._oldest(record)
        if message is not None:
            message.consumed_by = record.function_id
            return self._received(record, message.text, message.serialization)
        if record.give_up:
            return self._received(record, record.none_text, record.none_serialization)
        wake = None
        if record.wait_seconds is not None:
            timer = self.put(record, record.function_id + 1, _instant(self.clock() + record.wait_seconds))
            wake = float(timer.output or 0)
        return Received(
            found=False, message=record.none_text, serialization=record.none_serialization, wake=wake
        )

    def _oldest(self, record: Receive) -> Message | None:
        there = [
            message
            for message in self.messages.values()
            if message.destination == record.workflow_id
            and message.topic == record.topic
            and message.consumed_by is None
        ]
        return min(there, key=lambda message: message.order, default=None)

    def _received(self, record: Receive, text: str, serialization: str) -> Received:
        row = OperationRow(
            name=names.RECV, output=text, serialization=serialization, completed_at=record.completed_at
        )
        self.put(record, record.function_id, row)
        return Received(found=True, message=text, serialization=serialization)

    def create(self, record: Create) -> Any:
        """workflows/create"""
        if record.caller_id is not None and not self.owns(record.caller_id, record.caller_owner):
            return _lost(record.caller_id)
        row = self.workflows.get(record.workflow_id)
        if row is None:
            row = self.workflows[record.workflow_id] = self._new(record)
            if record.run_now:
                self.audit.claimed(record.workflow_id, record.owner or "", record.executor_id)
        refused = record.reject and row.creator != record.creator
        if record.caller_id is not None and _same(row, record) and not refused:
            self._record_child(record)
        if row.status == "ENQUEUED":
            self.notify(names.DURABLY_CHANNEL, f"q::{row.queue_name}")
        return Created(
            workflow_id=row.workflow_id,
            created=row.creator == record.creator,
            status=row.status,
            name=row.name,
            class_name=row.class_name,
            config_name=row.config_name,
            queue_name=row.queue_name,
            deadline_ms=row.deadline_ms,
        )

    def _new(self, record: Create) -> WorkflowRow:
        now = self._now_ms()
        status, deadline = "ENQUEUED", record.deadline_ms
        if record.run_now:
            status = "PENDING"
            if deadline is None and record.timeout_ms is not None:
                deadline = now + record.timeout_ms
        elif record.delay_seconds is not None:
            status = "DELAYED"
        self._order += 1
        return WorkflowRow(
            workflow_id=record.workflow_id,
            status=status,
            name=record.name,
            class_name=record.class_name,
            config_name=record.config_name,
            queue_name=record.queue_name,
            inputs=record.inputs,
            serialization=record.serialization,
            executor_id=record.executor_id,
            app_version=record.app_version,
            application_name=record.application_name,
            creator=record.creator,
            owner=record.owner if record.run_now else None,
            priority=record.priority,
            created_at=(now, self._order),
            recovery_attempts=1 if record.run_now else 0,
            most_attempts=record.max_recovery_attempts,
            deduplication_id=record.deduplication_id,
            delay_until=None if record.delay_seconds is None else now + round(record.delay_seconds * 1000),
            timeout_ms=record.timeout_ms,
            deadline_ms=deadline,
            parent=record.parent_workflow_id,
        )

    def _record_child(self, record: Create) -> None:
        caller = record.caller_id or ""
        self.audit.written_by("Create", caller, record.caller_owner, self.workflows.get(caller))
        row = self.operations.setdefault(caller, {}).setdefault(
            record.function_id,
            OperationRow(name=record.name, child=record.workflow_id, completed_at=record.started_at),
        )
        self.audit.recorded(caller, record.function_id, (row.name, row.output, row.error, row.child))

    def finish(self, record: Finish) -> Any:
        """workflows/finish"""
        row = self.workflows.get(record.workflow_id)
        if row is None or row.status != "PENDING" or not self.owns(record.workflow_id, record.owner):
            return _lost(record.workflow_id)
        return self.conclude(record, row)

    def conclude(self, record: Finish, row: WorkflowRow) -> None:
        """PENDING -> SUCCESS | ERROR"""
        self.audit.written_by("Finish", record.workflow_id, record.owner, row)
        row.output, row.error = record.output, record.error
        self._end(row, record.status)

    def _end(self, row: WorkflowRow, status: str) -> None:
        row.status, row.owner, row.deduplication_id = status, None, None
        self.audit.ended(row.workflow_id, status, row.output, row.error)
        self.notify(names.DURABLY_CHANNEL, f"r::{row.workflow_id}")

    # -- claims -------------------------------------------------------------------------------------------

    def claim(self, claim: Claim) -> list[Claimed]:
        """workflows/claim and workflows/claim_limited"""
        chosen = sorted(
            (row for row in self.workflows.values() if self._may_claim(row, claim)),
            key=lambda row: (row.priority, row.created_at),
        )[: self._budget(claim)]
        return [self._claimed(row, claim) for row in chosen]

    def _may_claim(self, row: WorkflowRow, claim: Claim) -> bool:
        return (
            row.status == "ENQUEUED"
            and row.queue_name == claim.queue_name
            and row.app_version in (claim.app_version, self._free_version(claim))
            and row.application_name in (claim.application_name, None)
            and f"{row.name}\x1f{row.class_name or ''}\x1f{row.config_name or ''}" in claim.runnable
            and (row.serialization is None or row.serialization in claim.formats)
            and not self._met(row, claim)
        )

    def _met(self, row: WorkflowRow, claim: Claim) -> bool:
        stranded = self.stranded.get(row.workflow_id)
        return stranded is not None and stranded.released and claim.code in stranded.met

    def _free_version(self, claim: Claim) -> str | None:
        """None (rows without a version) for the latest version, and no row's version for the others."""
        ours = [
            (since, version)
            for version, (since, application) in self.versions.items()
            if application == claim.application_name
        ]
        return None if not ours or max(ours)[1] == claim.app_version else "<no version>"

    def _budget(self, claim: Claim) -> int:
        queue = self.queues.get(claim.queue_name)
        if queue is None or queue.concurrency is None:
            return claim.most
        if not claim.limited:
            return 0  # the limit is news to who claims: it counts from the next pulse on
        running = sum(
            1
            for row in self.workflows.values()
            if row.queue_name == claim.queue_name and row.status == "PENDING"
        )
        return max(0, min(claim.most, queue.concurrency - running))

    def _claimed(self, row: WorkflowRow, claim: Claim) -> Claimed:
        if row.delay_until is not None and row.delay_until > self._now_ms():
            self.audit.violation(f"invariant 6: {row.workflow_id} was claimed before its delay was over")
        row.status, row.owner, row.executor_id = "PENDING", claim.owner, claim.executor_id
        row.app_version, row.application_name = claim.app_version, claim.application_name
        row.recovery_attempts += 1
        if row.deadline_ms is None and row.timeout_ms is not None:
            row.deadline_ms = self._now_ms() + row.timeout_ms
        self.audit.claimed(row.workflow_id, claim.owner, claim.executor_id)
        return Claimed(
            workflow_id=row.workflow_id,
            name=row.name,
            class_name=row.class_name,
            config_name=row.config_name,
            queue_name=row.queue_name,
            serialization=row.serialization,
            inputs=row.inputs,
            recovery_attempts=row.recovery_attempts,
            max_recovery_attempts=row.most_attempts,
            deadline_ms=row.deadline_ms,
            authenticated_user=None,
            assumed_role=None,
            authenticated_roles=None,
            has_history=bool(self.operations.get(row.workflow_id)),
            failed_attempts=self._failed(row),
        )

    def untakable(self, claim: Claim) -> str | None:
        """queues/untakable"""
        waiting = (
            row.workflow_id
            for row in self.workflows.values()
            if row.status == "ENQUEUED"
            and row.queue_name == claim.queue_name
            and row.application_name in (claim.application_name, None)
            and not self._met(row, claim)
            and not self._may_claim(row, claim)
        )
        return next(waiting, None)

    def partitions(self, queue_name: str, after: str, most: int) -> list[tuple[str, bool]]:
        """queues/partitions: nothing here has a partition key"""
        return []

    def next_start(self, queue_name: str) -> float | None:
        """queues/next_start: nothing here has a rate limit"""
        return None

    def history(self, workflow_ids: Sequence[str]) -> list[HistoryRow]:
        """workflows/history"""
        return [
            HistoryRow(workflow_id, number, row.name, row.output, row.error, row.child, row.serialization)
            for workflow_id in sorted(workflow_ids)
            for number, row in sorted(self.operations.get(workflow_id, {}).items())
        ]

    # -- the fallback query -------------------------------------------------------------------------------

    def poll(self, waits: Sequence[Wait], executor: ExecutorIdentity | None) -> Ready:
        """hub/poll and hub/pulse; what a pulse changes, its own answers do not show yet"""
        asked = sorted(set(waits), key=lambda wait: (wait.kind, wait.id, wait.key, wait.offset))
        results, events, messages = self._over(asked)
        streams = [(w.id, w.key, w.offset) for w in asked if w.kind == "stream" and self._has_news(w)]
        if executor is None:
            return Ready(results=results, events=events, messages=messages, streams=streams)
        now, application = self._now_ms(), executor.application_name
        queues = self._with_work(application)
        delays = [row.delay_until for row in self._delayed(application)]
        deadlines = [row.deadline_ms for row in self.workflows.values() if row.status in ACTIVE]
        leases = self._ends_of_leases(executor)
        due = [at for at in [*delays, *deadlines, *leases] if at is not None and at > now]
        self._release_due(application)
        return Ready(
            results=results,
            events=events,
            messages=messages,
            streams=streams,
            queues=queues,
            cancelled=self._cancel_overdue(application),
            lost=[(w.id, w.key) for w in asked if w.kind == "run" and not self.owns(w.id, w.key)],
            dead=self._expired(application),
            next_delay=(min(due) - now) / 1000 if due else None,
        )

    def _over(self, asked: Sequence[Wait]) -> tuple[list[ResultRow], list[Any], list[tuple[str, str]]]:
        rows = [self.workflows[w.id] for w in asked if w.kind == "result" and w.id in self.workflows]
        results = [
            ResultRow(row.workflow_id, row.status, row.output, row.error, row.serialization)
            for row in rows
            if row.status not in ACTIVE
        ]
        events = [
            (w.id, w.key, *self.events[w.id, w.key])
            for w in asked
            if w.kind == "event" and (w.id, w.key) in self.events
        ]
        waiting = {(m.destination, m.topic) for m in self.messages.values() if m.consumed_by is None}
        messages = [(w.id, w.key) for w in asked if w.kind == "message" and (w.id, w.key) in waiting]
        return results, events, messages

    def _has_news(self, wait: Wait) -> bool:
        page = self.stream(wait.id, wait.key, wait.offset, 1)
        return page is None or page.ended or bool(page.values)

    def _with_work(self, application: str) -> list[QueueRow]:
        busy = {
            row.queue_name
            for row in self.workflows.values()
            if row.status == "ENQUEUED" and row.application_name in (application, None)
        }
        return [queue for queue in [*self.queues.values(), INTERNAL] if queue.name in busy]

    def _delayed(self, application: str) -> list[WorkflowRow]:
        return [
            row
            for row in self.workflows.values()
            if row.status == "DELAYED" and row.application_name in (application, None)
        ]

    def _release_due(self, application: str) -> None:
        due = [row for row in self._delayed(application) if (row.delay_until or 0) <= self._now_ms()]
        for row in due:
            row.status = "ENQUEUED"
        self._tell_queues(due)

    def _cancel_overdue(self, application: str) -> list[str]:
        overdue = [
            row
            for row in self.workflows.values()
            if row.status in ACTIVE
            and row.deadline_ms is not None
            and row.deadline_ms <= self._now_ms()
            and row.application_name in (application, None)
        ]
        for row in overdue:
            self.cancel(row.workflow_id)
        return [row.workflow_id for row in overdue]

    def cancel(self, workflow_id: str) -> None:
        """workflows/cancel, for one workflow"""
        row = self.workflows[workflow_id]
        if row.status in ("SUCCESS", "ERROR"):
            return
        owner = row.owner
        row.queue_name = None
        self._end(row, "CANCELLED")
        if owner is not None:
            self.notify(names.DURABLY_CHANNEL, f"c::{workflow_id}::{owner}")

    # -- executors ----------------------------------------------------------------------------------------

    def register(self, executor: ExecutorIdentity) -> float:
        """executors/register_version and executors/register"""
        self.versions.setdefault(executor.app_version, (self.clock(), executor.application_name))
        self.executors[executor.executor_id] = Lease(executor, self.clock() + executor.lease_seconds)
        return self.clock()

    def beat(self, executor: ExecutorIdentity) -> Beat:
        """executors/beat"""
        lease = self.executors.get(executor.executor_id)
        alive = lease is not None and not lease.stopped
        if alive and lease is not None:
            lease.expires = self.clock() + lease.executor.lease_seconds
        return Beat(
            alive=alive,
            database_now=self.clock() if alive else 0.0,
            neighbours=[
                (other.executor.executor_id, other.executor.pid, other.executor.process_start)
                for other in self.executors.values()
                if not other.stopped
                and other.executor.host == executor.host
                and other.executor.application_name == executor.application_name
                and other.executor.executor_id != executor.executor_id
            ],
        )

    def compare(self, executor_id: str, runs: Sequence[tuple[str, str]], after: int, most: int) -> Compared:
        """executors/compare; everything is on one page"""
        owned = [
            (row.workflow_id, row.owner)
            for row in self.workflows.values()
            if row.status == "PENDING" and row.executor_id == executor_id and row.owner is not None
        ]
        foreign = [pair for pair in runs if pair not in owned]
        return Compared(foreign=foreign, owned=owned if most else [], edge=None)

    def _expired(self, application: str) -> list[str]:
        return [
            executor_id
            for executor_id, lease in self.executors.items()
            if not lease.stopped
            and lease.executor.application_name == application
            and lease.expires < self.clock()
        ]

    def _ends_of_leases(self, executor: ExecutorIdentity) -> list[int]:
        return [
            int(lease.expires * 1000) + 1
            for executor_id, lease in self.executors.items()
            if not lease.stopped
            and executor_id != executor.executor_id
            and lease.executor.application_name == executor.application_name
            and lease.expires >= self.clock()
        ]

    def adopt(
        self, application_name: str, executor_ids: Sequence[str], *, only_expired: bool = False
    ) -> list[str]:
        """executors/close and executors/adopt"""
        for executor_id in executor_ids:
            lease = self.executors.get(executor_id)
            if lease is not None and (not only_expired or lease.expires < self.clock()):
                lease.stopped = True
        stopped = {
            executor_id
            for executor_id, lease in self.executors.items()
            if lease.stopped and lease.executor.application_name == application_name
        }
        rows = [r for r in self.workflows.values() if r.status == "PENDING" and r.executor_id in stopped]
        for row in rows:
            tried = self.executors[row.executor_id or ""].on_trial
            if tried == f"{row.owner}:{row.workflow_id}":
                row.recovery_attempts += 1
            elif row.recovery_attempts > 1 and tried not in (None, row.workflow_id):
                row.recovery_attempts -= 1
        return self._put_back(rows)

    def is_bereft(self, workflow_id: str, owner: str) -> bool:
        """Whether the executor of this owner was declared dead, and the workflow taken from it."""
        lease = self.executors.get(self.audit.executors.get(owner) or "")
        return lease is not None and lease.stopped and self.workflows[workflow_id].owner != owner

    def put_on_trial(self, executor_id: str, blamed: str | None) -> None:
        """executors/try"""
        if (lease := self.executors.get(executor_id)) is not None:
            lease.on_trial = blamed

    def holder(self, queue_name: str, deduplication_id: str) -> str | None:
        """workflows/deduplicated"""
        held = (queue_name, deduplication_id)
        rows = self.workflows.values()
        return next((r.workflow_id for r in rows if (r.queue_name, r.deduplication_id) == held), None)

    def note_waits(self, executor_id: str, new: Sequence[Waiting], over: Sequence[int]) -> None:
        """waits/note: nobody asks here"""

    def release(self, owned: Sequence[tuple[str, str]]) -> None:
        """workflows/release"""
        self._put_back([self.workflows[w] for w, owner in owned if self._runs(w, owner)])

    def set_aside(self, owned: Sequence[tuple[str, str]]) -> None:
        """workflows/set_aside"""
        for workflow_id, owner in owned:
            if self._runs(workflow_id, owner):
                self.workflows[workflow_id].queue_name = None
                self._end(self.workflows[workflow_id], "MAX_RECOVERY_ATTEMPTS_EXCEEDED")

    def strand(self, stranding: Stranding) -> None:
        """stranded/strand"""
        if not self._runs(stranding.workflow_id, stranding.owner):
            return
        row = self.workflows[stranding.workflow_id]
        row.status, row.owner, row.delay_until = "DELAYED", None, names.STRANDED_UNTIL_MS
        row.queue_name = row.queue_name or names.INTERNAL_QUEUE
        row.recovery_attempts = max(row.recovery_attempts - 1, 0)
        entry = self.stranded.setdefault(row.workflow_id, Stranded(stranding.application_name, []))
        entry.met = [code for code in entry.met if code != stranding.code] + [stranding.code]
        entry.released = False

    def release_stranded(self, executor: ExecutorIdentity, runnable: Sequence[str]) -> None:
        """stranded/release"""
        released = []
        for workflow_id, entry in list(self.stranded.items()):
            row = self.workflows.get(workflow_id)
            if entry.application_name != executor.application_name:
                continue
            if row is None or row.status not in ACTIVE:
                del self.stranded[workflow_id]
            elif self._may_release(row, entry, executor, runnable):
                row.status, row.delay_until, entry.released = "ENQUEUED", None, True
                released.append(row)
        self._tell_queues(released)

    def _may_release(
        self, row: WorkflowRow, entry: Stranded, executor: ExecutorIdentity, runnable: Sequence[str]
    ) -> bool:
        return (
            not entry.released
            and executor.code not in entry.met
            and row.delay_until == names.STRANDED_UNTIL_MS
            and row.app_version in (executor.app_version, None)
            and f"{row.name}\x1f{row.class_name or ''}\x1f{row.config_name or ''}" in runnable
        )

    def _runs(self, workflow_id: str, owner: str) -> bool:
        return self.owns(workflow_id, owner) and self.workflows[workflow_id].status == "PENDING"

    def _put_back(self, rows: list[WorkflowRow]) -> list[str]:
        for row in rows:
            row.status, row.owner = "ENQUEUED", None
            row.queue_name = row.queue_name or names.INTERNAL_QUEUE
        return self._tell_queues(rows)

    def _tell_queues(self, rows: list[WorkflowRow]) -> list[str]:
        queues = sorted({row.queue_name or "" for row in rows})
        for queue in queues:
            self.notify(names.DURABLY_CHANNEL, f"q::{queue}")
        return queues

    def _now_ms(self) -> int:
        return round(self.clock() * 1000)


def _lost(workflow_id: str) -> RunInterrupted:
    return RunInterrupted(workflow_id, "it was cancelled, resumed or taken over; its current owner goes on")


def _instant(wake: float) -> OperationRow:
    return OperationRow(
        name=names.SLEEP, output=repr(wake), serialization="portable_json", completed_at=round(wake * 1000)
    )


def _same(row: WorkflowRow, record: Create) -> bool:
    return (row.name, row.class_name or "", row.config_name or "") == (
        record.name,
        record.class_name or "",
        record.config_name or "",
    )
