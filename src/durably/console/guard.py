"""What every request passes first: safe headers, and proof that what changes something came from our pages.

Such a request must come from our own origin (`Origin`, or `Sec-Fetch-Site`), and repeat the token of its
cookie in the field `csrf_token` or the header X-CSRF-Token.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["CSRF_COOKIE", "CSRF_FIELD", "Guard", "csrf_token", "forged", "forged_call", "protect"]

CSRF_COOKIE = "durably_csrf"
CSRF_FIELD = "csrf_token"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
LARGEST_BODY = 16 * 1024 * 1024  # bytes

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class Guard:
    """Adds the headers to every answer; refuses bodies that are too large, and names that are not ours."""

    def __init__(self, app: ASGIApp, *, hosts: Sequence[str] | None = None) -> None:
        self._app = app
        self._hosts = None if hosts is None else frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, if it is an HTTP request of a bearable size."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                protect(MutableHeaders(scope=message))
            await send(message)

        await (self._refusal(scope, dict(scope["headers"])) or self._app)(scope, receive, guarded)

    def _refusal(self, scope: Scope, headers: dict[bytes, bytes]) -> Response | None:
        declared = headers.get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > LARGEST_BODY and not _is_call(scope):
            return PlainTextResponse(f"a request of at most {LARGEST_BODY:,} bytes, please\n", 413)
        host = _hostname(headers.get(b"host", b"").decode("latin-1"))
        if self._hosts is not None and host not in self._hosts:
            return PlainTextResponse(f"this console is at {' or '.join(sorted(self._hosts))} only\n", 421)
        return None


def _hostname(host: str) -> str:
    """The name in a Host header, without its port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _is_call(scope: Scope) -> bool:
    """Whether it is for the API, which says itself what is too large."""
    base = str(scope.get("root_path", "")).rstrip("/")
    return str(scope["path"]).removeprefix(base).startswith("/api/")


def protect(headers: MutableHeaders) -> None:
    """Add what every answer has and does not say itself."""
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    headers.setdefault("Cache-Control", "no-store")


def csrf_token(request: Request) -> str:
    """The token of this browser; a new one, if it has none yet."""
    token: str = request.scope.setdefault(
        "durably.csrf", request.cookies.get(CSRF_COOKIE) or secrets.token_urlsafe(24)
    )
    return token


def keep_token(request: Request, response: Response) -> None:
    """Give the browser its token, if it has none."""
    if CSRF_COOKIE not in request.cookies:
        secure = request.url.scheme == "https"
        response.set_cookie(CSRF_COOKIE, csrf_token(request), samesite="strict", httponly=True, secure=secure)


async def forged(request: Request) -> str | None:
    """Why a request that changes something is not one of ours, or None."""
    if request.method in SAFE_METHODS:
        return None
    if (foreign := _foreign_origin(request)) is not None:
        return f"it came from {foreign}, not from this console"
    sent = request.headers.get("x-csrf-token") or str((await request.form()).get(CSRF_FIELD, ""))
    expected = request.cookies.get(CSRF_COOKIE, "")
    if not expected or not secrets.compare_digest(sent.encode(), expected.encode()):
        return "its token is missing or old; load the page again, and repeat"
    return None


def forged_call(request: Request) -> str | None:
    """Why a call of the API may be one that a page of somebody else's made, or None.

    A browser that knows us sends cookies, and then our token in a header; a program sends none of them. No
    browser adds a bearer token by itself, as it does with a password.
    """
    is_bearer = request.headers.get("authorization", "").lower().startswith("bearer ")
    if request.method in SAFE_METHODS or is_bearer:
        return None
    if (foreign := _foreign_origin(request)) is not None:
        return f"it came from {foreign}, not from this console"
    if not request.cookies:
        return None
    sent, expected = request.headers.get("x-csrf-token", ""), request.cookies.get(CSRF_COOKIE, "")
    if not expected or not secrets.compare_digest(sent.encode(), expected.encode()):
        return "with cookies the header X-CSRF-Token is needed, and the token there is missing or old"
    return None


def _foreign_origin(request: Request) -> str | None:
    origin = request.headers.get("origin")
    if origin is not None:
        return None if urlsplit(origin).netloc == request.headers.get("host") else origin
    site = request.headers.get("sec-fetch-site")
    return None if site in (None, "same-origin", "none") else f"another site ({site})"
