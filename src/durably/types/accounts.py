"""People and programs that may use the console and the HTTP API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from durably.types.aliases import AuditOutcome, AuditSource, Role

__all__ = [
    "Account",
    "ApiToken",
    "AuditEntry",
    "NewApiToken",
]


@dataclass(frozen=True, kw_only=True)
class Account:
    """A person who may log in at the console, unless `is_disabled`; instants are epoch milliseconds."""

    name: str
    role: Role
    sees_payloads: bool
    created_at: int
    is_disabled: bool


@dataclass(frozen=True, kw_only=True)
class ApiToken:
    """A program that may call the HTTP API until `expires_at` (None: for ever), unless it `is_revoked`."""

    token_id: str
    name: str
    role: Role
    sees_payloads: bool
    created_by: str
    created_at: int
    expires_at: int | None
    last_used_at: int | None
    is_revoked: bool


@dataclass(frozen=True, kw_only=True)
class NewApiToken:
    """A token that was just created, with its `secret`, which is never shown again."""

    token: ApiToken
    secret: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """Who did what: `verb` on `targets` of a `kind`, asked for with `detail`; `did` says what came of it.

    `outcome` stays "began", and `ended_at` None, of what was interrupted. Instants are epoch milliseconds.
    """

    audit_id: int
    at: int
    ended_at: int | None
    who: str
    verb: str
    kind: str
    targets: tuple[str, ...]
    detail: Mapping[str, Any]
    outcome: AuditOutcome
    did: str | None
    source: AuditSource
