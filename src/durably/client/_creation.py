"""What it means that a workflow of some id, or the holder of a deduplication id, exists already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from durably.client._session import Open
from durably.core.records import Create, Created
from durably.errors import Deduplicated, InvalidOption, WorkflowConflict, WorkflowIdInUse
from durably.store import batch, callers, workflows
from durably.types import EnqueueOptions

__all__ = ["create_many", "create_within", "handle_id"]

Options = EnqueueOptions[..., Any]
IDENTITY = (("name", "name"), ("class_name", "class name"), ("config_name", "instance name"))


def handle_id(options: Options, record: Create, reply: Any) -> str:
    """The id that a creation's reply gives, or its error raised."""
    batch.raise_refused(reply)
    if not reply.created:
        _refuse_other(options, record, reply)
    return record.workflow_id


def _refuse_other(options: Options, record: Create, met: Created | Create) -> None:
    if options.workflow_id_reuse_policy == "reject":
        status = met.status if isinstance(met, Created) else "enqueued by the same call"
        raise WorkflowIdInUse(record.workflow_id, name=met.name, status=status)
    for field, what in IDENTITY:
        found, given = getattr(met, field), getattr(record, field)
        if (found or None) != given:
            raise WorkflowConflict(record.workflow_id, what=what, found=found, given=given)


async def create_within(connection: object, open_: Open, options: Options, record: Create) -> None:
    """Create a workflow in the caller's transaction."""
    if options.duplication_policy != "reject":
        raise InvalidOption(
            "duplication_policy",
            options.duplication_policy,
            "inside a transaction of yours only 'reject' works: a violation has ended the transaction "
            "before the existing workflow could be returned",
        )
    try:
        answers = await callers.perform(connection, open_.database.schemas, batch.creation([record]))
    except Exception as error:
        if not callers.is_deduplication(error):
            raise
        raise _deduplicated(record) from error
    handle_id(options, record, batch.created([record], answers[0])[0])


async def create_many(open_: Open, options: Sequence[Options], records: Sequence[Create]) -> list[str]:
    """Create workflows in one transaction; the id for each, in order."""
    held: dict[int, str] = {}  # which records have, for their deduplication id, another workflow
    while True:
        plan = _Plan.of(options, records, held)
        try:
            await _create_together(open_, options, records, plan.chosen)
            return [plan.final_id(index) for index in range(len(records))]
        except workflows.Violation:
            held = await _holders(open_, options, records)


async def _create_together(
    open_: Open, options: Sequence[Options], records: Sequence[Create], chosen: Sequence[int]
) -> None:
    def judge(replies: Sequence[Any]) -> None:
        for index, reply in zip(chosen, replies, strict=True):
            handle_id(options[index], records[index], reply)

    if chosen:
        await workflows.create_together(open_.database, [records[i] for i in chosen], judge)


class _Plan(NamedTuple):
    """Which records to create: the first of each id and of each deduplication id; the others follow it."""

    records: Sequence[Create]
    held: Mapping[int, str]
    chosen: list[int]
    follows: dict[int, int]

    @classmethod
    def of(cls, options: Sequence[Options], records: Sequence[Create], held: Mapping[int, str]) -> _Plan:
        plan = cls(records, held, [], {})
        by_id: dict[str, int] = {}
        by_key: dict[tuple[str | None, str], int] = {}
        for index, record in enumerate(records):
            first = by_id.setdefault(record.workflow_id, index)
            if first != index:
                _refuse_other(options[index], record, records[first])
            elif record.deduplication_id is not None:
                first = by_key.setdefault((record.queue_name, record.deduplication_id), index)
                if first != index:
                    _refuse_second(options[index], record)
            if first != index:
                plan.follows[index] = first
            elif index not in held:
                plan.chosen.append(index)
        return plan

    def final_id(self, index: int) -> str:
        """The id of the workflow that a record has become."""
        while index in self.follows:
            index = self.follows[index]
        return self.held.get(index, self.records[index].workflow_id)


async def _holders(open_: Open, options: Sequence[Options], records: Sequence[Create]) -> dict[int, str]:
    """The other workflows that hold deduplication ids now; raises for a record that does not accept one."""
    keys = {i: (r.queue_name or "", r.deduplication_id) for i, r in enumerate(records) if r.deduplication_id}
    found = await workflows.deduplicated(open_.database, list(keys.values()))
    holders = {index: found[key] for index, key in keys.items() if key in found}
    held = {index: id_ for index, id_ in holders.items() if id_ != records[index].workflow_id}
    for index in held:
        _refuse_second(options[index], records[index])
    return held


def _refuse_second(options: Options, record: Create) -> None:
    if options.duplication_policy == "reject":
        raise _deduplicated(record)


def _deduplicated(record: Create) -> Deduplicated:
    return Deduplicated(
        record.workflow_id, queue_name=record.queue_name, deduplication_id=record.deduplication_id
    )
