"""OpenTelemetry: traces across client, queue and executor, and metrics; the API alone, the SDK is yours.

    app = App("tickets", observers=[OpenTelemetry()])
    client = DBOSClient.create(url, observers=[OpenTelemetry()])

    enqueue purchaseTicket            PRODUCER, where it is called
      run purchaseTicket              CONSUMER, one for each attempt, in whichever process runs it
        step charge                   one for each step that is run, with its retries as events
        start printTicket             a child
          run printTicket
        recv, sleep, set_event, ...   one for each operation that is performed

The trace travels in the workflow's row, as DBOS keeps it (`dbos.otelContext`, W3C). What a replay answers
from the record has no span: it was there the first time. No span has arguments, results or messages in it.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable, Iterable, Mapping
from contextvars import Token
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Literal, TypeAlias

from opentelemetry import context as contexts
from opentelemetry import metrics, trace
from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, TracerProvider

from durably.errors import RunInterrupted
from durably.observing import (
    CallFacts,
    Observer,
    OperationFacts,
    RunFacts,
    RunOutcome,
    Vitals,
    Watch,
)

if TYPE_CHECKING:
    from opentelemetry.context import Context

__all__ = ["OpenTelemetry"]

Attributes: TypeAlias = Mapping[str, str | int | float | bool]
Ended: TypeAlias = Callable[[float, str], None]  # seconds, and what it came to

SCOPE = "durably"
SECONDS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 300, 3600)
RECORDS = (1, 2, 5, 10, 20, 50, 100, 200, 500)
_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")


class OpenTelemetry(Observer):
    """Makes spans and metrics of what it is told.

    Providers are the global ones unless given; `traces=False` and `metrics=False` leave one half out.
    `errors=False` keeps messages and tracebacks of errors out of spans: only their types are told.

        app = App("tickets", observers=[OpenTelemetry()])
    """

    def __init__(
        self,
        *,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        traces: bool = True,
        metrics: bool = True,
        errors: bool = True,
    ) -> None:
        self._tracer = trace.get_tracer(SCOPE, tracer_provider=tracer_provider) if traces else None
        self._meters = _Meters(meter_provider) if metrics else None
        self._errors = errors

    def call(self, facts: CallFacts) -> Watch:
        attributes: dict[str, str | int] = {
            "messaging.system": SCOPE,
            "messaging.operation.name": facts.kind,
            "messaging.operation.type": "send",
        }
        _put(attributes, "durably.workflow.id", facts.workflow_id)
        _put(attributes, "durably.workflow.name", facts.name)
        _put(attributes, "messaging.destination.name", facts.queue_name)
        if facts.count > 1:
            attributes["messaging.batch.message_count"] = facts.count
        return self._watch(_titled(facts.kind, facts.name), SpanKind.PRODUCER, attributes)

    def run(self, facts: RunFacts) -> Watch:
        attributes: dict[str, str | int | float | bool] = {
            "messaging.system": SCOPE,
            "messaging.operation.name": "run",
            "messaging.operation.type": "process",
            "durably.workflow.id": facts.workflow_id,
            "durably.workflow.name": facts.workflow_name,
            "durably.application.name": facts.application_name,
            "durably.application.version": facts.app_version,
            "durably.executor.id": facts.executor_id,
            "durably.run.attempt": facts.attempt,
            "durably.run.resumed": facts.resumed,
        }
        _put(attributes, "durably.workflow.class_name", facts.class_name)
        _put(attributes, "durably.workflow.parent_id", facts.parent_workflow_id)
        _put(attributes, "durably.queue.name", facts.queue_name)
        _put(attributes, "messaging.destination.name", facts.queue_name)
        _put(attributes, "durably.run.queue_wait", facts.waited)
        kind = SpanKind.INTERNAL if facts.queue_name is None else SpanKind.CONSUMER
        ended = self._meters.run(facts) if self._meters else None
        return self._watch(f"run {facts.workflow_name}", kind, attributes, ended)

    def operation(self, facts: OperationFacts) -> Watch:
        attributes: dict[str, str | int] = {
            "durably.workflow.id": facts.workflow_id,
            "durably.workflow.name": facts.workflow_name,
            "durably.step.id": facts.function_id,
            "durably.step.name": facts.name,
            "durably.step.kind": facts.kind,
        }
        title = {"step": f"step {facts.name}", "transaction": f"transaction {facts.name}",
                 "child": f"start {facts.name}", "operation": _plain(facts.name)}[facts.kind]  # fmt: skip
        kind = SpanKind.PRODUCER if facts.kind == "child" else SpanKind.INTERNAL
        timed = self._meters is not None and facts.kind in ("step", "transaction")
        retried = self._meters.retried(facts) if timed and self._meters else None
        ended = self._meters.step(facts) if timed and self._meters else None
        return self._watch(title, kind, attributes, ended, retried)

    def committed(self, records: int, seconds: float) -> None:
        if self._meters:
            self._meters.batch.record(records)
            self._meters.commit.record(seconds)

    def claimed(self, queue_name: str, workflows: int, seconds: float) -> None:
        if self._meters:
            self._meters.claims.record(seconds, {"durably.queue.name": queue_name})
            self._meters.claimed.add(workflows, {"durably.queue.name": queue_name})

    def took_over(self, executors: int, workflows: int) -> None:
        if self._meters:
            self._meters.takeovers.add(executors)
            self._meters.taken.add(workflows)

    def loop_lagged(self, seconds: float) -> None:
        if self._meters:
            self._meters.lag.record(seconds)

    def launched(self, vitals: Callable[[], Vitals]) -> None:
        if self._meters:
            self._meters.look_at(vitals)

    def ended(self) -> None:
        if self._meters:
            self._meters.look_at(None)

    def _watch(
        self,
        name: str,
        kind: SpanKind,
        attributes: Attributes,
        ended: Ended | None = None,
        retried: Callable[[], None] | None = None,
    ) -> Watch:
        span = None
        if self._tracer is not None:
            span = self._tracer.start_span(name, kind=kind, attributes=dict(attributes))
        return _SpanWatch(span, ended, retried, errors=self._errors)


class _SpanWatch(Watch):
    """A span that is the current one between enter and exit, and the metrics of its end."""

    def __init__(
        self,
        span: Span | None,
        measured: Ended | None,
        retried: Callable[[], None] | None,
        *,
        errors: bool,
    ) -> None:
        self._span = span
        self._measured = measured
        self._retried = retried
        self._errors = errors
        self._outcome: RunOutcome | None = None
        self._current: Context | None = None
        self._token: Token[Context] | None = None
        self._began = monotonic()

    def __enter__(self) -> _SpanWatch:
        if self._span is not None:
            self._current = trace.set_span_in_context(self._span)
            self._token = contexts.attach(self._current)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        outcome = self._outcome or _outcome(error)
        if self._measured is not None:
            self._measured(monotonic() - self._began, outcome)
        if self._span is None:
            return
        if error is not None and outcome == "error":
            self.failed(error)
        self._span.set_attribute("durably.outcome", outcome)
        if self._token is not None and contexts.get_current() is self._current:  # not closed elsewhere
            contexts.detach(self._token)
        self._span.end()

    def identified(self, workflow_id: str) -> None:
        if self._span is not None:
            self._span.set_attribute("durably.workflow.id", workflow_id)

    def retrying(self, attempt: int, error: BaseException, seconds: float) -> None:
        if self._retried is not None:
            self._retried()
        if self._span is not None:
            told = {"durably.step.attempt": attempt, "durably.step.next_attempt_in": seconds}
            self._span.add_event("durably.step.attempt_failed", {**told, **self._told(error)})

    def failed(self, error: BaseException) -> None:
        if self._span is None:
            return
        self._span.set_attribute("error.type", type(error).__qualname__)
        self._span.set_status(Status(StatusCode.ERROR, _said(error) if self._errors else None))
        if self._errors:
            with contextlib.suppress(Exception):  # an error that cannot say what it is
                self._span.record_exception(error)

    def ended(self, outcome: RunOutcome) -> None:
        self._outcome = outcome

    def _told(self, error: BaseException) -> dict[str, str]:
        told = {"exception.type": type(error).__qualname__}
        return told | {"exception.message": _said(error)} if self._errors else told


class _Meters:
    """The instruments."""

    def __init__(self, provider: MeterProvider | None) -> None:
        meter = metrics.get_meter(SCOPE, meter_provider=provider)
        seconds, count = meter.create_histogram, meter.create_counter
        buckets = {"explicit_bucket_boundaries_advisory": SECONDS}
        self.started = count("durably.runs.started", "{run}", "Attempts of workflows that began")
        self.ran = seconds("durably.run.duration", "s", "Attempts of workflows, by outcome", **buckets)
        self.waits = seconds("durably.run.queue_wait", "s", "From enqueue to start", **buckets)
        self.steps = seconds("durably.step.duration", "s", "Steps and transactions, retries too", **buckets)
        self.retries = count("durably.step.retries", "{attempt}", "Attempts of steps that were repeated")
        self.batch = meter.create_histogram(
            "durably.writer.batch",
            "{record}",
            "Records in a commit",
            explicit_bucket_boundaries_advisory=RECORDS,
        )
        self.commit = seconds("durably.writer.commit.duration", "s", "Commits of records", **buckets)
        self.claims = seconds("durably.claim.duration", "s", "Questions to queues for work", **buckets)
        self.claimed = count("durably.claim.workflows", "{workflow}", "Workflows that they gave")
        self.takeovers = count("durably.takeovers", "{executor}", "Dead executors that were taken over")
        self.taken = count("durably.takeover.workflows", "{workflow}", "Workflows of theirs that went back")
        self.lag = seconds("durably.loop.lag", "s", "How late the event loop is", **buckets)
        self._vitals: Callable[[], Vitals] | None = None
        for name, unit, what, read in _GAUGES:
            meter.create_observable_gauge(name, [self._reader(read)], unit, what)

    def look_at(self, vitals: Callable[[], Vitals] | None) -> None:
        self._vitals = vitals

    def run(self, facts: RunFacts) -> Ended:
        labels = {
            "durably.workflow.name": facts.workflow_name,
            "durably.queue.name": facts.queue_name or "",
        }
        self.started.add(1, labels)
        if facts.waited is not None and facts.queue_name is not None:
            self.waits.record(facts.waited, labels)
        return lambda seconds, outcome: self.ran.record(seconds, {**labels, "durably.outcome": outcome})

    def step(self, facts: OperationFacts) -> Ended:
        labels = _step_labels(facts)
        return lambda seconds, outcome: self.steps.record(seconds, {**labels, "durably.outcome": outcome})

    def retried(self, facts: OperationFacts) -> Callable[[], None]:
        return lambda: self.retries.add(1, _step_labels(facts))

    def _reader(
        self, read: Callable[[Vitals], float | None]
    ) -> Callable[[CallbackOptions], Iterable[Observation]]:
        def observe(_: CallbackOptions) -> Iterable[Observation]:
            value = None if self._vitals is None else read(self._vitals())
            return [] if value is None else [Observation(value)]

        return observe


_GAUGES: tuple[tuple[str, str, str, Callable[[Vitals], float | None]], ...] = (
    ("durably.runs.active", "{run}", "Runs that do something", lambda v: v.running - v.parked),
    ("durably.runs.parked", "{run}", "Runs that wait", lambda v: v.parked),
    ("durably.runs.capacity", "{run}", "Runs that may do something at a time", lambda v: v.capacity),
    ("durably.writer.pending", "{record}", "Records that wait for a commit", lambda v: v.pending_records),
    ("durably.lease.age", "s", "Since the lease was renewed", lambda v: v.lease_age),
)


def _step_labels(facts: OperationFacts) -> dict[str, str]:
    return {"durably.workflow.name": facts.workflow_name, "durably.step.name": facts.name}


def _titled(verb: str, name: str | None) -> str:
    return verb if name is None else f"{verb} {name}"


def _plain(name: str) -> str:
    """DBOS.setEvent is set_event, as it is called."""
    return _WORD.sub("_", name.partition(".")[2] or name).lower()


def _outcome(error: BaseException | None) -> Literal["success", "error", "interrupted"]:
    if error is None:
        return "success"
    gone = (RunInterrupted, asyncio.CancelledError, GeneratorExit)
    return "interrupted" if isinstance(error, gone) else "error"


def _said(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return type(error).__qualname__


def _put(
    attributes: dict[str, str | int] | dict[str, str | int | float | bool], key: str, value: object
) -> None:
    if value is not None:
        attributes[key] = value  # type: ignore[assignment]
