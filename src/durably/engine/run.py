"""One attempt of one workflow: its operations are numbered, answered from the record, or performed.

A run is one task (or one thread) and what it awaits. Only records cross to the writer; nothing here talks to
the database.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import functools
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from durably.core import names
from durably.core.ledger import Ledger
from durably.core.ops import GetResult, NextCompleted, Operation
from durably.core.ports import Claimed, HistoryRow
from durably.core.records import Record, Step
from durably.engine import about, performers
from durably.engine.context import frame
from durably.engine.shields import Shield, Shields
from durably.errors import (
    ContinueAsNew,
    DatabaseError,
    DecodeError,
    NonDeterminism,
    NotRunning,
    RunInterrupted,
    WrongContext,
)
from durably.observing import NOTHING

if TYPE_CHECKING:
    from durably.engine.executor import Resources
    from durably.engine.registry import WorkflowDefinition
    from durably.types import WorkflowContext

__all__ = ["Run", "RunStranded"]

T = TypeVar("T")

ASKED = 64  # operations of a run, at least, before those that are over are let go

# Values that are their own copy: what such a value was recorded as, it also is when it is decoded.
PLAIN = (str, int, bool, type(None))


class RunStranded(RunInterrupted):
    """Stops the code of a run that its record does not fit; the run is set aside."""

    def __init__(self, workflow_id: str, difference: NonDeterminism) -> None:
        super().__init__(workflow_id, str(difference))
        self.difference = difference


class Run:
    """See the module."""

    def __init__(
        self,
        claimed: Claimed,
        owner: str,
        definition: WorkflowDefinition,
        resources: Resources,
        history: Sequence[HistoryRow] = (),
    ) -> None:
        self.claimed = claimed
        self.workflow_id = claimed.workflow_id
        self.owner = owner
        self.definition = definition
        self.resources = resources
        self.ledger = Ledger(claimed.workflow_id, history)
        self.interruption: RunInterrupted | None = None
        self.task: asyncio.Task[Any] | None = None
        self.executor_id = resources.executor_id()
        self.shields = Shields(self)
        self.started_at = self.now_ms()
        self.beats: dict[int, int] = {}  # of steps under way that have saved how far they are
        self.stepping: set[asyncio.Task[Any]] = set()  # tasks that are in a step
        self.parked = 0
        self.has_checkpoints = False  # of transactions, in the application's database
        self.called = False  # whether the workflow's own code has begun
        self.watch = NOTHING
        self.concluding = False  # its outcome is on its way, and its owner about to be none
        self._waiting: concurrent.futures.Future[Any] | None = None
        self._asked: list[tuple[str, Coroutine[Any, Any, Any]]] = []  # operations that may not be over
        self._room = ASKED

    def shield(self, seconds: float) -> Shield:
        """A scope that a cancellation does not end at once."""
        if (here := frame.get()) is not None and here.step:
            raise WrongContext("shield does not work inside a step: put it around the step, in the workflow")
        return Shield(self, seconds)

    def shield_blocking(self, seconds: float) -> Shield:
        """The same for the thread of a blocking workflow."""
        self.resources.refuse_on_loop("shield")
        return self.shield(seconds)

    def continue_as_new(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> NoReturn:
        """End this generation: the executor begins the next one with these arguments."""
        if (here := frame.get()) is not None and here.step:
            raise WrongContext(
                "continue_as_new does not work inside a step: call it from the workflow, behind the step"
            )
        self.refuse_interrupted()
        try:
            self.definition.parameters.check(args, kwargs, "portable_json")
        except DecodeError as error:
            why = str(error).partition("(): ")[2].replace("stored", "given")
            raise TypeError(f"workflow {self.definition.name!r} cannot go on with these: {why}") from None
        codec = self.resources.codecs.reader(self.claimed.serialization, self.claimed.inputs or "")
        inputs = codec.encode_arguments(
            args,
            kwargs,
            subject=f"arguments of {self.definition.name!r}",
            parameters=self.definition.parameters,
        )
        raise ContinueAsNew(inputs)

    @property
    def context(self) -> WorkflowContext:
        """What the workflow's code can know of it."""
        return about.context(self.claimed, self.definition, self.resources.app_version)

    # -- operations ---------------------------------------------------------------------------------------

    def perform(self, operation: Operation[T]) -> Coroutine[Any, Any, T]:
        """Number the operation now; the coroutine answers it from the record or performs it."""
        here = frame.get()
        if here is not None and here.step:
            if here.transaction:
                refuse_in_transaction(operation.name)
            return performers.inside_step(self, here.step, operation)
        self.refuse_coroutine(operation.name)
        if isinstance(operation, GetResult) and operation.timeout is not None:
            timer = self.begin(names.SLEEP)
            number, row = self.begin(operation.name)
            return self.asked_for(
                operation.name, performers.await_result(self, number, row, operation, timer)
            )
        if operation.alone:
            self._refuse_company(operation.name)
        if operation.single:
            self._refuse_second(operation.name)
        number, row = self.begin(operation.name, operation.width_at(self.ledger.next_name()))
        return self.asked_for(operation.name, performers.perform(self, number, row, operation))

    async def completed(self, awaitables: Sequence[Awaitable[T]]) -> AsyncIterator[asyncio.Future[T]]:
        """Futures of these, in the order in which they are done; which is next is an operation."""
        futures = {place: asyncio.ensure_future(each) for place, each in enumerate(awaitables)}
        while futures:
            yield futures.pop(await self.perform(NextCompleted(dict(futures))))

    def completed_blocking(self, awaitables: Sequence[Any]) -> Iterator[Any]:
        """A blocking workflow's steps run one after the other; only handles end in an order of their own."""
        raise WrongContext(
            f"workflow {self.definition.name!r} blocks, so as_completed takes handles of workflows: "
            "start them, and give their handles"
        )

    def asked_for(self, name: str, coroutine: Coroutine[Any, Any, T]) -> Coroutine[Any, Any, T]:
        """Note an operation, which ends when its coroutine does."""
        if len(self._asked) >= self._room:
            self._asked = [(name, c) for name, c in self._asked if not _is_over(c)]
            self._room = max(ASKED, 2 * len(self._asked))
        self._asked.append((name, coroutine))
        return coroutine

    def _refuse_company(self, name: str) -> None:
        """What other operations have done by now may differ at a replay, and with it the next number."""
        others = [other for other, coroutine in self._asked if not _is_over(coroutine)]
        if others:
            raise WrongContext(
                f"workflow {self.definition.name!r} calls {name} while {others[0]!r} is under way: where a "
                "patch stands among operations that overlap differs from run to run; await them first"
            )

    def _refuse_second(self, name: str) -> None:
        """Two streams that are read side by side would take their numbers as their values happen to come."""
        if any(other == name and not _is_over(coroutine) for other, coroutine in self._asked):
            raise WrongContext(
                f"workflow {self.definition.name!r} calls {name} while another {name} is under way: which of "
                "them goes on first would differ from run to run; read one after the other, or in steps"
            )

    def refuse_forgotten(self) -> None:
        """At the end of the workflow's code: what it asked for and never awaited has not happened."""
        forgotten = [(name, coroutine) for name, coroutine in self._asked if _is_unbegun(coroutine)]
        for _, coroutine in forgotten:
            coroutine.close()
        if forgotten:
            raise WrongContext(
                f"workflow {self.definition.name!r} called {forgotten[0][0]!r} and never awaited it, so it "
                "did not happen: write `await` before the call, or await the task that runs it"
            )

    def refuse_coroutine(self, name: str) -> None:
        """On the thread of a blocking workflow, where nothing could await it."""
        if not self.definition.is_async:
            self.resources.refuse_off_loop(name, self.definition.name)

    def perform_blocking(self, operation: Operation[T]) -> T:
        """The same for the thread of a blocking workflow: waits, and gives its place back meanwhile."""
        self.resources.refuse_on_loop(operation.name)
        return self.wait_for(lambda: self.perform(operation))

    def wait_for(self, function: Callable[[], Awaitable[T]], *, shield: Shield | None = None) -> T:
        """On the thread of a blocking workflow: run a coroutine function on the loop, in this frame."""
        resources, here = self.resources, frame.get()
        shielded = shield is not None or (here is not None and here.shielded)
        future = asyncio.run_coroutine_threadsafe(self._in_frame(here, function), resources.loop)
        self._waiting = future
        if self.interruption is not None and not shielded:  # it came before there was something to cancel
            future.cancel()
        try:
            with resources.workers.parked():
                return future.result()
        except (asyncio.CancelledError, concurrent.futures.CancelledError):
            raise self.interruption or RunInterrupted(self.workflow_id, "it was interrupted") from None
        finally:
            self._waiting = None

    async def _in_frame(self, here: Any, function: Callable[[], Awaitable[T]]) -> T:
        frame.set(here)
        return await function()

    def begin(self, name: str, width: int = 1) -> tuple[int, HistoryRow | None]:
        """The number of the next operation (0 if it takes none), and its record if it has one."""
        self.refuse_interrupted()
        if not width:
            return 0, None
        here = frame.get()
        if here is not None and here.shield is not None and here.shield.late:
            return self.ledger.draw_cleanup(width), None
        number = self.ledger.draw(width)
        try:
            return number, self.ledger.recorded(number, name)
        except NonDeterminism as difference:
            raise self._stranded(difference) from None

    def _stranded(self, difference: NonDeterminism) -> RunInterrupted:
        """This code cannot go on with the record: the run stops, and is set aside for other code."""
        stranded = RunStranded(self.workflow_id, difference)
        if self.definition.is_async:
            self.interrupt(stranded)
        self.interruption = self.interruption or stranded
        return self.interruption

    # -- records ------------------------------------------------------------------------------------------

    async def record(self, record: Record, *, behind: Record | None = None) -> Any:
        """Wait until the record is durable; its reply. RunInterrupted when this run owns nothing any more.

        What is to be written `behind` it is in the same batch as a rule, and never in an earlier one.
        """
        self.refuse_interrupted()
        try:
            ticket = self.resources.writer.submit(record)
            if behind is not None:
                self.resources.writer.submit(behind)
            reply = await ticket
            self.resources.progressed(self.workflow_id)
            return reply
        except RunInterrupted as lost:
            if await self._owns_again(lost):
                return await self.record(record, behind=behind)
            self.interrupt(lost)
            raise
        except (DatabaseError, NotRunning) as error:
            raise self.given_up(error) from error

    async def committing(self, commit: Callable[[], Awaitable[T]]) -> T:
        """Wait for a commit of others that has a record of this run in it; RunInterrupted as for `record`."""
        self.refuse_interrupted()
        try:
            value = await commit()
            self.resources.progressed(self.workflow_id)
            return value
        except RunInterrupted as lost:
            if await self._owns_again(lost):
                return await self.committing(commit)
            self.interrupt(lost)
            raise

    def record_blocking(self, record: Record) -> Any:
        """The same for a thread."""
        self.refuse_interrupted()
        try:
            reply = self.resources.writer.submit_from_thread(record).result()
            self.resources.progressed(self.workflow_id)
            return reply
        except RunInterrupted as lost:
            if self.wait_for(functools.partial(self._owns_again, lost)):
                return self.record_blocking(record)
            self.interruption = self.interruption or lost
            raise
        except (DatabaseError, NotRunning) as error:
            raise self.given_up(error) from error

    async def _owns_again(self, lost: RunInterrupted) -> bool:
        """Whether a shielded scope may go on with what was refused: the run was cancelled, no more."""
        here = frame.get()
        if here is None or not here.shielded or lost.cancelled is False:
            return False
        self.interrupt(lost)
        if await self.shields.reclaim():
            return True
        self.shields.end()
        return False

    def refuse_interrupted(self) -> None:
        """Code that swallows its cancellation goes on, with what only the interruption made."""
        if self.interruption is not None and not self._is_shielded:
            raise self.interruption

    @property
    def may_begin(self) -> bool:
        """Whether a body may begin: the workflow is surely this run's own. On any thread."""
        if not self.resources.tenure.is_sure:
            return False
        return self.interruption is None or (self._is_shielded and self.shields.owned)

    async def until_it_may_begin(self) -> None:
        """Wait for the lease to be sure again; RunInterrupted where this run owns nothing any more."""
        while not self.may_begin:
            await self.resources.tenure.sure()
            self.refuse_interrupted()
            if self.interruption is not None and not await self.shields.owns():
                raise self.interruption

    @property
    def _is_shielded(self) -> bool:
        return (here := frame.get()) is not None and here.shielded

    def given_up(self, error: Exception) -> RunInterrupted:
        """The database's trouble is never the workflow's outcome: the run stops and goes on elsewhere."""
        self.interruption = self.interruption or RunInterrupted(self.workflow_id, str(error))
        return self.interruption

    def step_record(
        self,
        number: int,
        name: str,
        *,
        started: int,
        value: Any = None,
        type_: Any = Any,
        error: BaseException | None = None,
    ) -> Step:
        """The record of an operation's outcome, encoded in this application's own format."""
        codec = self.resources.codecs.default
        output = failure = None
        if error is None:
            output = codec.encode(value, subject=f"result of step {name!r}", type_=type_)
        else:
            failure = codec.encode_error(error)
        return Step(
            workflow_id=self.workflow_id,
            owner=self.owner,
            function_id=number,
            function_name=name,
            output=output,
            error=failure,
            serialization=codec.name,
            started_at=started,
            completed_at=self.now_ms(),
        )

    def as_recorded(self, record: Step, value: Any, type_: Any) -> Any:
        """What the workflow gets: the value as it would come back from the record (invariant 5)."""
        kind = type(value)
        if kind in PLAIN and (type_ is Any or type_ is kind):
            return value
        return self.resources.codecs.default.decode(record.output or "null", type_)

    def error_as_recorded(self, record: Step) -> BaseException:
        """The error as it would come back from the record."""
        return self.resources.codecs.decode_error(
            self.workflow_id, record.error or "{}", record.serialization
        )

    def recall(self, row: HistoryRow, type_: Any = Any) -> Any:
        """The value of a recorded operation; raises the recorded error."""
        codecs = self.resources.codecs
        if row.error is not None:
            raise codecs.decode_error(self.workflow_id, row.error, row.serialization)
        if row.output is None:
            return None
        return codecs.decode(row.output, row.serialization, type_)

    def now_ms(self) -> int:
        """This machine's clock, for the times shown beside a step."""
        return int(self.resources.world.now() * 1000)

    # -- the end ------------------------------------------------------------------------------------------

    def interrupt(self, reason: RunInterrupted) -> None:
        """Stop the run where it stands: nothing that it still does is recorded. On the loop.

        What a cancellation finds in a shield goes on to the shield's end.
        """
        if self.interruption is not None and (reason.cancelled is not False or not self.shields.active):
            return
        self.interruption = reason
        if self.shields.active and reason.cancelled is not False:
            self.shields.put_off()
            return
        self.shields.end()
        if self.task is not asyncio.current_task():  # else whoever called raises
            self.stop()

    def stop(self, *tasks: asyncio.Task[Any] | None) -> None:
        """Interrupt the code: the task or the thread that it runs on, and these tasks of it. On the loop."""
        if self._waiting is not None:
            self._waiting.cancel()
        for task in {self.task if self.definition.is_async else None, *tasks}:
            if task is not None:
                task.cancel()


def refuse_in_transaction(name: str) -> NoReturn:
    """What is written elsewhere would stay when the transaction is rolled back and tried again."""
    raise WrongContext(
        f"{name} does not work inside a transaction: it would stay when the transaction is rolled back. "
        "Call it from the workflow, before or after the transaction"
    )


def _is_over(coroutine: Coroutine[Any, Any, Any]) -> bool:
    return inspect.getcoroutinestate(coroutine) == inspect.CORO_CLOSED


def _is_unbegun(coroutine: Coroutine[Any, Any, Any]) -> bool:
    return inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED
