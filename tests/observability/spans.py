"""Spans of one process, and of several: kept in memory, or written to a file as each one ends."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

__all__ = ["Spans", "parent_of", "span_of", "to_file", "trace_of"]


def trace_of(span: ReadableSpan) -> str:
    """The id of its trace."""
    context = span.get_span_context()
    assert context is not None
    return f"{context.trace_id:032x}"


def span_of(span: ReadableSpan) -> str:
    """Its own id."""
    context = span.get_span_context()
    assert context is not None
    return f"{context.span_id:016x}"


def parent_of(span: ReadableSpan) -> str:
    """The id of its parent, empty for none."""
    return f"{span.parent.span_id:016x}" if span.parent else ""


class Spans:
    """What a tracer provider's spans have come to."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))

    @property
    def all(self) -> list[ReadableSpan]:
        """Those that have ended, in the order in which they began."""
        return sorted(self._exporter.get_finished_spans(), key=lambda span: span.start_time or 0)

    def named(self, name: str) -> list[ReadableSpan]:
        """Those of that name."""
        return [span for span in self.all if span.name == name]

    def one(self, name: str) -> ReadableSpan:
        """The only one of that name."""
        [span] = self.named(name)
        return span

    def tree(self) -> list[str]:
        """Names, each behind those of its parents."""
        by_id = {span_of(span): span for span in self.all}

        def path(span: ReadableSpan) -> str:
            parent = by_id.get(parent_of(span))
            return f"{path(parent)} > {span.name}" if parent else span.name

        return [path(span) for span in self.all]


class _ToFile(SpanExporter):
    def __init__(self, path: Path) -> None:
        self._path = path

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        with self._path.open("a") as file:
            for span in spans:
                told = {"name": span.name, "trace": trace_of(span)}
                print(json.dumps({**told, **(span.attributes or {})}), file=file)
        return SpanExportResult.SUCCESS


def to_file(path: Path) -> TracerProvider:
    """A provider whose spans are appended to a file when they end."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(_ToFile(path)))
    return provider
