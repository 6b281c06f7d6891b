"""Enqueue: one workflow, several at once, or inside a transaction of the caller's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

from msgspec.structs import replace
from typing_extensions import ParamSpec, TypeVar

from durably.client import _records as records
from durably.client._base import Part
from durably.client._creation import create_many, create_one, create_within
from durably.client._session import Open
from durably.client.declared import DeclaredWorkflow
from durably.client.handles import AsyncWorkflowHandle
from durably.concurrency.notice import warn
from durably.core.records import Create, Started
from durably.errors import ArgumentsIgnored, InvalidOption
from durably.observing import CallFacts
from durably.types import EnqueueOptions

__all__ = ["Enqueue", "Enqueueing"]

P = ParamSpec("P", default=...)
R = TypeVar("R", default=Any)


@dataclass(frozen=True)
class Enqueue:
    """A workflow for `enqueue_many`: the options, and the arguments of the call.

    Enqueue(EnqueueOptions(workflow_name="add", queue_name="sums"), (1, 2))
    """

    options: EnqueueOptions[..., Any] | DeclaredWorkflow[..., Any]
    args: Sequence[Any] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)


class Enqueueing(Part):
    """What starts workflows."""

    @overload
    async def enqueue(
        self, options: EnqueueOptions[P, R] | DeclaredWorkflow[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> AsyncWorkflowHandle[R]: ...
    @overload
    async def enqueue(
        self,
        options: EnqueueOptions[..., R] | DeclaredWorkflow[..., R],
        /,
        *args: Any,
        connection: object,
        **kwargs: Any,
    ) -> AsyncWorkflowHandle[R]: ...
    async def enqueue(
        self, options: Any, /, *args: Any, connection: object = None, **kwargs: Any
    ) -> AsyncWorkflowHandle[Any]:
        """Put a workflow on a queue, with its arguments; it is durable when this returns.

        The same `workflow_id` again is the same workflow: nothing is written, and the handle is of the one
        that exists (`handle.created` is False). Where its arguments are others ArgumentsIgnored is warned of,
        unless `workflow_id_reuse_policy` is given. With `connection` (psycopg, asyncpg, SQLAlchemy, of this
        client's colour) it is written in that connection's transaction, which stays the caller's to commit;
        the handle works from then on.

        Raises InvalidOption and EncodeError before anything is written; WorkflowConflict when the id belongs
        to a workflow of another name; WorkflowIdInUse and Deduplicated as the policies in `options` say.

            handle = await client.enqueue(EnqueueOptions(workflow_name="add", queue_name="sums"), 1, 2)
            print(await handle.get_result())
        """
        chosen = records.as_options(options)
        with self._session.settings.observer.call(_facts([chosen])) as watch:
            record = self._blank(chosen).record(args, kwargs)
            watch.identified(record.workflow_id)
            codecs = self._session.settings.codecs
            if connection is not None:
                open_ = await self._session.here()
                started = await create_within(connection, open_, codecs, chosen, _kept(record, open_))
            else:
                started = await self._session.call(
                    lambda open_: create_one(open_, codecs, chosen, _kept(record, open_))
                )
        return await self._told(started, chosen)

    async def enqueue_many(
        self, items: Sequence[Enqueue | tuple[Any, Sequence[Any]]]
    ) -> list[AsyncWorkflowHandle[Any]]:
        """Put many workflows on their queues in one transaction: all of them, or none.

        Each item is `(options, args)`, or `Enqueue(options, args, kwargs)`. Handles come in the same order;
        an id that repeats, or that exists, is the same workflow. Raises as `enqueue`.

            options = EnqueueOptions(workflow_name="add", queue_name="sums")
            handles = await client.enqueue_many([(options, (1, n)) for n in range(100)])
        """
        given = [_item(item) for item in items]
        chosen = [records.as_options(item.options) for item in given]
        if not given:
            return []
        with self._session.settings.observer.call(_facts(chosen)):
            blanks = {key: self._blank(options) for key, options in {id(o): o for o in chosen}.items()}
            made = [
                blanks[id(options)].record(tuple(item.args), item.kwargs)
                for options, item in zip(chosen, given, strict=True)
            ]

            async def create(open_: Open) -> list[Started]:
                kept = [_kept(record, open_) for record in made]
                return await create_many(open_, self._session.settings.codecs, chosen, kept)

            started = await self._session.call(create)
        return [await self._told(*each) for each in zip(started, chosen, strict=True)]

    async def _told(self, started: Started, options: EnqueueOptions[..., Any]) -> AsyncWorkflowHandle[Any]:
        """The handle of a start, and a warning where it dropped the call's arguments."""
        if started.arguments_ignored:
            await warn(ArgumentsIgnored(started.workflow_id, name=options.workflow_name))
        handle = self._handle(started.workflow_id, options.result_type)
        handle._started = started
        return handle

    def _blank(self, options: EnqueueOptions[..., Any]) -> records.Blank:
        settings = self._session.settings
        return records.Blank(
            options,
            codecs=settings.codecs,
            application_name=settings.application_name,
            ids=self._session,
        )


def _facts(chosen: Sequence[EnqueueOptions[..., Any]]) -> CallFacts:
    """What an observer is told: name and queue where they are one."""
    first, *others = chosen
    return CallFacts(
        kind="enqueue",
        name=first.workflow_name if all(o.workflow_name == first.workflow_name for o in others) else None,
        workflow_id=None if others else first.workflow_id,
        queue_name=first.queue_name if all(o.queue_name == first.queue_name for o in others) else None,
        count=len(chosen),
    )


def _item(item: Any) -> Enqueue:
    match item:
        case Enqueue():
            return item
        case (options, tuple() | list() as args):
            return Enqueue(options, args)
        case (options, args) if isinstance(args, Sequence) and not isinstance(args, str | bytes):
            return Enqueue(options, args)
        case _:
            raise InvalidOption("items", item, "each is (options, args) or Enqueue(options, args, kwargs)")


def _kept(record: Create, open_: Open) -> Create:
    """The record without what this database has no place for."""
    if record.max_recovery_attempts is None or open_.keeps_limits:
        return record
    return replace(record, max_recovery_attempts=None)
