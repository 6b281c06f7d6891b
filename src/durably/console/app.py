"""The console as an ASGI application: pages, guard, access, live connections."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from durably.client import AsyncDBOSClient
from durably.console import live, metrics
from durably.console.access import CONSOLE, Access, Open, User, may
from durably.console.api import Api
from durably.console.failures import failure
from durably.console.guard import Guard, forged
from durably.console.jobs import Jobs
from durably.console.memory import Memory
from durably.console.pages import PAGES
from durably.console.render import Templates
from durably.console.visit import Page, Visit

__all__ = ["Console"]

STATIC = Path(__file__).parent / "static"

PATIENCE = 5.0  # seconds that a person waits for a database that is away, before the page says so


class Console:
    """The web console of one system database, an ASGI application: served alone, or mounted in another.

    Database arguments are those of `AsyncDBOSClient.create`. `access` tells who may do what; by default
    everybody may do everything, which is right only where nobody else can connect. `hosts` are the only
    names that it answers to (any, if left out): where nobody logs in, a page of somebody else's, whose name
    leads to this machine, must not be let in.

        app.mount("/durably", Console("postgresql://localhost/shop", access=Accounts()))
    """

    def __init__(
        self,
        database_url: str | None = None,
        *,
        access: Access | None = None,
        hosts: Sequence[str] | None = None,
        **database: Any,
    ) -> None:
        self._access: Access = access or Open()
        self._templates = Templates()
        self._jobs = Jobs()
        self._memory = Memory()
        self._database = {"database_url": database_url, "retry_for": PATIENCE, **database}
        self._client: AsyncDBOSClient | None = None
        self._connecting = asyncio.Lock()
        self._app = Starlette(
            routes=self._routes(),
            middleware=[Middleware(Guard, hosts=hosts)],
            exception_handlers={HTTPException: self._refused},
            lifespan=self._lifespan,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        scope[CONSOLE] = self
        await self._app(scope, receive, send)

    async def client(self) -> AsyncDBOSClient:
        """The client, connected at the first request. Raises what `AsyncDBOSClient.create` raises."""
        async with self._connecting:
            if self._client is None:
                self._client = await AsyncDBOSClient.create(**self._database)
            return self._client

    async def aclose(self) -> None:
        """End what is under way, and close the connections."""
        await self._jobs.aclose()
        await self._memory.aclose()
        if self._client is not None:
            await self._client.destroy()
            self._client = None

    @asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await self.aclose()

    def _routes(self) -> list[Route | Mount]:
        shown = [Route(p.path, self._endpoint(p), methods=list(p.methods)) for p in PAGES]
        return [
            *shown,
            *metrics.console_routes(self._access, self.client),
            Route("/live", self._live),
            Mount("/api/v1", Api(access=self._access, client=self.client)),
            Mount("/static", StaticFiles(directory=STATIC)),
        ]

    def _endpoint(self, page: Page) -> Callable[[Request], Awaitable[Response]]:
        return functools.partial(self._answer, page)  # a coroutine function, as Starlette can tell

    async def _answer(self, page: Page | None, request: Request, *, fragment: bool = False) -> Response:
        """The page for whom may see it, or the page that says why not."""
        user = User(name="nobody")
        try:
            if (why := await forged(request)) is not None:
                raise HTTPException(403, f"nothing was done: {why}")
            known = await self._access.user(request)
            if known is None and not (page is not None and page.public):
                return self._to_login(request)
            user = known or user
            if page is None:
                raise HTTPException(404, f"there is no page {request.url.path}")
            if not may(user, page.role):
                raise HTTPException(403, f"{user.name} is a {user.role}; this needs the role {page.role}")
            return await page.endpoint(self._visit(request, user, await self.client(), fragment))
        except Exception as error:
            failed = failure(error)
            visit = self._visit(request, user, None, fragment)
            return visit.render("error.html", status=failed.status, failure=failed)

    def _visit(self, request: Request, user: User, client: AsyncDBOSClient | None, fragment: bool) -> Visit:
        return Visit(
            request,
            user=user,
            access=self._access,
            jobs=self._jobs,
            memory=self._memory,
            client=client,
            templates=self._templates,
            fragment=fragment,
        )

    def _to_login(self, request: Request) -> Response:
        if self._access.login_path is None:
            raise HTTPException(401, "this console does not know you")
        base = str(request.scope.get("root_path", "")).rstrip("/")
        asked = request.url.path.removeprefix(base) + (f"?{request.url.query}" if request.url.query else "")
        come_back = quote(asked if request.method == "GET" else "/", safe="")
        return RedirectResponse(f"{base}{self._access.login_path}?next={come_back}", status_code=303)

    async def _live(self, request: Request) -> Response:
        """What a page's live block shows, as it changes."""
        of = urlsplit(request.query_params.get("of", "/"))
        page = next((page for page in PAGES if page.path == of.path and "GET" in page.methods), None)
        path = str(request.scope.get("root_path", "")) + of.path
        shown = Request({**request.scope, "path": path, "query_string": of.query.encode()})
        return live.stream(request, lambda: self._answer(page, shown, fragment=True))

    async def _refused(self, request: Request, error: Exception) -> Response:
        """No such page, or not with this method."""
        return await self._answer(None, request)
