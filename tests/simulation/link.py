"""The store as a simulated process sees it: a network lies between, which delays, loses and repeats."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextvars import Context
from dataclasses import dataclass, field
from random import Random
from typing import Any

from durably.core.ports import (
    Beat,
    Claim,
    Claimed,
    Compared,
    ExecutorIdentity,
    Fired,
    Firing,
    HistoryRow,
    Ready,
    ScheduleRow,
    Stranding,
    StreamPage,
    Wait,
    Waiting,
)
from durably.core.records import Progress, Record, SetEvent, StoredArguments
from durably.errors import DatabaseUnavailable
from tests.simulation.loop import VirtualLoop
from tests.simulation.model import Model

__all__ = ["Link", "Trace", "Weather"]

SILENCE = 30.0  # seconds after which a client gives up a connection that says nothing: database.DEADLINE


class Trace:
    """What happened, in order, and its fingerprint: the same for two runs of one seed."""

    def __init__(self, loop: VirtualLoop, *, keep: bool, wanted: bool = True) -> None:
        self._loop = loop
        self.wanted = wanted  # a sweep over many seeds does not look at it, and takes a fifth less time
        self._hash = hashlib.sha256()
        self._keep = keep
        self.lines: list[str] = []

    def note(self, who: str, what: str) -> None:
        """Add a line at this instant."""
        if not self.wanted:
            return
        line = f"{self._loop.time():10.4f}  {who:8} {what}"
        self._hash.update(line.encode())
        if self._keep:
            self.lines.append(line)

    @property
    def fingerprint(self) -> str:
        """The hash of all lines."""
        return self._hash.hexdigest()


@dataclass
class Weather:
    """How bad the network is at the moment; every chance is of one request."""

    random: Random
    refused: float = 0.0  # the request does not arrive
    unanswered: float = 0.0  # it commits, and its answer is lost
    late: float = 0.0  # the client is told that the connection broke; the request commits seconds later
    silent: float = 0.0  # it does not arrive, and nobody says so
    deaf: float = 0.0  # a notice is lost
    slowest: float = 0.05  # seconds that a request or an answer may take
    latest: float = 0.0  # when the last of the late requests commits
    down: set[str] = field(default_factory=set)  # names of processes that are cut off

    def clear(self) -> None:
        """From here on nothing goes wrong."""
        self.refused = self.unanswered = self.late = self.silent = self.deaf = 0.0
        self.slowest = 0.01
        self.down.clear()

    def delay(self) -> float:
        """Seconds that a message is on its way."""
        return self.random.uniform(0.001, self.slowest)

    def fate(self) -> str:
        """What becomes of one request."""
        chance = self.random.random()
        for name in ("refused", "unanswered", "late", "silent"):
            chance -= getattr(self, name)
            if chance < 0:
                return name
        return "fine"


class Link:
    """See `durably.core.ports.Store`. Requests outlive the process that sent them, as on a real server."""

    def __init__(self, loop: VirtualLoop, model: Model, weather: Weather, trace: Trace, name: str) -> None:
        self._loop = loop
        self._model = model
        self._weather = weather
        self._trace = trace
        self._name = name
        self._server = Context()

    async def commit(self, batch: Sequence[Record]) -> list[Any]:
        result: list[Any] = await self._ask("commit", batch, lambda: self._model.commit(batch))
        return result

    async def claim(self, claim: Claim) -> list[Claimed]:
        result: list[Claimed] = await self._ask("claim", claim.owner, lambda: self._model.claim(claim))
        return result

    async def untakable(self, claim: Claim) -> str | None:
        result: str | None = await self._ask(
            "untakable", claim.queue_name, lambda: self._model.untakable(claim)
        )
        return result

    async def partitions(
        self, queue_name: str, application_name: str, *, after: str, wanted: int, most: int
    ) -> list[tuple[str, bool]]:
        result: list[tuple[str, bool]] = await self._ask(
            "partitions", queue_name, lambda: self._model.partitions(queue_name, after, most)
        )
        return result

    async def next_start(self, queue_name: str) -> float | None:
        result: float | None = await self._ask(
            "next_start", queue_name, lambda: self._model.next_start(queue_name)
        )
        return result

    async def history(self, workflow_ids: Sequence[str]) -> list[HistoryRow]:
        result: list[HistoryRow] = await self._ask(
            "history", workflow_ids, lambda: self._model.history(workflow_ids)
        )
        return result

    async def progress(self, workflow_id: str, function_id: int) -> tuple[str, str] | None:
        about = (workflow_id, function_id)
        result: tuple[str, str] | None = await self._ask(
            "progress", about, lambda: self._model.saved.get(about)
        )
        return result

    async def poll(self, waits: Sequence[Wait], executor: ExecutorIdentity | None) -> Ready:
        kind = "poll" if executor is None else "pulse"
        asked = sorted(waits, key=lambda wait: (wait.kind, wait.id, wait.key, wait.offset))
        result: Ready = await self._ask(kind, len(asked), lambda: self._model.poll(asked, executor))
        return result

    async def stream(self, workflow_id: str, key: str, offset: int, most: int) -> StreamPage | None:
        result: StreamPage | None = await self._ask(
            "stream", workflow_id, lambda: self._model.stream(workflow_id, key, offset, most)
        )
        return result

    async def owner(self, workflow_id: str) -> str | None:
        result: str | None = await self._ask("owner", workflow_id, lambda: self._model.owner(workflow_id))
        return result

    async def arguments(self, workflow_id: str) -> StoredArguments | None:
        result: StoredArguments | None = await self._ask(
            "arguments", workflow_id, lambda: self._model.arguments(workflow_id)
        )
        return result

    async def register(self, executor: ExecutorIdentity) -> float:
        result: float = await self._ask(
            "register", executor.executor_id, lambda: self._model.register(executor)
        )
        return result

    async def beat(self, executor: ExecutorIdentity) -> Beat:
        result: Beat = await self._ask("beat", executor.executor_id, lambda: self._model.beat(executor))
        return result

    async def compare(
        self, executor_id: str, runs: Sequence[tuple[str, str]], after: int, most: int
    ) -> Compared:
        result: Compared = await self._ask(
            "compare", executor_id, lambda: self._model.compare(executor_id, runs, after, most)
        )
        return result

    async def adopt(
        self, application_name: str, executor_ids: Sequence[str], *, only_expired: bool = False
    ) -> list[str]:
        result: list[str] = await self._ask(
            "adopt",
            executor_ids,
            lambda: self._model.adopt(application_name, executor_ids, only_expired=only_expired),
        )
        return result

    async def holder(self, queue_name: str, deduplication_id: str) -> str | None:
        about = (queue_name, deduplication_id)
        result: str | None = await self._ask("holder", about, lambda: self._model.holder(*about))
        return result

    async def note_waits(self, executor_id: str, new: Sequence[Waiting], over: Sequence[int]) -> None:
        await self._ask("note_waits", executor_id, lambda: self._model.note_waits(executor_id, new, over))

    async def release(self, owned: Sequence[tuple[str, str]]) -> None:
        await self._ask("release", owned, lambda: self._model.release(owned))

    async def put_on_trial(self, executor_id: str, blamed: str | None) -> None:
        await self._ask("try", blamed, lambda: self._model.put_on_trial(executor_id, blamed))

    async def set_aside(self, owned: Sequence[tuple[str, str]]) -> None:
        await self._ask("set aside", owned, lambda: self._model.set_aside(owned))

    async def strand(self, stranding: Stranding) -> None:
        await self._ask("strand", stranding.workflow_id, lambda: self._model.strand(stranding))

    async def schedules(self, application_name: str) -> list[ScheduleRow]:
        """There are none."""
        return []

    async def fire(self, application_name: str, firings: Sequence[Firing]) -> list[Fired]:
        """There are none."""
        return []

    async def note_schedules(self, notes: Mapping[str, str | None]) -> None:
        """There are none."""

    async def release_stranded(self, executor: ExecutorIdentity, runnable: Sequence[str]) -> None:
        await self._ask(
            "release stranded",
            executor.executor_id,
            lambda: self._model.release_stranded(executor, runnable),
        )

    # -- the network --------------------------------------------------------------------------------------

    async def _ask(self, kind: str, about: Any, call: Callable[[], Any]) -> Any:
        answer: asyncio.Future[Any] = self._loop.create_future()
        fate = "refused" if self._name in self._weather.down else self._weather.fate()
        if (
            fate == "late"
            and kind == "commit"
            and any(isinstance(record, SetEvent | Progress) for record in about)
        ):
            fate = "unanswered"  # known: an older value may replace a newer one of the same run
        there = self._weather.delay()
        if fate == "silent":
            self._later(SILENCE, self._break, kind, fate, answer)
        elif fate == "refused":
            self._later(there, self._break, kind, fate, answer)
        elif fate == "late":
            self._later(there, self._break, kind, fate, answer)
            late = self._weather.random.uniform(0.5, 10.0)
            self._weather.latest = max(self._weather.latest, self._loop.time() + late)
            self._later(late, self._serve, kind, about, call, fate, None)
        else:
            self._later(there, self._serve, kind, about, call, fate, answer)
        return await answer

    def _serve(
        self,
        kind: str,
        about: Any,
        call: Callable[[], Any],
        fate: str,
        answer: asyncio.Future[Any] | None,
    ) -> None:
        reply = call()
        if self._trace.wanted:
            self._trace.note(self._name, f"{kind} {about} -> {reply}{'' if fate == 'fine' else ' ' + fate}")
        if answer is not None:
            back = self._weather.delay()
            if fate == "fine":
                self._later(back, _settle, answer, reply)
            else:
                self._later(back, self._break, kind, fate, answer)

    def _break(self, kind: str, fate: str, answer: asyncio.Future[Any]) -> None:
        self._trace.note(self._name, f"{kind} {fate}")
        if not answer.done():
            answer.set_exception(DatabaseUnavailable(f"simulated: {kind} {fate}"))
            answer.exception()  # seen, even if who asked is dead by now

    def _later(self, seconds: float, function: Callable[..., None], *args: Any) -> None:
        self._loop.call_later(seconds, function, *args, context=self._server)


def _settle(answer: asyncio.Future[Any], reply: Any) -> None:
    if not answer.done():
        answer.set_result(reply)
