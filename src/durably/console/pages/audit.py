"""Audit: who did what on what, when, and what came of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, get_args

from starlette.exceptions import HTTPException
from starlette.responses import Response

from durably.console.visit import Visit, page
from durably.types import AuditEntry, AuditOutcome, AuditSource

__all__ = ["PAGES"]

PAGE = 50
WORDS = ("who", "verb", "kind", "target")
CHOICES: dict[str, tuple[str, ...]] = {"outcome": get_args(AuditOutcome), "source": get_args(AuditSource)}
PLACES = {"workflow": "/run", "queue": "/queue", "schedule": "/schedule"}


@page("/audit")
async def audit(visit: Visit) -> Response:
    """The newest first, a page of them, filtered."""
    asked = {name: visit.query.get(name, "") for name in (*WORDS, *CHOICES)}
    kept = await visit.client.keeps_audit()
    found = await _found(visit, asked) if kept else []
    return visit.render(
        "audit.html",
        kept=kept,
        entries=found[:PAGE],
        asked=asked,
        choices=CHOICES,
        is_filtered=any(asked.values()),
        is_first=not visit.query.get("before"),
        before=found[PAGE - 1].audit_id if len(found) > PAGE else None,
        places=PLACES,
        now_ms=datetime.now(UTC).timestamp() // 1 * 1000,
    )


async def _found(visit: Visit, asked: dict[str, str]) -> list[AuditEntry]:
    given: dict[str, Any] = {name: text for name, text in asked.items() if text}
    for name, allowed in CHOICES.items():
        if given.get(name, allowed[0]) not in allowed:
            raise HTTPException(400, f"{name}={given[name][:40]}: one of {', '.join(allowed)}")
    before = visit.query.get("before", "")
    if before and not (before.isdecimal() and len(before) < 19):
        raise HTTPException(400, f"before={before[:20]}: the number of an entry")
    return await visit.client.list_audit(**given, before=int(before) if before else None, limit=PAGE + 1)


PAGES = (audit,)
