"""Who asks, and what that person may do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from starlette.requests import Request

from durably.client import AsyncDBOSClient
from durably.types import ROLES, Role

__all__ = ["ROLES", "Access", "Open", "ReadOnly", "Role", "User", "client_of", "may"]

CONSOLE = "durably.console"  # in a request's scope: what gives the console's client


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


@dataclass(frozen=True)
class ReadOnly:
    """Everybody whom another access knows looks, and does no more.

    Console(database_url, access=ReadOnly(Open()))
    """

    access: Access

    @property
    def login_path(self) -> str | None:
        """Where the other one has it."""
        return self.access.login_path

    async def user(self, request: Request) -> User | None:
        """The person, as a viewer."""
        known = await self.access.user(request)
        return known and replace(known, role="viewer")


def may(user: User, role: Role) -> bool:
    """Whether the user's role is at least this one."""
    return ROLES.index(user.role) >= ROLES.index(role)


async def client_of(request: Request) -> AsyncDBOSClient:
    """The client of the console that the request is for."""
    client: AsyncDBOSClient = await request.scope[CONSOLE].client()
    return client
