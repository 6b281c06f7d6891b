"""Who calls: a program by its token, or whoever the console knows."""

from __future__ import annotations

from dataclasses import replace

from starlette.requests import Request

from durably.client import AsyncDBOSClient
from durably.console.access import Access, Open, ReadOnly, User

__all__ = ["caller", "is_secured"]

SCHEME = "bearer"
OURS = "durably_"  # how the secrets of our tokens begin; others are for an access of the application's


async def caller(request: Request, access: Access, client: AsyncDBOSClient) -> User | None:
    """The user, or None for nobody: a token that is not valid is nobody's, whoever else may call."""
    secret = _secret(request)
    if secret is None:
        return await access.user(request)
    token = await client.token_of_secret(secret)
    if token is None:
        return None
    user = User(name=token.name, role=token.role, sees_payloads=token.sees_payloads)
    return replace(user, role="viewer") if isinstance(access, ReadOnly) else user


def is_secured(access: Access) -> bool:
    """Whether somebody may be refused."""
    inner = access.access if isinstance(access, ReadOnly) else access
    return not isinstance(inner, Open)


def _secret(request: Request) -> str | None:
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == SCHEME and secret.strip().startswith(OURS) else None
