"""A simulated process: the real engine and the real leases, each a strand that can freeze or die."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from contextvars import Context, ContextVar
from dataclasses import dataclass, field
from random import Random
from typing import Any

import msgspec

from durably.codec import Codecs
from durably.engine.engine import Engine
from durably.engine.leases import Heartbeat, Leases
from durably.engine.registry import Registry
from durably.errors import DatabaseError
from tests.simulation.link import Link, Trace, Weather
from tests.simulation.loop import Strand, VirtualLoop, strand
from tests.simulation.model import Model

__all__ = ["EPOCH", "Cluster", "Journal", "Process", "SimulatedWorld", "journal"]

EPOCH = 1_800_000_000.0
APPLICATION = "simulated"
LEASE = 5.0


class SimulatedWorld:
    """See `durably.core.ports.World`: virtual time, a clock that is wrong by `skew`, chance from the seed."""

    def __init__(self, loop: VirtualLoop, random: Random, *, skew: float = 0.0) -> None:
        self.random = random
        self._loop = loop
        self._skew = skew

    def now(self) -> float:
        return EPOCH + self._loop.time() + self._skew

    def monotonic(self) -> float:
        return self._loop.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@dataclass
class Journal:
    """What user code did, seen from outside: each time that a step's body began, each wait that ended."""

    model: Model
    bodies: list[tuple[str, int, str, int]] = field(default_factory=list)  # workflow, number, owner, serial
    waits: list[tuple[str, int, float]] = field(
        default_factory=list
    )  # workflow, timer's number, database time
    attempts: dict[tuple[str, int, str], int] = field(default_factory=dict)
    saved: dict[tuple[str, int], int] = field(default_factory=dict)  # what steps were told is saved
    count: int = 0


journal: ContextVar[Journal] = ContextVar("simulated-journal")


@dataclass
class Cluster:
    """What the processes of a simulation share."""

    loop: VirtualLoop
    model: Model
    weather: Weather
    trace: Trace
    registry: Registry
    codecs: Codecs
    journal: Journal
    random: Random
    mutate: Callable[[Engine], None] = lambda engine: None
    processes: list[Process] = field(default_factory=list)
    strands: list[Strand] = field(default_factory=list)
    pids: int = 0
    calm_since: float = math.inf

    def notify(self, channel: str, payload: str) -> None:
        """A commit's notice: to every process that listens, a little later, perhaps never."""
        for process in self.processes:
            if process.listening and self.weather.random.random() >= self.weather.deaf:
                process.hear(self.weather.delay(), channel, payload)

    def is_alive(self, pid: int, process_start: str) -> bool:
        """See `durably.engine.leases.Liveness`."""
        return any(process.pid == pid and process.is_up for process in self.processes)


class Process:
    """One place where a process runs, is killed, and is started again by its supervisor."""

    def __init__(self, cluster: Cluster, name: str, *, host: str, skew: float, capacity: int) -> None:
        self._cluster = cluster
        self._host = host
        self._capacity = capacity
        self._skew = skew
        self.name = name
        self.listening = False
        self.pid = 0
        self.engine: Engine | None = None
        self._leases: Leases | None = None
        self._main = self._beats = Strand(name)
        self._main.dead = True
        self._context = Context()

    @property
    def is_up(self) -> bool:
        """Whether the operating system would say that it is there: a frozen process is."""
        return not self._main.dead

    def start(self, *, listening: bool) -> None:
        """Begin, as a new process with nothing in memory."""
        if self.is_up:
            return
        self._cluster.pids += 1
        self.pid = self._cluster.pids
        self.listening = listening
        self._main, self._beats = Strand(self.name), Strand(f"{self.name}-beats")
        self._cluster.strands += [self._main, self._beats]
        self._context = self._context_of(self._main)
        self._note("starts")
        self._spawn(self._run(), self._context)

    def crash(self) -> None:
        """Everything in memory is gone, at once. What is on the network is not."""
        self._note("crashes")
        self._main.dead = self._beats.dead = True
        self.listening = False

    def freeze(self) -> None:
        """SIGSTOP, or a laptop that sleeps."""
        self._note("freezes")
        self._main.frozen = self._beats.frozen = True

    def block(self) -> None:
        """User code blocks the loop; the thread with the heartbeat goes on."""
        self._note("blocks")
        self._main.frozen = True

    def thaw(self) -> None:
        """Go on after freeze or block."""
        if self._main.frozen or self._beats.frozen:
            self._note("goes on")
            self._cluster.loop.thaw(self._main)
            self._cluster.loop.thaw(self._beats)

    def stop(self) -> None:
        """SIGTERM: a clean end."""
        if self.is_up:
            self._note("stops")
            self._spawn(self._stop(), self._context)

    def hear(self, delay: float, channel: str, payload: str) -> None:
        """A notice arrives on the LISTEN connection."""
        self._cluster.loop.call_later(delay, self._take, channel, payload, context=self._context)

    def _take(self, channel: str, payload: str) -> None:
        if self.engine is not None and self.listening:
            self.engine.hub.notice(channel, payload)

    async def _run(self) -> None:
        try:
            await self._begin()
        except DatabaseError:
            self.crash()

    async def _begin(self) -> None:
        cluster = self._cluster
        world = SimulatedWorld(cluster.loop, Random(cluster.random.getrandbits(64)), skew=self._skew)
        link = Link(cluster.loop, cluster.model, cluster.weather, cluster.trace, self.name)
        self.engine = Engine(
            store=link,
            world=world,
            registry=cluster.registry,
            codecs=cluster.codecs,
            application_name=APPLICATION,
            app_version="v1",
            lease_seconds=LEASE,
            capacity=self._capacity,
            threads=1,
        )
        self.engine.identity = msgspec.structs.replace(
            self.engine.identity, host=self._host, pid=self.pid, process_start=f"start of {self.pid}"
        )
        cluster.mutate(self.engine)
        await self.engine.start()
        self._leases = self._make_leases(self.engine, link, world)
        await self._spawn(self._leases.start(), self._context_of(self._beats))
        self.engine.hub.notice("durably", "q::*")  # as the listener does when it is connected

    def _make_leases(self, engine: Engine, link: Link, world: SimulatedWorld) -> Leases:
        loop = self._cluster.loop

        def beaten(heartbeat: Heartbeat) -> None:
            if not heartbeat.answer.alive and loop.time() > self._cluster.calm_since + 2 * LEASE:
                self._cluster.model.audit.violation(f"healthy {self.name} was declared dead")
            loop.call_soon(engine.beaten, heartbeat, context=self._context)

        return Leases(
            store=link, identity=lambda: engine.identity, liveness=self._cluster, world=world, beaten=beaten
        )

    async def _stop(self) -> None:
        self.listening = False
        if self._leases is not None:
            await self._leases.stop()
        if self.engine is not None:
            await self.engine.stop(grace=2.0)
        self._main.dead = self._beats.dead = True
        self._note("has stopped")

    def _context_of(self, which: Strand) -> Context:
        context = Context()
        context.run(strand.set, which)
        context.run(journal.set, self._cluster.journal)
        return context

    def _spawn(self, coroutine: Any, context: Context) -> asyncio.Task[Any]:
        return self._cluster.loop.create_task(coroutine, context=context)

    def _note(self, what: str) -> None:
        self._cluster.trace.note(self.name, f"*** {what}")
