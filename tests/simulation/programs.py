"""The workflows of the simulation: one interpreter of small scripts, and how a seed writes such scripts.

A script's results do not depend on when things happen, so that a run with faults must come to the same ones
as a run without: a wait is either for what certainly comes, or for what certainly does not. The one exception
is the serial number in a step's result, which tells two executions of the same body apart.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from durably import aio
from durably.app import App
from durably.engine.context import current_run
from durably.types import Retry
from tests.simulation.model import Model, OperationRow
from tests.simulation.process import journal

__all__ = ["FREE", "NARROW", "Order", "application", "orders"]

FREE, NARROW = "free", "narrow"
LONG = 1e6  # seconds: only what is lost takes so long
UNIQUE = "#"  # marks the serial number of an execution

application = App("simulated")


@dataclass(frozen=True)
class Order:
    """A workflow that a client enqueues."""

    workflow_id: str
    script: list[Any]
    workflow: str = "program"
    queue_name: str = FREE
    at: float = 0.0
    delay: float | None = None
    timeout: float | None = None
    priority: int = 0
    cancel_at: float | None = None

    @property
    def certain(self) -> bool:
        """Whether its outcome is the same however long things take."""
        return self.timeout is None and self.cancel_at is None


# -- steps -------------------------------------------------------------------------------------------------


@application.step(name="work")
async def work(value: int, seconds: float) -> list[Any]:
    number = _begin()
    await asyncio.sleep(seconds)
    return [value, f"{UNIQUE}{number}"]


@application.step(name="flaky", retry=Retry(attempts=5, interval=0.1))
async def flaky(value: int, failures: int) -> list[Any]:
    log, key = journal.get(), (aio.workflow_id(), aio.step_id() or 0, current_run().owner)
    log.attempts[key] = attempt = log.attempts.get(key, 0) + 1
    number = _begin() if attempt == 1 else 0
    if attempt <= failures:
        raise ConnectionError("try again")
    return [value, f"{UNIQUE}{number}"]


@application.step(name="boom")
async def boom(value: int) -> None:
    _begin()
    raise ValueError(f"boom {value}")


@application.step(name="unlucky")
async def unlucky(value: int, failures: int) -> list[Any]:
    """Fails in the first attempts of its workflow, which is tried again."""
    number = _begin()
    if aio.context().retry_attempt <= failures:
        raise ConnectionResetError(f"no luck with {value}")
    return [value, f"{UNIQUE}{number}"]


@application.step(name="publish")
async def publish(key: str, value: int) -> int:
    _begin()
    await aio.set_event(key, value)
    return value


@application.step(name="talk", retry=Retry(attempts=5, interval=0.1))
async def talk(key: str, words: list[int], failures: int) -> int:
    """Says the same at each attempt; what is heard of it must be said once."""
    log, step = journal.get(), (aio.workflow_id(), aio.step_id() or 0, current_run().owner)
    log.attempts[step] = attempt = log.attempts.get(step, 0) + 1
    if attempt == 1:
        _begin()
    for place, word in enumerate(words):
        await aio.write_stream(key, word)
        if attempt <= failures and place == len(words) // 2:
            raise ConnectionError("try again")
    return len(words)


@application.step(name="piecewise")
async def piecewise(value: int, pieces: int) -> list[Any]:
    """Saves how far it is; what was saved is where the next attempt begins."""
    log, step = journal.get(), (aio.workflow_id(), aio.step_id() or 0)
    number, known = (
        _begin(),
        log.saved.get(step, 0),
    )  # what is saved later, a run that freezes here may not see
    done = await aio.saved_progress(type=int) or 0
    is_recorded = step[1] in log.model.operations.get(step[0], {})  # then it is a frozen run that goes on
    if done < known and not is_recorded:
        log.model.audit.violation(f"{step} saved {known} pieces, and began again behind {done}")
    for piece in range(done, pieces):
        await asyncio.sleep(0.3)
        await aio.heartbeat(piece + 1)
        log.saved[step] = max(piece + 1, log.saved.get(step, 0))
    return [value, f"{UNIQUE}{number}"]


def _begin() -> int:
    log = journal.get()
    log.count += 1
    if log.model.is_bereft(aio.workflow_id(), owner := current_run().owner):
        log.model.audit.violation(
            f"invariant 4: {aio.workflow_id()}:{aio.step_id()} begins for {owner}, whose lease has run out"
        )
    log.bodies.append((aio.workflow_id(), aio.step_id() or 0, current_run().owner, log.model.audit.serial))
    return log.count


# -- the interpreter ---------------------------------------------------------------------------------------


@application.workflow(name="program", retry=Retry(attempts=9, interval=0.1, on=ConnectionResetError))
async def program(script: list[Any]) -> list[Any]:
    return [await _perform(line) for line in script]


@application.workflow(name="endless")
async def endless(rounds: list[Any]) -> list[Any]:
    """A generation for each round."""
    results = [await _perform(line) for line in rounds[0]]
    if len(rounds) > 1:
        aio.continue_as_new(rounds[1:])
    return results


async def _perform(line: Sequence[Any]) -> Any:
    match line:
        case ["piecewise", value, pieces]:
            return await _recorded(piecewise(value, pieces))
        case ["shielded", script]:
            async with aio.shield():
                return [await _perform(each) for each in script]
        case ["guarded", script, cleanup]:
            try:
                return [await _perform(each) for each in script]
            except BaseException:
                async with aio.shield(timeout=LONG):
                    await work(*cleanup)
                raise
        case ["work", value, seconds]:
            return await _recorded(work(value, seconds))
        case ["flaky", value, failures]:
            return await _recorded(flaky(value, failures))
        case ["boom", value]:
            return await _caught(value)
        case ["unlucky", value, failures]:
            return await _recorded(unlucky(value, failures))
        case ["publish", key, value]:
            return await _recorded(publish(key, value))
        case ["gather", *works]:
            return await asyncio.gather(*(work(value, seconds) for value, seconds in works))
        case ["together", value, seconds, script]:
            return await asyncio.gather(work(value, seconds), _sleep(seconds), program(script))
        case ["sleep", seconds]:
            return await _sleep(seconds)
        case ["set_event", key, value]:
            return await _recorded(aio.set_event(key, value))
        case ["get_event", workflow_id, key, timeout]:
            return await _timed(aio.get_event(workflow_id, key, timeout=timeout))
        case ["send", destination, topic, value]:
            return await _recorded(aio.send(destination, value, topic))
        case ["recv", topic, timeout]:
            return await _timed(aio.recv(topic, timeout=timeout))
        case ["write_stream", key, value]:
            return await _recorded(aio.write_stream(key, value))
        case ["talk", key, words, failures]:
            return await _recorded(talk(key, words, failures))
        case ["read_stream", workflow_id, key]:
            return [value async for value in aio.read_stream(workflow_id, key)]
        case ["first_timer", seconds, value]:
            slow = aio.on_step(work, value, LONG)
            first = await aio.first_of(news=aio.on_message("silence"), slow=slow, late=aio.on_timer(seconds))
            return [first.name, first.value]
        case ["first_step", value, seconds]:
            quick = aio.on_step(work, value, seconds)
            return (await aio.first_of(news=aio.on_message("silence"), quick=quick)).value
        case ["first_message", topic]:
            first = await aio.first_of(news=aio.on_message(topic), late=aio.on_timer(LONG))
            return [first.name, first.value]
        case ["child", script]:
            return await program(script)
        case ["enqueue", script]:
            return await _enqueued(script)
        case ["random"]:
            return [f"{UNIQUE}{await aio.random()}", f"{UNIQUE}{await aio.uuid4()}"]
    raise AssertionError(line)


async def _enqueued(script: list[Any]) -> Any:
    """What `start` and `get_result` do, without the handle's client, which needs a database."""
    run, child = current_run(), program.options(queue_name=FREE)
    workflow_id = await run.perform(child._start_operation((script,), {}))
    return await run.perform(child._result_operation(workflow_id))


async def _caught(value: int) -> str:
    try:
        await boom(value)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "no error"


async def _recorded(operation: Any) -> Any:
    """An operation that was just numbered: as control returns, its row must be there (invariant 2)."""
    run, log = current_run(), journal.get()
    number = run.ledger.last
    value = await operation
    if not any(number in rows for rows in _records(log.model, run.workflow_id)):
        log.model.audit.violation(f"invariant 2: {run.workflow_id}:{number} returned before it was recorded")
    return value


def _records(model: Model, workflow_id: str) -> Iterator[dict[int, OperationRow]]:
    """Of the workflow, and of the generations that it had: a frozen run may be of an earlier one."""
    for id_, rows in model.operations.items():
        if id_ == workflow_id or id_.startswith(f"{workflow_id}/"):
            yield rows


async def _sleep(seconds: float) -> None:
    waiting = aio.sleep(seconds)
    number = current_run().ledger.last
    await waiting
    _ended(number)


async def _timed(waiting: Any) -> Any:
    """A wait whose timer is the operation that was numbered last."""
    number = current_run().ledger.last
    value = await waiting
    if value is None:
        _ended(number)
    return value


def _ended(number: int) -> None:
    log = journal.get()
    log.waits.append((current_run().workflow_id, number, log.model.clock()))


# -- writing scripts ---------------------------------------------------------------------------------------


@dataclass
class _Author:
    random: Random
    serial: int = 0
    scripts: dict[str, list[Any]] = field(default_factory=dict)

    def value(self) -> int:
        self.serial += 1
        return self.serial

    def seconds(self) -> float:
        return round(self.random.uniform(0.0, 1.5), 3)

    def script(self, *, depth: int = 0) -> list[Any]:
        return [self.line(depth) for _ in range(self.random.randint(1, 5 - depth * 2))]

    def line(self, depth: int) -> list[Any]:
        kinds = ["work"] * 4 + ["flaky", "boom", "publish", "gather", "sleep", "set_event", "none", "random"]
        kinds += ["unlucky", "piecewise"]
        kinds += ["write_stream", "talk", "first_timer", "first_step"]
        kinds += ["together", "child", "enqueue", "shielded"] if depth < 2 else []
        match self.random.choice(kinds):
            case "work":
                return ["work", self.value(), self.seconds()]
            case "flaky":
                return ["flaky", self.value(), self.random.randint(0, 3)]
            case "piecewise":
                return ["piecewise", self.value(), self.random.randint(1, 4)]
            case "shielded":
                return ["shielded", [self.simple() for _ in range(self.random.randint(1, 2))]]
            case "unlucky":
                return ["unlucky", self.value(), self.random.randint(1, 3)]
            case "boom":
                return ["boom", self.value()]
            case "publish":
                return ["publish", self.random.choice("ab"), self.value()]
            case "gather":
                return ["gather", *([self.value(), self.seconds()] for _ in range(self.random.randint(2, 4)))]
            case "together":
                return ["together", self.value(), self.seconds(), self.script(depth=depth + 1)]
            case "sleep":
                return ["sleep", self.random.choice([0.0, self.seconds(), 8.0])]
            case "set_event":
                return ["set_event", self.random.choice("ab"), self.value()]
            case "none":
                return self.random.choice([["recv", "silence", 1.0], ["get_event", "nobody", "x", 1.0]])
            case "random":
                return ["random"]
            case "write_stream":
                return ["write_stream", self.random.choice("ab"), self.value()]
            case "talk":
                words = [self.value() for _ in range(self.random.randint(1, 4))]
                return ["talk", self.random.choice("ab"), words, self.random.randint(0, 2)]
            case "first_timer":
                return ["first_timer", self.random.choice([0.0, self.seconds(), 8.0]), self.value()]
            case "first_step":
                return ["first_step", self.value(), self.seconds()]
            case kind:
                return [kind, self.script(depth=depth + 1)]

    def simple(self) -> list[Any]:
        """A line that waits for nothing, and does not fail for good."""
        return self.random.choice(
            [
                ["work", self.value(), self.seconds()],
                ["flaky", self.value(), self.random.randint(0, 3)],
                ["publish", self.random.choice("ab"), self.value()],
                ["set_event", self.random.choice("ab"), self.value()],
                ["write_stream", self.random.choice("ab"), self.value()],
                ["random"],
            ]
        )

    def correspond(self, first: str, second: str) -> None:
        """The second waits for something of the first; never the other way, so nobody waits in a ring."""
        name = f"{first}-{second}-{self.value()}"
        if self.random.random() < 0.5:
            self.insert(first, [["send", second, name, self.value()], ["send", second, name, self.value()]])
            wait = self.random.choice([["recv", name, self.patience()], ["first_message", name]])
            self.insert(second, [wait, ["recv", name, self.patience()]])
        elif self.random.random() < 0.4:
            self.insert(first, [["write_stream", name, self.value()], ["talk", name, [self.value()], 1]])
            self.insert(second, [["read_stream", first, name]])
        else:
            self.insert(first, [["set_event", name, self.value()]])
            self.insert(second, [["get_event", first, name, LONG]])

    def patience(self) -> float | None:
        return self.random.choice([None, LONG])

    def insert(self, workflow_id: str, lines: list[Any]) -> None:
        script = self.scripts[workflow_id]
        position = self.random.randint(0, len(script))
        script[position:position] = lines


def orders(random: Random) -> list[Order]:
    """What clients enqueue in one simulation."""
    author = _Author(random)
    free = [f"w{n}" for n in range(random.randint(1, 4))]
    author.scripts = {workflow_id: author.script() for workflow_id in free}
    for first, second in itertools.pairwise(free):
        if random.random() < 0.7:
            author.correspond(first, second)
    made = [Order(w, script, delay=random.choice([None, None, 2.0])) for w, script in author.scripts.items()]
    for n in range(random.randint(0, 4)):
        work = [["work", author.value(), author.seconds()] for _ in range(random.randint(1, 2))]
        at = random.choice([0.0, 0.0, 4.0])
        made.append(Order(f"n{n}", work, queue_name=NARROW, at=at, priority=random.randint(0, 2)))
    if random.random() < 0.4:
        made.append(_doomed(random, author))
    if random.random() < 0.3:
        rounds = [[author.simple() for _ in range(random.randint(1, 3))] for _ in range(random.randint(2, 4))]
        made.append(Order("endless", rounds, workflow="endless"))
    return made


def _doomed(random: Random, author: _Author) -> Order:
    lines = [["work", author.value(), 2.0], ["sleep", 3.0], ["work", author.value(), 2.0]]
    if random.random() < 0.5:
        lines = [["guarded", lines, [author.value(), 1.0]]]
    elif random.random() < 0.5:
        lines = [["shielded", lines]]
    if random.random() < 0.5:
        return Order("doomed", lines, timeout=random.uniform(1.0, 9.0))
    return Order("doomed", lines, cancel_at=random.uniform(1.0, 12.0))
