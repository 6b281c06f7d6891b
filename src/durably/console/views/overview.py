"""The Overview: tiles, failures by name, and what needs somebody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from durably.console import words
from durably.types import ExecutorInfo, Finding, OverviewFacts

__all__ = ["SPANS", "Failures", "Need", "Span", "Tile", "failures", "needs", "tiles"]

COUNTED = 10_000  # a figure above it is only known to be that
SHOWN = 8  # names that failed
READ = 2000  # failures that were read at most
HOUR = 3_600_000  # ms


@dataclass(frozen=True)
class Span:
    """How much of the past the chart shows, and how long what was read of it is fresh (seconds)."""

    key: str
    word: str
    seconds: float
    spans: int
    fresh: float


SPANS = {
    span.key: span
    for span in (
        Span("1h", "1 hour", 3600, 60, 2.0),
        Span("24h", "24 hours", 86_400, 96, 30.0),
        Span("7d", "7 days", 7 * 86_400, 84, 300.0),
    )
}


@dataclass(frozen=True)
class Tile:
    """A figure with its word, where it leads, and the class of its colour."""

    word: str
    figure: str
    href: str
    kind: str = ""
    note: str = ""


@dataclass(frozen=True)
class Failures:
    """How often a name failed, and its share of the most frequent one."""

    name: str
    count: int
    share: float
    href: str


@dataclass(frozen=True)
class Need:
    """Something that needs somebody: what was seen, what to do, and the page for it."""

    kind: str
    seen: str
    advice: str
    examples: tuple[str, ...]
    href: str


def tiles(facts: OverviewFacts, executors: Sequence[ExecutorInfo] | None) -> list[Tile]:
    """The figures on top of the page."""
    oldest = facts.oldest_enqueued_at
    waited = None if oldest is None else facts.now - oldest
    alive = None if executors is None else sum(each.state == "alive" for each in executors)
    unknown = 0 if executors is None else sum(each.state == "no lease" for each in executors)
    late = len(facts.schedules_late)
    more = "+" if facts.failed_last_hour >= READ else ""
    is_old = waited is not None and waited > HOUR
    nobody = alive == 0 and not unknown
    failed = words.count(facts.failed_last_hour) + more
    also = f"and {unknown} of DBOS" if unknown else ""
    oldest_word = words.NOTHING if waited is None else _coarse(waited)
    return [
        Tile("Running", _counted(facts.pending), "/runs?status=PENDING"),
        Tile("Enqueued", _counted(facts.enqueued), "/runs?status=ENQUEUED"),
        Tile("Oldest waiting", oldest_word, "/queues", "delayed" if is_old else ""),
        Tile(
            "Failed, last hour",
            failed,
            "/runs?status=ERROR&range=1h",
            "failed" if facts.failed_last_hour else "",
        ),
        Tile("Dead letters", _counted(facts.dead_letters), "/dead", "dead" if facts.dead_letters else ""),
        Tile("Stranded", _counted(facts.stranded), "/versions", "delayed" if facts.stranded else ""),
        Tile("Executors alive", words.count(alive), "/executors", "failed" if nobody else "", also),
        Tile("Schedules late", words.count(late), "/schedules", "delayed" if late else ""),
    ]


def failures(facts: OverviewFacts) -> list[Failures]:
    """The names that failed most."""
    most = max(facts.failures.values(), default=1)
    found = list(facts.failures.items())[:SHOWN]
    return [Failures(name, count, count / most, _of(name)) for name, count in found]


def _of(name: str) -> str:
    return "/runs?" + urlencode({"status": "ERROR", "name": name, "range": "24h"})


def needs(findings: Sequence[Finding]) -> list[Need]:
    """What diagnosis found wrong, the worst first."""
    wrong = sorted((each for each in findings if each.level != "ok"), key=lambda each: each.level != "error")
    return [
        Need(
            "failed" if each.level == "error" else "",
            each.seen,
            each.advice or "",
            each.examples[:5],
            _PAGES.get(each.check, ""),
        )
        for each in wrong
    ]


_PAGES = {
    "executors": "/executors",
    "queues": "/queues",
    "versions": "/versions",
    "stranded": "/versions",
    "dead_letters": "/dead",
    "schedules": "/schedules",
    "vacuum": "/storage",
    "indexes": "/storage",
}


def _counted(value: int) -> str:
    return f"{COUNTED:,}+" if value > COUNTED else f"{value:,}"


def _coarse(milliseconds: float) -> str:
    """A duration that does not change at every look."""
    seconds = milliseconds // 1000
    return words.duration(milliseconds // 5000 * 5000) if seconds >= 60 else f"{seconds:.0f} s"
