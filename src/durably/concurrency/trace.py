"""The trace that the calling code belongs to, as a W3C carrier that fits into a row.

OpenTelemetry is not imported here: where nothing else has imported it there is no trace.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import Any

__all__ = ["CARRIER", "adopt", "carried", "current", "is_known"]

CARRIER = "dbos.otelContext"  # the attribute that DBOS keeps it in
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")


def is_known() -> bool:
    """Whether anything in this process could look at a trace."""
    return "opentelemetry.trace" in sys.modules


def carried(attributes: Any, carrier: Mapping[str, str] | None = None) -> Any:
    """The attributes with the carrier of the active span, or else with the given one."""
    carrier = current() or carrier
    if carrier is None or not isinstance(attributes, Mapping | None):
        return attributes
    return {**(attributes or {}), CARRIER: carrier}


def current() -> dict[str, str] | None:
    """The carrier of the active span, None without one."""
    trace: Any = sys.modules.get("opentelemetry.trace")
    span = trace.get_current_span().get_span_context() if trace else None
    if span is None or not span.is_valid:
        return None
    carrier = {"traceparent": f"00-{span.trace_id:032x}-{span.span_id:016x}-{span.trace_flags:02x}"}
    if span.trace_state:
        carrier["tracestate"] = span.trace_state.to_header()
    return carrier


def adopt(carrier: Mapping[str, str] | None) -> None:
    """Let what is called from here on belong to a carrier's trace; without one, to none.

    Only where traces are known.
    """
    trace: Any = sys.modules["opentelemetry.trace"]
    context: Any = sys.modules["opentelemetry.context"]
    context.attach(trace.set_span_in_context(_span(trace, carrier or {})))


def _span(trace: Any, carrier: Mapping[str, str]) -> Any:
    parent = _TRACEPARENT.match(str(carrier.get("traceparent", "")))
    if parent is None:
        return trace.INVALID_SPAN
    state = carrier.get("tracestate")
    return trace.NonRecordingSpan(
        trace.SpanContext(
            trace_id=int(parent[1], 16),
            span_id=int(parent[2], 16),
            is_remote=True,
            trace_flags=trace.TraceFlags(int(parent[3], 16)),
            trace_state=trace.TraceState.from_header([state]) if state else None,
        )
    )
