"""For whom a workflow runs, and whether it may: user, roles, the role that it assumed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from durably.errors import NotAuthorized

if TYPE_CHECKING:
    from durably.core.ports import Claimed
    from durably.engine.call import Call
    from durably.engine.registry import WorkflowDefinition

__all__ = ["Authority", "check", "of", "recorded"]


class Authority(msgspec.Struct, frozen=True):
    """User, roles, and the one role by which a workflow was allowed to run."""

    user: str | None = None
    roles: Sequence[str] = ()
    assumed_role: str | None = None

    @property
    def roles_text(self) -> str | None:
        """The roles as a row has them, NULL for none."""
        return json.dumps(list(self.roles)) if self.roles else None


def of(call: Call, caller: Claimed | None) -> Authority:
    """What the call says, otherwise what its caller has."""
    if not call.has_own_user:
        return Authority() if caller is None else recorded(caller)
    return Authority(
        call.given("authenticated_user"),
        tuple(call.given("authenticated_roles") or ()),
        call.given("assumed_role"),
    )


def recorded(claimed: Claimed) -> Authority:
    """What a row says; DBOS writes '' and '[]' as well as NULL for none."""
    try:
        roles = json.loads(claimed.authenticated_roles or "[]")
    except ValueError:
        roles = []
    known = tuple(map(str, roles)) if isinstance(roles, list) else ()
    return Authority(claimed.authenticated_user or None, known, claimed.assumed_role or None)


def check(definition: WorkflowDefinition, authority: Authority) -> str | None:
    """The role by which the workflow may run, NotAuthorized without one; None where it needs none."""
    required = definition.required_roles
    if not required:
        return authority.assumed_role
    for role in required:
        if role in authority.roles:
            return role
    raise NotAuthorized(definition.name, required=tuple(required), roles=tuple(authority.roles))
