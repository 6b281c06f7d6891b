"""A seed, run: its workflows, its faults, and the verdict."""

from __future__ import annotations

import gc
import json
import logging
import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

from durably.codec import Codecs
from durably.core.ports import QueueRow
from durably.core.records import Create
from durably.engine.engine import Engine
from tests.simulation import checks
from tests.simulation.link import Trace, Weather
from tests.simulation.loop import Stalled, VirtualLoop, close_coroutines
from tests.simulation.model import ACTIVE, Model
from tests.simulation.process import APPLICATION, EPOCH, Cluster, Journal, Process
from tests.simulation.programs import FREE, NARROW, Order, application, orders

__all__ = ["Mutant", "Verdict", "simulate"]

STORM = 30.0  # seconds of faults
AFTERMATH = 2.0  # seconds for what a frozen process still has to say when it goes on
PATIENCE = 300.0  # seconds without faults within which everything must end


@dataclass(frozen=True)
class Mutant:
    """A planted bug: another model of the database, or a change to each engine."""

    name: str = "the real thing"
    model: type[Model] = Model
    engine: Callable[[Engine], None] = lambda engine: None


@dataclass
class Verdict:
    """How a seed went."""

    seed: int
    wrong: list[str]
    fingerprint: str
    trace: list[str]
    seconds: float  # of virtual time
    faults: int
    claims: int
    bodies: int

    def __str__(self) -> str:
        lines = "\n".join(f"  - {each}" for each in self.wrong)
        return (
            f"seed {self.seed} breaks:\n{lines}\n"
            f"replay: python -m tests.simulation --seed {self.seed}   "
            f"or: pytest tests/simulation --seed {self.seed}"
        )


REAL = Mutant()


def simulate(
    seed: int, *, mutant: Mutant = REAL, keep_trace: bool = False, fingerprint: bool = False
) -> Verdict:
    """Run a seed with its faults, and once more without them for comparison.

    The trace, and its fingerprint, cost time, and are made where they are asked for.
    """
    with _quiet() as bugs, _rare_collections():
        reference = _Simulation(seed, REAL, faults=False).run()
        simulation = _Simulation(seed, mutant, faults=True, keep_trace=keep_trace, fingerprint=fingerprint)
        simulation.run()
    model = simulation.model
    wrong = checks.check(
        model, simulation.cluster.journal, simulation.orders, checks.outcomes(reference, simulation.orders)
    )
    return Verdict(
        seed=seed,
        wrong=wrong + simulation.loop.failures + bugs,
        fingerprint=simulation.trace.fingerprint,
        trace=simulation.trace.lines,
        seconds=simulation.loop.time(),
        faults=simulation.faults,
        claims=sum(map(len, model.audit.claims.values())),
        bodies=len(simulation.cluster.journal.bodies),
    )


@dataclass
class _Simulation:
    seed: int
    mutant: Mutant
    faults: Any
    keep_trace: bool = False
    fingerprint: bool = False
    orders: list[Order] = field(init=False)

    def __post_init__(self) -> None:
        self.stormy = bool(self.faults)
        self.faults = 0
        self.mended = 0.0  # when the last of the faults so far is mended
        self.is_over = False
        chance = Random(self.seed)
        self.orders = orders(Random(chance.getrandbits(64)))
        self.last_order = max(max(order.at, order.cancel_at or 0.0) for order in self.orders)
        self.chance = Random(chance.getrandbits(64))
        disorder = self.chance.choice([0.0, 0.1, 1.0]) if self.stormy else 0.0
        self.loop = VirtualLoop(Random(chance.getrandbits(64)), disorder=disorder)
        self.trace = Trace(self.loop, keep=self.keep_trace, wanted=self.keep_trace or self.fingerprint)
        self.model = self.mutant.model(clock=lambda: EPOCH + self.loop.time())
        self.model.queues = {
            FREE: QueueRow(name=FREE),
            NARROW: QueueRow(name=NARROW, concurrency=self.chance.randint(1, 2)),
        }
        self.cluster = Cluster(
            loop=self.loop,
            model=self.model,
            weather=Weather(Random(chance.getrandbits(64))),
            trace=self.trace,
            registry=application._declared.registry,
            codecs=Codecs(),
            journal=Journal(self.model),
            random=Random(chance.getrandbits(64)),
            mutate=self.mutant.engine,
        )
        self.model.notify = self.cluster.notify

    def run(self) -> Model:
        """Both halves; the model as they left it."""
        for order in self.orders:
            self.loop.call_at(order.at, self._enqueue, order)
            if order.cancel_at is not None:
                self.loop.call_at(order.cancel_at, self._cancel, order.workflow_id)
        self._populate()
        self.loop.call_at(STORM if self.stormy else 0.0, self._calm)
        if self.stormy:
            self._storm()
            self.loop.call_later(1.0, self._watch)
        try:
            self.loop.run_forever()
        except Stalled:
            self.model.audit.violation("the simulation stalled: nothing is scheduled any more")
        finally:
            close_coroutines(self.cluster.strands)
            self.loop.close()
        return self.model

    def _enqueue(self, order: Order) -> None:
        self.trace.note("client", f"enqueues {order.workflow_id}")
        self.model.commit([_creation(order)])

    def _cancel(self, workflow_id: str) -> None:
        self.trace.note("client", f"cancels {workflow_id}")
        self.model.cancel(workflow_id)

    def _populate(self) -> None:
        many = self.chance.randint(2, 3) if self.stormy else 1
        for n in range(many):
            process = Process(
                self.cluster,
                f"p{n}",
                host=self.chance.choice(["one", "two"]),
                skew=self.chance.choice([0.0, self.chance.uniform(-3600, 3600)]) if self.stormy else 0.0,
                capacity=self.chance.choice([2, 5, 1000]) if self.stormy else 1000,
            )
            self.cluster.processes.append(process)
            process.start(listening=True)

    # -- faults -------------------------------------------------------------------------------------------

    def _storm(self) -> None:
        weather, chance = self.cluster.weather, self.chance
        for name, most in (
            ("refused", 0.1),
            ("unanswered", 0.1),
            ("late", 0.05),
            ("silent", 0.01),
            ("deaf", 0.5),
        ):
            if chance.random() < 0.6:
                setattr(weather, name, chance.uniform(0.0, most))
        weather.slowest = chance.choice([0.01, 0.05, 0.5])
        at = 0.0
        while (at := at + chance.expovariate(1 / 4.0)) < STORM:
            process, fault = chance.choice(self.cluster.processes), chance.choice(FAULTS)
            self.loop.call_at(at, self._strike, process, fault)

    def _watch(self) -> None:
        """No faults are made when everything has ended; what they left behind still comes."""
        self.is_over = not self._active()
        if self.is_over and self.loop.time() > max(self.mended, self.cluster.weather.latest) + AFTERMATH:
            self._calm()
        else:
            self.loop.call_later(1.0, self._watch)

    def _active(self) -> bool:
        """Whether something is going on, or yet to come."""
        return self.loop.time() <= self.last_order or any(
            row.status in ACTIVE for row in self.model.workflows.values()
        )

    def _strike(self, process: Process, fault: str) -> None:
        if self.is_over:
            return
        self.faults += 1
        pause = self.chance.choice([self.chance.uniform(0.1, 2.0), self.chance.uniform(4.0, 15.0)])
        self.mended = max(self.mended, self.loop.time() + pause)
        if fault == "cut":
            self.trace.note(process.name, "*** is cut off")
            self.cluster.weather.down.add(process.name)
            self.loop.call_later(pause, self.cluster.weather.down.discard, process.name)
        elif process.is_up:
            getattr(process, fault)()
            self.loop.call_later(pause, self._mend, process)
        else:
            self._mend(process)

    def _mend(self, process: Process) -> None:
        process.thaw()
        process.start(listening=self.chance.random() < 0.8)

    # -- the second half ----------------------------------------------------------------------------------

    def _calm(self) -> None:
        if self.cluster.calm_since < math.inf:
            return
        self.trace.note("", "*** from here on nothing goes wrong")
        self.cluster.weather.clear()
        self.cluster.calm_since = self.loop.time()
        self.deadline = self.loop.time() + PATIENCE
        self._look()

    def _look(self) -> None:
        for process in self.cluster.processes:
            process.thaw()
            process.start(listening=True)
        if not self._active() or self.loop.time() > self.deadline:
            self.loop.stop()
        else:
            self.loop.call_later(1.0, self._look)


FAULTS = ("crash", "crash", "freeze", "freeze", "block", "stop", "cut")


def _creation(order: Order) -> Create:
    return Create(
        workflow_id=order.workflow_id,
        creator=f"client of {order.workflow_id}",
        name=order.workflow,
        queue_name=order.queue_name,
        inputs=json.dumps({"positionalArgs": [order.script], "namedArgs": {}}),
        serialization="portable_json",
        application_name=APPLICATION,
        priority=order.priority,
        delay_seconds=order.delay,
        timeout_ms=None if order.timeout is None else int(order.timeout * 1000),
    )


class _Bugs(logging.Handler):
    """Collects what the engine logs as a bug of its own."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[1] is not None:
            self.found.append(f"logged: {record.getMessage()}: {record.exc_info[1]!r}")


@contextmanager
def _rare_collections() -> Iterator[None]:
    """A simulation makes many small objects and few rings: looking for those takes a quarter of its time."""
    before = gc.get_threshold()
    gc.set_threshold(200_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)


@contextmanager
def _quiet() -> Iterator[list[str]]:
    """Keep the engine's log to ourselves; what it logs with a traceback is a finding."""
    logger, handler = logging.getLogger("durably"), _Bugs()
    before = logger.propagate, logger.level
    logger.addHandler(handler)
    logger.propagate = False
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # a child's start that its death came before
            yield handler.found
    finally:
        logger.removeHandler(handler)
        logger.propagate, level = before
        logger.setLevel(level)
