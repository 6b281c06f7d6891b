"""The audit: who did what, on what, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from durably.client._base import Part
from durably.core import checks
from durably.store import accounts
from durably.types import AuditEntry, AuditOutcome, AuditSource

__all__ = ["Audit"]

OUTCOMES: tuple[AuditOutcome, ...] = ("began", "done", "failed")
SOURCES: tuple[AuditSource, ...] = ("console", "api", "cli")
MOST_TARGETS = 1000  # ids that an entry keeps; how many there were is in its detail
LONGEST = 2000  # characters of what an action came to


class Audit(Part):
    """What keeps the audit. Needs durably's own schema: `durably db migrate`."""

    async def keeps_audit(self) -> bool:
        """Return whether this database has the audit's table.

        print(await client.keeps_audit())
        """
        return accounts.is_kept(await self._session.here())

    async def begin_audit(
        self,
        who: str,
        verb: str,
        *,
        kind: str,
        target: str | Sequence[str] = (),
        detail: Mapping[str, Any] | None = None,
        source: AuditSource = "cli",
    ) -> int | None:
        """Note that somebody begins to do something; returns the entry's number, None where none is kept.

        `kind` is what the targets are: workflow, queue, schedule, ... Never put a payload or a secret into
        `detail` (JSON). `end_audit` tells how it ended; an entry that stays `began` was interrupted.

            entry = await client.begin_audit("ada", "pause", kind="queue", target="emails")
            await client.end_audit(entry, "done")
        """
        if not accounts.is_kept(await self._session.here()):
            return None
        checks.choice("source", source, SOURCES)
        targets = [target] if isinstance(target, str) else list(target)
        noted = {**(detail or {})} | ({"targets": len(targets)} if len(targets) > MOST_TARGETS else {})
        row = {
            "who": _storable(who),
            "verb": _storable(verb),
            "kind": _storable(kind),
            "targets": [_storable(each) for each in targets[:MOST_TARGETS]],
            "detail": json.dumps(_clean(noted)),
            "source": source,
        }
        rows = await self._session.call(lambda open_: accounts.ask(open_, "audit/begin", row))
        return int(rows[0]["audit_id"])

    async def end_audit(self, audit_id: int | None, outcome: AuditOutcome, did: str | None = None) -> None:
        """Note how what was begun has ended, `did` in words; does nothing for None.

        await client.end_audit(None, "done", "12 cancelled, 3 had ended")
        """
        checks.choice("outcome", outcome, OUTCOMES)
        if audit_id is None:
            return
        row = {"audit_id": audit_id, "outcome": outcome, "did": did and _storable(did)[:LONGEST]}
        await self._session.call(lambda open_: accounts.ask(open_, "audit/end", row))

    async def list_audit(
        self,
        *,
        who: str | None = None,
        verb: str | None = None,
        kind: str | None = None,
        target: str | None = None,
        outcome: AuditOutcome | None = None,
        source: AuditSource | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        before: int | None = None,
        after: int | None = None,
        limit: int = 50,
    ) -> list[AuditEntry]:
        """Return what was done, the newest first; the next page is `before` the last entry's `audit_id`.

        Instants are aware datetimes. Raises DatabaseError where no audit is kept.

            for entry in await client.list_audit(kind="queue", limit=20): print(entry.who, entry.verb)
        """
        conditions = {
            "who": checks.optional_address("who", who),
            "verb": checks.optional_address("verb", verb),
            "kind": checks.optional_address("kind", kind),
            "target": checks.optional_address("target", target),
            "outcome": outcome,
            "source": source,
            "since": checks.instant("since", since),
            "until": checks.instant("until", until),
            "before": before,
            "after": after,
            "limit": checks.whole("limit", limit, least=1, most=10_000),
        }
        rows = await self._session.call(lambda open_: accounts.search(open_, conditions))
        return [_entry(row) for row in rows]


def _entry(row: dict[str, Any]) -> AuditEntry:
    return AuditEntry(**row | {"targets": tuple(row["targets"]), "detail": json.loads(row["detail"])})


def _clean(value: Any) -> Any:
    """The value as PostgreSQL's JSON has it."""
    match value:
        case None | bool() | int():
            return value
        case Mapping():
            return {_storable(str(key)): _clean(item) for key, item in value.items()}
        case list() | tuple():
            return [_clean(item) for item in value]
        case _:
            return _storable(str(value))


def _storable(text: str) -> str:
    """The text as PostgreSQL stores it."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()
