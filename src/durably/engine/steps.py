"""Steps: a body runs, perhaps several times, and one outcome is recorded before control returns."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from durably.core.ops import RunStep
from durably.core.ports import HistoryRow, Wait
from durably.core.records import Progress, Step
from durably.core.retry import pause, worth_retrying
from durably.engine import watching
from durably.engine.attempts import Attempt
from durably.engine.context import Frame, frame
from durably.engine.registry import seconds
from durably.errors import EncodeError, RetryAfter, StepRetriesExhausted, WrongContext
from durably.observing import Watch
from durably.types import Retry

if TYPE_CHECKING:
    from durably.engine.run import Run

__all__ = ["bare_record", "plain_call", "run_blocking_step", "run_step"]

Step_ = RunStep[Any]


class _TooLate(BaseException):
    """When a thread came free for the body, the lease was not sure any more."""


async def run_step(run: Run, number: int, row: HistoryRow | None, step: Step_) -> Any:
    """Answer the step from its record, or run it on the loop (a blocking function on a thread)."""
    if row is not None:
        return run.recall(row, step.type_)
    with watching.operation(run, number, step.name, "step") as watch:
        started = run.now_ms()
        value, error = None, None
        try:
            value = await _attempts(run, number, step, watch)
        except Exception as raised:
            error = raised
        record, error = _encode(run, number, step, started, value, error)
        await _record(run, record)
        if error is not None:
            raise run.error_as_recorded(record) from error
        return run.as_recorded(record, value, step.type_)


def run_blocking_step(run: Run, number: int, row: HistoryRow | None, step: Step_) -> Any:
    """The same on the thread of a blocking workflow."""
    if row is not None:
        return run.recall(row, step.type_)
    with watching.operation(run, number, step.name, "step") as watch:
        started = run.now_ms()
        value, error = None, None
        try:
            value = _blocking_attempts(run, number, step, watch)
        except Exception as raised:
            error = raised
        record, error = _encode(run, number, step, started, value, error)
        if number in run.beats:
            run.wait_for(functools.partial(_record, run, record))
        else:
            run.record_blocking(record)
        if error is not None:
            raise run.error_as_recorded(record) from error
        return run.as_recorded(record, value, step.type_)


async def _record(run: Run, record: Step) -> None:
    """The outcome, and behind it what was saved on the way goes."""
    beat = run.beats.pop(record.function_id, None)
    if beat is None:
        await run.record(record)
        return
    over = Progress(
        workflow_id=run.workflow_id,
        owner=run.owner,
        function_id=record.function_id,
        beat=beat + 1,
        over=True,
    )
    await run.record(record, behind=over)


async def plain_call(run: Run, step: Step_) -> Any:
    """A step within a step: part of the outer one."""
    value = step.function(*step.args, **step.kwargs)
    return await value if inspect.isawaitable(value) else value


def bare_record(
    run: Run,
    number: int,
    name: str,
    started: int,
    *,
    output: str | None = None,
    error: str | None = None,
    serialization: str | None = None,
    child_workflow_id: str | None = None,
) -> Step:
    """The record of an operation whose outcome is text already."""
    return Step(
        workflow_id=run.workflow_id,
        owner=run.owner,
        function_id=number,
        function_name=name,
        output=output,
        error=error,
        serialization=serialization,
        child_workflow_id=child_workflow_id,
        started_at=started,
        completed_at=run.now_ms(),
    )


@contextlib.contextmanager
def _inside(run: Run, number: int, step: Step_) -> Iterator[Attempt]:
    attempt = Attempt(run.resources.world, step.name, seconds(step.timeout), seconds(step.heartbeat_timeout))
    here = frame.get()
    token = frame.set(Frame(run, number, attempt, {}, here.shield if here is not None else None))
    try:
        yield attempt
    finally:
        frame.reset(token)


@contextlib.contextmanager
def _stepping(run: Run) -> Iterator[None]:
    task = asyncio.current_task()
    assert task is not None
    run.stepping.add(task)
    try:
        yield
    finally:
        run.stepping.discard(task)


def _pausing(run: Run, number: int, step: Step_, delay: float) -> contextlib.AbstractContextManager[None]:
    """Until the next attempt; others see that the run waits for it."""
    until = run.resources.database_now() + delay
    return run.resources.waitlist.entry(run, number, Wait("retry", run.workflow_id, step.name), until=until)


async def _attempts(run: Run, number: int, step: Step_, watch: Watch) -> Any:
    attempt = 1
    while True:
        if not run.may_begin:
            await run.until_it_may_begin()
        try:
            with _inside(run, number, step) as time, _stepping(run):
                return await _attempt(run, step, time)
        except _TooLate:
            continue
        except Exception as error:
            delay = _next_delay(run, step, attempt, error, watch)
            with _pausing(run, number, step, delay):
                await run.resources.world.sleep(delay)
            attempt += 1


async def _attempt(run: Run, step: Step_, time: Attempt) -> Any:
    if not inspect.iscoroutinefunction(step.function):
        with _in_time(time):
            return await _on_thread(run, step)
    if step.timeout is None and step.heartbeat_timeout is None:
        return await step.function(*step.args, **step.kwargs)
    watch = time.watch()
    try:
        async with watch:
            return await step.function(*step.args, **step.kwargs)
    except TimeoutError:
        if watch.expired():
            raise time.error from None
        raise


async def _on_thread(run: Run, step: Step_) -> Any:
    def call() -> Any:
        if not run.may_begin:
            raise _TooLate
        return step.function(*step.args, **step.kwargs)

    value = await run.resources.workers.run(call)
    return await value if inspect.isawaitable(value) else value


def _blocking_attempts(run: Run, number: int, step: Step_, watch: Watch) -> Any:
    if inspect.iscoroutinefunction(step.function):
        raise WrongContext(
            f"step {step.name!r} is async and its workflow is not: make the workflow `async def`, or the "
            "step `def`"
        )
    attempt = 1
    while True:
        if not run.may_begin:
            run.wait_for(run.until_it_may_begin)
        try:
            with _inside(run, number, step) as time, _in_time(time):
                return step.function(*step.args, **step.kwargs)
        except Exception as error:
            delay = _next_delay(run, step, attempt, error, watch)
            with _pausing(run, number, step, delay):
                run.wait_for(functools.partial(run.resources.world.sleep, delay))  # an interruption ends it
            attempt += 1


@contextlib.contextmanager
def _in_time(time: Attempt) -> Iterator[None]:
    """A blocking attempt cannot be stopped: it has failed when it ends too late, whatever it came to."""
    try:
        yield
    except Exception as error:
        if time.is_late:
            raise time.error from error
        raise
    if time.is_late:
        raise time.error


def _next_delay(run: Run, step: Step_, attempt: int, error: Exception, watch: Watch) -> float:
    """Seconds until the next attempt; raises the error that is final."""
    retry = step.retry
    if retry is None and isinstance(error, RetryAfter):
        retry = Retry()
    if retry is None or not worth_retrying(retry, error):
        raise error
    run.refuse_interrupted()
    if attempt >= retry.attempts:
        raise StepRetriesExhausted(
            step.name,
            f"step {step.name!r} failed {attempt} times; the last time: {type(error).__name__}: {error}",
            attempts=attempt,
        ) from error
    seconds = pause(retry, attempt, error, run.resources.world.random)
    watch.retrying(attempt, error, seconds)
    return seconds


def _encode(
    run: Run, number: int, step: Step_, started: int, value: Any, error: Exception | None
) -> tuple[Step, Exception | None]:
    """The record of the outcome; a result that cannot be stored is itself an error, and recorded."""
    if error is None:
        try:
            return run.step_record(number, step.name, started=started, value=value, type_=step.type_), None
        except EncodeError as refused:
            error = refused
    return run.step_record(number, step.name, started=started, error=error), error
