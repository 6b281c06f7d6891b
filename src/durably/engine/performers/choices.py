"""The first of several: messages, instants, workflows, events, steps; and which awaitable comes next.

`first_of` has a number for its decision and one for each choice behind it. Who is first is performed under
its own number, and recorded there as ever; then the decision is. A crash in between leaves the first one's
record, which decides the same at the next attempt. The others leave nothing but the instants of timers.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from durably.core import names, ops
from durably.core.ports import HistoryRow, ResultRow, Wait
from durably.engine import steps
from durably.engine.performers.kinds import InsideStep, Performers
from durably.engine.performers.messages import decode_message, receive_record
from durably.engine.performers.waiting import parked, timer
from durably.engine.performers.workflows import result_of, result_record
from durably.types import First

if TYPE_CHECKING:
    from durably.engine.run import Run

__all__ = ["INSIDE_STEP", "PERFORMERS"]


async def _first_of(run: Run, number: int, row: HistoryRow | None, operation: ops.FirstOf) -> First:
    race = Race(run, number, operation.choices)
    if row is not None:
        name: str = run.recall(row)["first"]
        return First(name, await race.replayed(name))
    started = run.now_ms()
    name = race.decided() or await race.run_to_the_first()
    decision = run.step_record(number, operation.name, started=started, value={"first": name})
    await asyncio.gather(*map(run.record, [*race.unrecorded, decision]))  # in one transaction
    return First(name, race.result())


class Race:
    """What is waited for, until one of it is first."""

    def __init__(self, run: Run, number: int, choices: Mapping[str, ops.Choice]) -> None:
        self._run = run
        self._number = number
        self._choices = {name: choice.operation for name, choice in choices.items()}
        self._places = {name: number + 1 + place for place, name in enumerate(choices)}
        self._rows = {
            name: run.ledger.recorded(self._places[name], operation.name)
            for name, operation in self._choices.items()
        }
        self._wakes: dict[str, float] = {}
        self._news: dict[str, asyncio.Future[Any]] = {}
        self._started = run.now_ms()
        self._value: Any = None
        self._error: BaseException | None = None
        self.unrecorded: list[Any] = []  # records that the first one still needs

    async def replayed(self, name: str) -> Any:
        """The value of who was first, from its record."""
        operation, row = self._choices[name], self._rows[name]
        if isinstance(operation, ops.Sleep) or row is None:
            return None
        return self._run.recall(row, operation.type_)

    def decided(self) -> str | None:
        """Who was first in a former attempt, which died before it recorded its decision."""
        for name, operation in self._choices.items():
            row = self._rows[name]
            if row is not None and not isinstance(operation, ops.Sleep):
                self._take(lambda row=row, operation=operation: self._run.recall(row, operation.type_))
                return name
        return None

    async def run_to_the_first(self) -> str:
        """Wait; the name of the first. Steps that are still under way are cancelled, and leave no record."""
        for name, operation in self._choices.items():
            if isinstance(operation, ops.Sleep):
                place, row = self._places[name], self._rows[name]
                self._wakes[name], _ = await timer(
                    self._run, place, row, seconds=operation.seconds, until=operation.until
                )
        with contextlib.ExitStack() as stack:
            for name, operation in self._choices.items():
                if (future := self._future(stack, name, operation)) is not None:
                    self._news[name] = future
            try:
                return await self._first()
            finally:
                await self._cancel_steps()

    def result(self) -> Any:
        """The value of the first one, or its error raised."""
        if self._error is not None:
            raise self._error
        return self._value

    # --- waiting ------------------------------------------------------------------------------------------

    def _future(
        self, stack: contextlib.ExitStack, name: str, operation: ops.Operation[Any]
    ) -> asyncio.Future[Any] | None:
        """What tells that a choice may be the first."""
        hub = self._run.resources.hub
        match operation:
            case ops.Receive():
                return None  # looked for before the wait, and again at each piece of news
            case ops.GetEvent():
                return stack.enter_context(hub.watch(Wait("event", operation.workflow_id, operation.key)))
            case ops.GetResult():
                return stack.enter_context(hub.watch(Wait("result", operation.workflow_id)))
            case ops.RunStep():
                return asyncio.ensure_future(steps.run_step(self._run, self._places[name], None, operation))
            case _:
                return None

    async def _first(self) -> str:
        while True:
            with contextlib.ExitStack() as stack:
                letters = self._letters(stack)
                for name, operation in self._choices.items():
                    if await self._is_first(name, operation):
                        return name
                with self._parked():
                    await self._wait([*self._news.values(), *letters])

    def _letters(self, stack: contextlib.ExitStack) -> list[asyncio.Future[Any]]:
        """News of messages, from before the look for them."""
        topics = {_topic(each) for each in self._choices.values() if isinstance(each, ops.Receive)}
        hub, id_ = self._run.resources.hub, self._run.workflow_id
        return [stack.enter_context(hub.watch(Wait("message", id_, topic), ask=False)) for topic in topics]

    async def _wait(self, futures: list[asyncio.Future[Any]]) -> None:
        now = self._run.resources.database_now()
        seconds = max(0.0, min(self._wakes.values()) - now) if self._wakes else None
        if futures:
            await asyncio.wait(futures, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        else:
            await self._run.resources.world.sleep(seconds or 0.0)

    @contextlib.contextmanager
    def _parked(self) -> Iterator[None]:
        """A run whose step is under way is not parked, but others see what it waits for."""
        steps_run = any(isinstance(operation, ops.RunStep) for operation in self._choices.values())
        until = min(self._wakes.values(), default=None)
        entry = self._run.resources.waitlist.entry if steps_run else parked
        with entry(self._run, self._number, *self._waits(), until=until):
            yield

    def _waits(self) -> Iterator[Wait]:
        """What it waits for, as it is told to people."""
        for operation in self._choices.values():
            match operation:
                case ops.Receive():
                    yield Wait("message", self._run.workflow_id, _topic(operation))
                case ops.GetEvent():
                    yield Wait("event", operation.workflow_id, operation.key)
                case ops.GetResult():
                    yield Wait("result", operation.workflow_id)
                case ops.Sleep():
                    yield Wait("timer", self._run.workflow_id)
                case ops.RunStep():
                    yield Wait("step", self._run.workflow_id, operation.name)
                case _:
                    pass

    async def _cancel_steps(self) -> None:
        tasks = [future for future in self._news.values() if isinstance(future, asyncio.Task)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # --- who is first -------------------------------------------------------------------------------------

    async def _is_first(self, name: str, operation: ops.Operation[Any]) -> bool:
        if isinstance(operation, ops.Sleep):
            return self._run.resources.database_now() >= self._wakes[name]
        if isinstance(operation, ops.Receive):
            return await self._received(name, operation)
        future = self._news[name]
        if not future.done():
            return False
        if isinstance(operation, ops.RunStep):
            self._take(future.result)
        elif isinstance(operation, ops.GetResult):
            self._end(name, operation, future.result())
        elif isinstance(operation, ops.GetEvent):
            self._publish(name, operation, *future.result())
        return True

    async def _received(self, name: str, operation: ops.Receive[Any]) -> bool:
        place = self._places[name]
        reply = await self._run.record(
            receive_record(self._run, place, _topic(operation), give_up=False, wait=None)
        )
        if reply.found:
            self._take(lambda: decode_message(self._run, reply, operation.type_))
        return bool(reply.found)

    def _end(self, name: str, operation: ops.GetResult[Any], ended: ResultRow) -> None:
        record, failed = result_record(self._run, self._places[name], operation, self._started, ended)
        self.unrecorded.append(record)
        if failed:
            self._error = self._run.error_as_recorded(record)
        else:
            self._take(lambda: result_of(self._run.resources.codecs, ended, operation.type_))

    def _publish(self, name: str, operation: ops.GetEvent[Any], text: str, serialization: str | None) -> None:
        record = steps.bare_record(
            self._run,
            self._places[name],
            operation.name,
            self._started,
            output=text,
            serialization=serialization,
        )
        self.unrecorded.append(record)
        self._take(lambda: self._run.resources.codecs.decode(text, serialization, operation.type_))

    def _take(self, value: Any) -> None:
        """Keep the value that a function gives, or its error: the decision comes before either is seen."""
        try:
            self._value = value()
        except Exception as error:
            self._error = error


def _topic(operation: ops.Receive[Any]) -> str:
    return operation.topic if operation.topic is not None else names.NULL_TOPIC


async def _next_completed(run: Run, number: int, row: HistoryRow | None, operation: ops.NextCompleted) -> int:
    if row is not None:
        position: int = run.recall(row)
        return position
    started = run.now_ms()
    done, _ = await asyncio.wait(operation.waiting.values(), return_when=asyncio.FIRST_COMPLETED)
    position = next(place for place, future in operation.waiting.items() if future in done)
    await run.record(run.step_record(number, operation.name, started=started, value=position))
    return position


PERFORMERS: Performers = {ops.FirstOf: _first_of, ops.NextCompleted: _next_completed}
INSIDE_STEP: InsideStep = {}
