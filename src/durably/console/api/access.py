"""Tokens of programs, and who did what."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from durably.console.api.route import Call, Example, delete, get, post
from durably.console.api.wire import Count, Given, Key, Moment, Name, Shown, as_datetime
from durably.types import ApiToken, AuditEntry

__all__ = ["ROUTES"]

RoleWord: TypeAlias = Literal["viewer", "operator", "admin"]
Number = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class NewToken(Given, frozen=True, kw_only=True):
    """What a token is for, what it may, and for how many seconds (null: until it is revoked)."""

    name: Name
    role: RoleWord = "viewer"
    sees_payloads: bool = True
    lasts: Annotated[float, Meta(gt=0, le=3_153_600_000)] | None = None


class OneToken(Given, frozen=True, kw_only=True):
    """The token that is meant."""

    id: Key


class Entries(Given, frozen=True, kw_only=True):
    """Which entries of the audit; `before` is the last `audit_id` of the page before."""

    who: Key | None = None
    verb: Key | None = None
    kind: Key | None = None
    target: Key | None = None
    outcome: Literal["began", "done", "failed"] | None = None
    source: Literal["console", "api", "cli"] | None = None
    since: Moment | None = None
    until: Moment | None = None
    before: Number | None = None
    after: Number | None = None
    limit: Count = 50


class CreatedToken(Shown, frozen=True, kw_only=True):
    """A token with its secret, which is never shown again."""

    token: ApiToken
    secret: str


class Tokens(Shown, frozen=True, kw_only=True):
    """Tokens, the newest first; never their secrets."""

    tokens: list[ApiToken]


class Revoked(Shown, frozen=True, kw_only=True):
    """Whether it was valid until now."""

    token_id: str
    changed: bool


class AuditEntries(Shown, frozen=True, kw_only=True):
    """What was done, the newest first."""

    entries: list[AuditEntry]


@get("/tokens", role="admin", verbs=("list_tokens",), example=Example())
async def list_tokens(call: Call) -> Tokens:
    """Show the tokens of programs, those that are over or revoked too."""
    return Tokens(tokens=await call.client.list_tokens())


@post(
    "/token",
    role="admin",
    status=201,
    verbs=("create_token",),
    example=Example(body={"name": "deploy", "role": "operator", "lasts": 7776000}),
)
async def create_token(call: Call, body: NewToken) -> CreatedToken:
    """Create a token for a program; its secret is shown this once."""
    creating = call.client.create_token(
        body.name,
        role=body.role,
        sees_payloads=body.sees_payloads,
        lasts=body.lasts,
        created_by=call.user.name,
    )
    detail = {"role": body.role, "sees_payloads": body.sees_payloads}
    made = await call.act("create", "token", body.name, creating, detail=detail)
    return CreatedToken(token=made.token, secret=made.secret)


@delete(
    "/token",
    role="admin",
    verbs=("revoke_token",),
    problems=(404,),
    example=Example({"id": "f00dfeed0001"}),
)
async def revoke_token(call: Call, query: OneToken) -> Revoked:
    """Let a token be valid no more, at once."""
    changed = await call.act("revoke", "token", query.id, call.client.revoke_token(query.id))
    return Revoked(token_id=query.id, changed=changed)


@get("/audit", role="operator", verbs=("list_audit",), example=Example({"kind": "queue", "limit": 20}))
async def list_audit(call: Call, query: Entries) -> AuditEntries:
    """Show who did what, on what, and what came of it."""
    found = await call.client.list_audit(
        who=query.who,
        verb=query.verb,
        kind=query.kind,
        target=query.target,
        outcome=query.outcome,
        source=query.source,
        since=as_datetime(query.since),
        until=as_datetime(query.until),
        before=query.before,
        after=query.after,
        limit=query.limit,
    )
    return AuditEntries(entries=found)


ROUTES = (list_tokens, create_token, revoke_token, list_audit)
