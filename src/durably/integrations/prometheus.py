"""Prometheus: what an application's process does, as text that a Prometheus server scrapes.

    metrics = Prometheus()
    app = App("tickets", observers=[metrics])
    print(metrics.exposition().decode())

`durably worker --http` and `integrations.health` serve it. The registry is this object's own, so that several
applications, and yours, do not meet in a global one. Needs the extra `console`, which has prometheus-client.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from time import monotonic
from types import TracebackType

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from durably.errors import RunInterrupted
from durably.observing import (
    NOTHING,
    CallFacts,
    Observer,
    OperationFacts,
    RunFacts,
    RunOutcome,
    Vitals,
    Watch,
)

__all__ = ["Prometheus"]

CONTENT_TYPE = CONTENT_TYPE_LATEST
FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
LONG = (0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 300, 1800, 3600, 21600, 86400)
RECORDS = (1, 2, 5, 10, 20, 50, 100, 200, 500)
MOST = 500  # names of steps, and of queues, before all others are called OTHER: names may be made at run time
OTHER = "(other)"


class Prometheus(Observer):
    """Counts and times what it is told, and reads how the process is when it is asked.

    metrics = Prometheus()
    app = App("tickets", observers=[metrics])
    """

    content_type: str = CONTENT_TYPE

    def __init__(self) -> None:
        self.registry: CollectorRegistry = CollectorRegistry()
        names, steps = ("workflow", "queue"), ("workflow", "step")
        self._calls = self._counter("calls", "Calls from outside of workflows", "kind", "outcome")
        self._started = self._counter("runs_started", "Attempts of workflows that began", *names)
        self._runs = self._histogram("run_seconds", "Attempts of workflows", LONG, *names, "outcome")
        self._waits = self._histogram("queue_wait_seconds", "From enqueue to first start", LONG, *names)
        self._steps = self._histogram("step_seconds", "Steps, with their retries", LONG, *steps, "outcome")
        self._retries = self._counter("step_retries", "Attempts of steps that were repeated", *steps)
        self._batch = self._histogram("commit_records", "Records in a commit", RECORDS)
        self._commit = self._histogram("commit_seconds", "Commits of records", FAST)
        self._claims = self._histogram("claim_seconds", "Questions to queues for work", FAST, "queue")
        self._claimed = self._counter("claimed_workflows", "Workflows that they gave", "queue")
        self._takeovers = self._counter("takeovers", "Dead executors that were taken over")
        self._taken = self._counter("taken_over_workflows", "Workflows of theirs that went back")
        self._lag = self._histogram("loop_lag_seconds", "How late the event loop was", FAST)
        self._vitals: Callable[[], Vitals] | None = None
        self._known: dict[str, set[str]] = {"queue": set(), "step": set()}
        self.registry.register(_Signs(lambda: None if self._vitals is None else self._vitals()))

    def exposition(self) -> bytes:
        """The text for a scrape; its type is `content_type`.

        Response(metrics.exposition(), media_type=metrics.content_type)
        """
        return generate_latest(_Plain(self.registry))

    def call(self, facts: CallFacts) -> Watch:
        return _Timed(lambda _, outcome: self._calls.labels(facts.kind, outcome).inc())

    def run(self, facts: RunFacts) -> Watch:
        labels = facts.workflow_name, self._bounded("queue", facts.queue_name or "")
        self._started.labels(*labels).inc()
        if facts.waited is not None and facts.queue_name is not None:
            self._waits.labels(*labels).observe(facts.waited)
        return _Timed(lambda seconds, outcome: self._runs.labels(*labels, outcome).observe(seconds))

    def operation(self, facts: OperationFacts) -> Watch:
        if facts.kind not in ("step", "transaction"):
            return NOTHING
        labels = facts.workflow_name, self._bounded("step", facts.name)
        return _Timed(
            lambda seconds, outcome: self._steps.labels(*labels, outcome).observe(seconds),
            self._retries.labels(*labels).inc,
        )

    def committed(self, records: int, seconds: float) -> None:
        self._batch.observe(records)
        self._commit.observe(seconds)

    def claimed(self, queue_name: str, workflows: int, seconds: float) -> None:
        queue = self._bounded("queue", queue_name)
        self._claims.labels(queue).observe(seconds)
        self._claimed.labels(queue).inc(workflows)

    def took_over(self, executors: int, workflows: int) -> None:
        self._takeovers.inc(executors)
        self._taken.inc(workflows)

    def loop_lagged(self, seconds: float) -> None:
        self._lag.observe(seconds)

    def launched(self, vitals: Callable[[], Vitals]) -> None:
        self._vitals = vitals

    def _counter(self, name: str, what: str, *labels: str) -> Counter:
        return Counter(f"durably_{name}", what, labels, registry=self.registry)

    def _histogram(self, name: str, what: str, buckets: Sequence[float], *labels: str) -> Histogram:
        return Histogram(f"durably_{name}", what, labels, buckets=buckets, registry=self.registry)

    def _bounded(self, kind: str, name: str) -> str:
        known = self._known[kind]
        if name not in known:
            if len(known) >= MOST:
                return OTHER
            known.add(name)
        return name


class _Timed(Watch):
    """Tells how long it took, and what it came to."""

    def __init__(
        self, ended: Callable[[float, str], None], retried: Callable[[], None] | None = None
    ) -> None:
        self._ended = ended
        self._retried = retried
        self._outcome: RunOutcome | None = None
        self._began = monotonic()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        gone = isinstance(error, (RunInterrupted, asyncio.CancelledError, GeneratorExit))
        outcome = self._outcome or ("success" if error is None else "interrupted" if gone else "error")
        self._ended(monotonic() - self._began, outcome)

    def retrying(self, attempt: int, error: BaseException, seconds: float) -> None:
        if self._retried is not None:
            self._retried()

    def ended(self, outcome: RunOutcome) -> None:
        self._outcome = outcome


class _Plain(CollectorRegistry):
    """What another registry has, without the instants at which each series began: they are half of all."""

    def __init__(self, of: CollectorRegistry) -> None:
        super().__init__()
        self._of = of

    def collect(self) -> Iterator[Metric]:
        for metric in self._of.collect():
            metric.samples = [each for each in metric.samples if not each.name.endswith("_created")]
            yield metric


class _Signs(Collector):
    """How the process is, read at each scrape."""

    def __init__(self, vitals: Callable[[], Vitals | None]) -> None:
        self._vitals = vitals

    def describe(self) -> Iterator[Metric]:
        """Nothing: there may be no application yet."""
        yield from ()

    def collect(self) -> Iterator[Metric]:
        signs = self._vitals()
        if signs is None:
            return
        about = {"application": signs.application_name, "version": signs.app_version,
                 "executor": signs.executor_id or ""}  # fmt: skip
        yield InfoMetricFamily("durably_worker", "The application that runs here", about)
        up = signs.database_error is None
        for name, what, value in (
            ("durably_worker_running", "1 while it takes work", signs.state == "running"),
            ("durably_worker_draining", "1 while it stops and lets runs end", signs.state == "draining"),
            ("durably_database_up", "1 if the last attempt reached the database", up),
            ("durably_runs_active", "Runs that do something", signs.running - signs.parked),
            ("durably_runs_parked", "Runs that wait for a message, a timer, a child", signs.parked),
            ("durably_runs_capacity", "Runs that may do something at a time", signs.capacity),
            ("durably_commit_pending_records", "Records that wait for a commit", signs.pending_records),
            ("durably_loop_lag_now_seconds", "How late the event loop is", signs.loop_lag),
            ("durably_lease_seconds", "How long a lease is", signs.lease),
            ("durably_lease_age_seconds", "Since the lease was renewed", signs.lease_age),
        ):  # fmt: skip
            if value is not None:
                yield GaugeMetricFamily(name, what, float(value))
