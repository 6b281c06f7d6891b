"""What is wrong with a system database, and what to do about it: readings in, findings out. Pure.

readings   what was read, in order; None is what could not be
server     connection, settings, clock, vacuum
schema     generations, indexes, privileges
work       executors, queues, schedules, workflows that nobody can run
"""

from __future__ import annotations

from collections.abc import Iterator

from durably.core.doctor import schema, server, work
from durably.core.doctor.readings import Readings
from durably.types import Finding

__all__ = ["Readings", "judge"]


def judge(readings: Readings) -> list[Finding]:
    """All findings, in the order in which a person would look."""
    if readings.unreachable is not None:
        return [server.unreachable(readings.unreachable, readings.place)]
    return list(_judged(readings))


def _judged(readings: Readings) -> Iterator[Finding]:
    yield from server.judge(readings)
    yield from schema.judge(readings)
    yield from work.judge(readings)
    yield from _unread(readings)


def _unread(readings: Readings) -> Iterator[Finding]:
    """What could not be read, once for each reason."""
    reasons: dict[str, list[str]] = {}
    for name, reason in readings.unread.items():
        reasons.setdefault(reason, []).append(name)
    for reason, names in reasons.items():
        yield Finding(
            check="unread",
            level="warning",
            seen=f"{', '.join(names)} could not be looked at: {reason}",
            advice="let this role read it, or ask again with one that may (`privileges` says what it has)",
        )
