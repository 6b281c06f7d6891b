"""Transactions: steps whose database writes and whose record commit together. `core.transactions` decides."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from durably.core import transactions as core
from durably.core.ports import HistoryRow
from durably.core.records import Step
from durably.core.transactions import Body, Outcome, Owned, Recorded, Statement
from durably.engine import steps, watching
from durably.engine.context import Frame, frame
from durably.engine.patience import until_answered
from durably.errors import RunInterrupted

if TYPE_CHECKING:
    from durably.engine.run import Run

__all__ = [
    "Datasource",
    "Transaction",
    "TransactionDefinition",
    "plain_blocking_transaction",
    "plain_transaction",
    "run_blocking_transaction",
    "run_transaction",
]


class Transaction(Protocol):
    """An open transaction: what the user's function is given, and whether its end is a commit."""

    connection: Any
    commit: bool

    def execute(self, name: str, parameters: Mapping[str, Any]) -> Any:
        """Execute a statement of ours in it: its rows, or something to await for them."""
        ...


class Datasource(Protocol):
    """A driver's way to the application's database. Each has one colour, or both."""

    together: bool  # the application's tables are in the system database

    def begin(self, isolation: str) -> AbstractContextManager[Transaction]:
        """A transaction of a blocking driver; rolled back at the end unless it is to commit."""
        ...

    def begin_async(self, isolation: str) -> AbstractAsyncContextManager[Transaction]:
        """The same of an asynchronous one."""
        ...

    def is_transient(self, error: BaseException) -> bool:
        """Whether the same transaction may succeed a moment later."""
        ...


@dataclass(frozen=True, eq=False)
class TransactionDefinition:
    """A function registered as a transaction; its first parameter is the connection or session."""

    name: str
    function: Callable[..., Any]
    kind: str  # "psycopg.Connection", "sqlalchemy.AsyncSession", ...
    isolation: str
    result_type: Any
    source: Callable[[str], Datasource]
    is_async: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "is_async", inspect.iscoroutinefunction(self.function))

    def call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
        """One call of it."""
        return Call(self, args, kwargs)


@dataclass(frozen=True)
class Call:
    """A transaction and its arguments."""

    definition: TransactionDefinition
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def on(self, connection: Any) -> Any:
        """The function's own doing."""
        return self.definition.function(connection, *self.args, **self.kwargs)


# --- in a workflow ----------------------------------------------------------------------------------------


async def run_transaction(run: Run, number: int, row: HistoryRow | None, call: Call) -> Any:
    """Answer the transaction from its record, or run it and record it, exactly once."""
    source = call.definition.source(call.definition.kind)
    run.has_checkpoints |= not source.together
    if row is not None:
        return run.recall(row, call.definition.result_type)
    with watching.operation(run, number, call.definition.name, "transaction"):
        started = run.now_ms()
        outcome = await _settled(run, number, call, source, started)
        record = _record(run, number, call, started, outcome)
        if not (source.together and outcome.commit):
            await run.record(record)
        return _result(run, record, outcome, call)


def run_blocking_transaction(run: Run, number: int, row: HistoryRow | None, call: Call) -> Any:
    """The same on the thread of a blocking workflow."""
    source = call.definition.source(call.definition.kind)
    run.has_checkpoints |= not source.together
    if row is not None:
        return run.recall(row, call.definition.result_type)
    with watching.operation(run, number, call.definition.name, "transaction"):
        started = run.now_ms()
        outcome = _settled_blocking(run, number, call, source, started)
        record = _record(run, number, call, started, outcome)
        if not (source.together and outcome.commit):
            run.record_blocking(record)
        return _result(run, record, outcome, call)


def _record(run: Run, number: int, call: Call, started: int, outcome: Outcome) -> Step:
    recorded = outcome.recorded
    assert recorded is not None
    return steps.bare_record(
        run,
        number,
        call.definition.name,
        started,
        output=recorded.output,
        error=recorded.error,
        serialization=recorded.serialization,
    )


def _result(run: Run, record: Step, outcome: Outcome, call: Call) -> Any:
    if record.error is not None:
        raise run.error_as_recorded(record) from outcome.cause
    type_ = call.definition.result_type
    if outcome.fresh:
        return run.as_recorded(record, outcome.value, type_)
    return run.resources.codecs.decode(record.output or "null", record.serialization, type_)


# --- until it is settled ----------------------------------------------------------------------------------


async def _settled(run: Run, number: int, call: Call, source: Datasource, started: int) -> Outcome:
    terms = _terms(run, number, call, source, started)
    for delay in _delays():
        if not run.may_begin:
            await run.until_it_may_begin()
        try:
            async with source.begin_async(call.definition.isolation) as transaction:
                outcome = await _driven(run, number, call, core.plan(terms), transaction)
                transaction.commit = outcome.commit
            if outcome.cause is not None and not source.together:
                outcome = await _with_error(terms, source, call, outcome)
        except Exception as error:
            if not source.is_transient(error):
                raise
            run.refuse_interrupted()
            await run.resources.world.sleep(delay)
            continue
        if (settled := _settlement(run, outcome)) is not None:
            return settled
    raise AssertionError("the delays have no end")


async def _driven(run: Run, number: int, call: Call, plan: core.Plan, transaction: Transaction) -> Outcome:
    """Answer a plan's requests."""
    answer: Any = None
    error: BaseException | None = None
    while True:
        try:
            request = plan.send(answer) if error is None else plan.throw(error)
        except StopIteration as end:
            outcome: Outcome = end.value
            return outcome
        answer = error = None
        try:
            match request:
                case Statement(name, parameters):
                    answer = await transaction.execute(name, parameters)
                case Owned():
                    answer = await _owner(run) == run.owner
                case Body():
                    with _Inside(run, number):
                        answer = await call.on(transaction.connection)
        except Exception as raised:
            error = raised


async def _owner(run: Run) -> str | None:
    store, world = run.resources.store, run.resources.world
    return await until_answered(world, "a transaction", lambda: store.owner(run.workflow_id))


async def _with_error(terms: core.Terms, source: Datasource, call: Call, outcome: Outcome) -> Outcome:
    """The function's error has undone its transaction; in another one it is recorded, unless one is there."""
    assert outcome.recorded is not None
    async with source.begin_async(call.definition.isolation) as transaction:
        statement = terms.record(outcome.recorded)
        transaction.commit = bool(await transaction.execute(statement.name, statement.parameters))
        return outcome if transaction.commit else Outcome(None)


def _settled_blocking(run: Run, number: int, call: Call, source: Datasource, started: int) -> Outcome:
    terms = _terms(run, number, call, source, started)
    for delay in _delays():
        if not run.may_begin:
            run.wait_for(run.until_it_may_begin)
        try:
            with source.begin(call.definition.isolation) as transaction:
                outcome = _driven_blocking(run, number, call, core.plan(terms), transaction)
                transaction.commit = outcome.commit
            if outcome.cause is not None and not source.together:
                outcome = _with_error_blocking(terms, source, call, outcome)
        except Exception as error:
            if not source.is_transient(error):
                raise
            run.refuse_interrupted()
            run.wait_for(lambda delay=delay: run.resources.world.sleep(delay))  # type: ignore[misc]
            continue
        if (settled := _settlement(run, outcome)) is not None:
            return settled
    raise AssertionError("the delays have no end")


def _driven_blocking(run: Run, number: int, call: Call, plan: core.Plan, transaction: Transaction) -> Outcome:
    """Answer a plan's requests."""
    answer: Any = None
    error: BaseException | None = None
    while True:
        try:
            request = plan.send(answer) if error is None else plan.throw(error)
        except StopIteration as end:
            outcome: Outcome = end.value
            return outcome
        answer = error = None
        try:
            match request:
                case Statement(name, parameters):
                    answer = transaction.execute(name, parameters)
                case Owned():
                    answer = run.wait_for(lambda: _owner(run)) == run.owner
                case Body():
                    with _Inside(run, number):
                        answer = call.on(transaction.connection)
        except Exception as raised:
            error = raised


def _with_error_blocking(terms: core.Terms, source: Datasource, call: Call, outcome: Outcome) -> Outcome:
    assert outcome.recorded is not None
    with source.begin(call.definition.isolation) as transaction:
        statement = terms.record(outcome.recorded)
        transaction.commit = bool(transaction.execute(statement.name, statement.parameters))
        return outcome if transaction.commit else Outcome(None)


def _settlement(run: Run, outcome: Outcome) -> Outcome | None:
    """The outcome, None where it has to be tried again; a run that lost its workflow stops."""
    if outcome.lost:
        run.interruption = run.interruption or RunInterrupted(run.workflow_id, "its current owner goes on")
        raise run.interruption
    return None if outcome.recorded is None else outcome


def _delays() -> Iterator[float]:
    """Seconds between attempts, as DBOS has them: 1 ms, half as much more each time, 2 s at most; no end."""
    return (min(0.001 * 1.5 ** min(attempt, 30), 2.0) for attempt in itertools.count())


def _terms(run: Run, number: int, call: Call, source: Datasource, started: int) -> core.Terms:
    key = {"workflow_id": run.workflow_id, "step_id": str(number)}
    codec, definition = run.resources.codecs.default, call.definition

    def record(recorded: Recorded) -> Statement:
        texts = {
            "output": recorded.output,
            "error": recorded.error,
            "serialization": recorded.serialization,
        }
        if not source.together:
            return Statement("transactions/insert", {**key, **texts})
        operation = {
            "workflow_id": run.workflow_id,
            "owner": run.owner,
            "function_id": number,
            "function_name": definition.name,
            "child_workflow_id": None,
            "started_at": started,
            "completed_at": run.now_ms(),
            "application_name": run.resources.application_name,
        }
        return Statement("steps/record_one", {**operation, **texts})

    def encode(value: Any) -> Recorded:
        subject = f"result of transaction {definition.name!r}"
        text = codec.encode(value, subject=subject, type_=definition.result_type)
        return Recorded(text, None, codec.name)

    return core.Terms(
        find=Statement("transactions/recorded" if source.together else "transactions/find", key),
        record=record,
        encode=encode,
        encode_error=lambda error: Recorded(None, codec.encode_error(error), codec.name),
        is_transient=source.is_transient,
        together=source.together,
    )


class _Inside:
    """The frame of a transaction's body: nothing of a workflow works in it, for it would not be undone."""

    def __init__(self, run: Run, number: int) -> None:
        here = frame.get()
        self._frame = Frame(run, number, shield=here.shield if here else None, transaction=True)

    def __enter__(self) -> None:
        self._token = frame.set(self._frame)

    def __exit__(self, *_: object) -> None:
        frame.reset(self._token)


# --- outside of workflows ---------------------------------------------------------------------------------


async def plain_transaction(call: Call) -> Any:
    """Outside of workflows: an ordinary transaction, committed when the function returns."""
    async with call.definition.source(call.definition.kind).begin_async(call.definition.isolation) as opened:
        value = await call.on(opened.connection)
        opened.commit = True
    return value


def plain_blocking_transaction(call: Call) -> Any:
    """The same for a blocking one."""
    with call.definition.source(call.definition.kind).begin(call.definition.isolation) as opened:
        value = call.on(opened.connection)
        opened.commit = True
    return value
