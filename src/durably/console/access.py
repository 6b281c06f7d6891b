"""Who asks, and what that person may do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from starlette.requests import Request

__all__ = ["ROLES", "Access", "Open", "Role", "User", "may"]

Role: TypeAlias = Literal["viewer", "operator", "admin"]

ROLES: tuple[Role, ...] = ("viewer", "operator", "admin")  # each may what those before it may


@dataclass(frozen=True, kw_only=True)
class User:
    """A person at the console: a name for the audit, a role, and whether payloads are shown.

    A viewer looks, an operator acts on workflows, queues and schedules, an admin also manages accounts.

        User(name="ada", role="operator")
    """

    name: str
    role: Role = "viewer"
    sees_payloads: bool = True


class Access(Protocol):
    """Tells who is behind a request; an application that has its own login brings one of its own.

    class Staff:
        login_path = "/login"
        async def user(self, request: Request) -> User | None: ...
    """

    @property
    def login_path(self) -> str | None:
        """Where those go whom `user` does not know, below the console's own path; None: they are refused."""

    async def user(self, request: Request) -> User | None:
        """The person, or None for nobody."""


@dataclass(frozen=True)
class Open:
    """Everybody is the same user: for a console that only this machine can reach.

    Console(database_url, access=Open())
    """

    somebody: User = User(name="local", role="admin")

    @property
    def login_path(self) -> str | None:
        """Nowhere: nobody is unknown."""
        return None

    async def user(self, request: Request) -> User | None:
        """The one user."""
        return self.somebody


def may(user: User, role: Role) -> bool:
    """Whether the user's role is at least this one."""
    return ROLES.index(user.role) >= ROLES.index(role)
