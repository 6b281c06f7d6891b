"""The API as an ASGI application: finds the route, asks who it is, reads strictly, answers JSON."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from durably.client import AsyncDBOSClient
from durably.console.access import CONSOLE, Access, Open, User, may
from durably.console.api import problems, reading, schema
from durably.console.api.caller import caller, is_secured
from durably.console.api.problems import Refused
from durably.console.api.route import Act, Call, Route
from durably.console.api.table import ROUTES
from durably.console.api.wire import LONGEST_WAIT, Given, encoded
from durably.console.guard import forged_call, protect

__all__ = ["Api"]

MOST_AT_ONCE = 1000  # requests, most of which wait: each costs memory, none a connection
DOCUMENT = "/openapi.json"
UNKNOWN = "this API does not know you: send the header Authorization: Bearer <token>"

Methods = dict[str, Route]


class NoQuery(Given, frozen=True, kw_only=True):
    """No parameters."""


PATIENCE = 5.0  # seconds that a request waits for a database that is away, before it is told


class Api:
    """The HTTP API of one system database, an ASGI application: part of the console, or mounted alone.

    Database arguments are those of `AsyncDBOSClient.create`. `access` tells who may do what; by default
    everybody may do everything, which is right only where nobody else can connect. At most `most_at_once`
    requests are answered at a time, most of which wait, none longer than `longest_wait` seconds.

        app.mount("/durably", Api("postgresql://localhost/shop", access=Staff()))
    """

    def __init__(
        self,
        database_url: str | None = None,
        *,
        access: Access | None = None,
        client: Callable[[], Awaitable[AsyncDBOSClient]] | None = None,
        most_at_once: int = MOST_AT_ONCE,
        longest_wait: float = LONGEST_WAIT,
        **database: Any,
    ) -> None:
        self._access: Access = access or Open()
        self._is_secured = is_secured(self._access)
        self._database = {"database_url": database_url, "retry_for": PATIENCE, **database}
        self._shared = client  # somebody else's, who closes it
        self._own: AsyncDBOSClient | None = None
        self._connecting = asyncio.Lock()
        self._longest_wait, self._turns = longest_wait, asyncio.Semaphore(1)
        self._most_at_once, self._answering = most_at_once, 0
        self._paths: dict[str, Methods] = {}
        for route in ROUTES:
            self._paths.setdefault(route.path, {})[route.method] = route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            scope.setdefault(CONSOLE, self)
            self._answering += 1
            try:
                response = await self._answer(Request(scope, receive))
                await response(scope, receive, functools.partial(_protected, send))
            finally:
                self._answering -= 1

    async def aclose(self) -> None:
        """Close the connections that are its own."""
        own, self._own = self._own, None
        if own is not None:
            await own.destroy()

    async def _answer(self, request: Request) -> Response:
        try:
            return await self._respond(request)
        except Exception as error:
            return _refusal(error)

    async def _respond(self, request: Request) -> Response:
        if self._answering > self._most_at_once:
            raise Refused("too-many", f"{self._most_at_once:,} requests are being answered: come again")
        path = request.url.path.removeprefix(base_of(request))
        if path == DOCUMENT and request.method in ("GET", "HEAD"):
            return _json(schema.document(base=base_of(request), secured=self._is_secured))
        route = self._route(path, request.method)
        client = await self.client()
        user = await self._user(request, route, client)
        given: dict[str, Any] = {"query": reading.query_of(request, route.query or NoQuery)}
        if route.body is not None:
            given["body"] = await _body(request, route)
        call = Call(request, user, client, Act(user, client), self._longest_wait, self._turns)
        value = await route.handler(call, **{name: given[name] for name in given if name in route.takes})
        if isinstance(value, Response):
            return value
        return _json(value, status=call.status or route.status, headers=call.headers)

    def _route(self, path: str, method: str) -> Route:
        methods = self._paths.get(path)
        if methods is None:
            hint = f"{DOCUMENT} has every path"
            raise Refused("no-such-path", f"there is no path {path!r} in this API", hint=hint)
        route = methods.get("GET" if method == "HEAD" else method)
        if route is None:
            allowed = [*methods, *(["HEAD"] if "GET" in methods else [])]
            detail = f"{path} takes {', '.join(allowed)}, not {method}"
            raise HTTPException(405, detail, headers={"Allow": ", ".join(allowed)})
        return route

    async def _user(self, request: Request, route: Route, client: AsyncDBOSClient) -> User:
        if (why := forged_call(request)) is not None:
            raise HTTPException(403, f"nothing was done: {why}")
        user = await caller(request, self._access, client)
        if user is None:
            raise HTTPException(401, UNKNOWN, headers={"WWW-Authenticate": "Bearer"})
        if not may(user, route.role):
            raise HTTPException(403, f"{user.name} is a {user.role}; this needs the role {route.role}")
        return user

    async def client(self) -> AsyncDBOSClient:
        """The client, connected at the first request. Raises what `AsyncDBOSClient.create` raises."""
        if self._shared is not None:
            return await self._shared()
        async with self._connecting:
            if self._own is None:
                self._own = await AsyncDBOSClient.create(**self._database)
            return self._own

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await self.aclose()
        await send({"type": "lifespan.shutdown.complete"})


async def _body(request: Request, route: Route) -> Any:
    if not route.is_listed:
        return reading.body_of(await reading.text_of(request, reading.JSON), route.body)
    text = await reading.text_of(request, reading.JSON, reading.NDJSON)
    if reading.media_type(request) == reading.NDJSON:
        return reading.lines_of(text, route.body)
    return reading.body_of(text, route.body)


def _json(value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(encoded(value), status, headers, media_type="application/json")


def _refusal(error: Exception) -> Response:
    found = problems.problem(error)
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    if (seconds := problems.RETRY_AFTER.get(found.status)) is not None:
        headers["Retry-After"] = seconds
    return Response(encoded(found), found.status, headers, media_type="application/problem+json")


def base_of(request: Request) -> str:
    """The path that the API is mounted at."""
    return str(request.scope.get("root_path", "")).rstrip("/")


async def _protected(send: Send, message: Message) -> None:
    """Send, with the headers that every answer of the console has."""
    if message["type"] == "http.response.start":
        protect(MutableHeaders(scope=message))
    await send(message)
