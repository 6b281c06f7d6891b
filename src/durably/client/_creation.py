"""What it means that a workflow of some id, or the holder of a deduplication id, exists already."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeAlias

from msgspec.structs import replace

from durably.client._session import Open
from durably.codec import Codecs, same_arguments
from durably.core.records import Create, Created, Started, StoredArguments
from durably.errors import Deduplicated, InvalidOption, WorkflowConflict, WorkflowIdInUse
from durably.store import batch, callers, workflows
from durably.types import EnqueueOptions

__all__ = ["create_many", "create_one", "create_within"]

Options: TypeAlias = EnqueueOptions[..., Any]
Stored: TypeAlias = dict[str, StoredArguments]
IDENTITY = (("name", "name"), ("class_name", "class name"), ("config_name", "instance name"))


async def create_one(open_: Open, codecs: Codecs, options: Options, record: Create) -> Started:
    """Create a workflow; what is now there: it, the one of its id, or the holder of its deduplication id."""
    while True:
        reply = await open_.commits.write(record)
        if not isinstance(reply, Deduplicated) or options.duplication_policy == "reject":
            met = [_started(options, record, reply)]
            return (await _compared(partial(_stored, open_), codecs, [options], [record], met))[0]
        key = (record.queue_name, record.deduplication_id)
        held = await workflows.deduplicated(open_.database, [key])
        for workflow_id in held.values():
            return Started(workflow_id=workflow_id, created=False)


def _started(options: Options, record: Create, reply: Any) -> Started:
    """What a creation's reply says; its error raised."""
    batch.raise_refused(reply)
    if not reply.created:
        _refuse_other(options, record, reply)
    return Started(workflow_id=record.workflow_id, created=reply.created)


async def _compared(
    stored: Callable[[Sequence[str]], Awaitable[Stored]],
    codecs: Codecs,
    options: Sequence[Options],
    records: Sequence[Create],
    started: Sequence[Started],
) -> list[Started]:
    """The same, with whose arguments were ignored: a look at the workflows that were there, where any was."""
    met = {
        index: each.workflow_id
        for index, each in enumerate(started)
        if not each.created
        and options[index].workflow_id_reuse_policy is None
        and each.workflow_id == records[index].workflow_id
    }
    found = await stored(sorted(set(met.values()))) if met else {}
    return [
        replace(each, arguments_ignored=_differ(codecs, records[index], found.get(each.workflow_id)))
        if index in met
        else each
        for index, each in enumerate(started)
    ]


def _differ(codecs: Codecs, record: Create, there: StoredArguments | None) -> bool | None:
    if there is None:
        return None
    same = same_arguments(codecs, record.inputs, record.serialization, there.inputs, there.serialization)
    return None if same is None else not same


async def _stored(open_: Open, workflow_ids: Sequence[str]) -> Stored:
    return await workflows.arguments(open_.database, workflow_ids)


def _refuse_other(options: Options, record: Create, met: Created | Create) -> None:
    if options.workflow_id_reuse_policy == "reject":
        status = met.status if isinstance(met, Created) else "enqueued by the same call"
        raise WorkflowIdInUse(record.workflow_id, name=met.name, status=status)
    for field, what in IDENTITY:
        found, given = getattr(met, field), getattr(record, field)
        if (found or None) != given:
            raise WorkflowConflict(record.workflow_id, what=what, found=found, given=given)


async def create_within(
    connection: object, open_: Open, codecs: Codecs, options: Options, record: Create
) -> Started:
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
    met = [_started(options, record, batch.created([record], answers[0])[0])]

    async def stored(workflow_ids: Sequence[str]) -> Stored:
        call = workflows.arguments_call(workflow_ids)
        (rows,) = await callers.perform(connection, open_.database.schemas, [call])
        return workflows.stored_arguments(rows)

    return (await _compared(stored, codecs, [options], [record], met))[0]


async def create_many(
    open_: Open, codecs: Codecs, options: Sequence[Options], records: Sequence[Create]
) -> list[Started]:
    """Create workflows in one transaction; what is now there for each, in order."""
    held: dict[int, str] = {}  # which records have, for their deduplication id, another workflow
    while True:
        plan = _Plan.of(options, records, held)
        try:
            made = await _create_together(open_, options, records, plan.chosen)
        except workflows.Violation:
            held = await _holders(open_, options, records)
        else:
            started = [plan.started(index, made) for index in range(len(records))]
            return await _compared(partial(_stored, open_), codecs, options, records, started)


async def _create_together(
    open_: Open, options: Sequence[Options], records: Sequence[Create], chosen: Sequence[int]
) -> dict[int, Started]:
    made: dict[int, Started] = {}

    def judge(replies: Sequence[Any]) -> None:
        for index, reply in zip(chosen, replies, strict=True):
            made[index] = _started(options[index], records[index], reply)

    if chosen:
        await workflows.create_together(open_.database, [records[i] for i in chosen], judge)
    return made


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

    def started(self, index: int, made: Mapping[int, Started]) -> Started:
        """What a record has become: made or met itself, or another record's or a holder's workflow."""
        if index in made:
            return made[index]
        while index in self.follows:
            index = self.follows[index]
        workflow_id = self.held.get(index, self.records[index].workflow_id)
        return Started(workflow_id=workflow_id, created=False)


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
