"""One request to a page, and what a page needs to answer it.

Ids and names are whatever somebody made of them, slashes and markup included, so they are parameters of the
query (`/run?id=...`), never a part of the path.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from durably.client import AsyncDBOSClient
from durably.console.access import Access, Role, User, may
from durably.console.audit import audited
from durably.console.jobs import Jobs
from durably.console.memory import Memory
from durably.console.render import Templates

__all__ = ["FLASH", "Endpoint", "Page", "Visit", "action", "page"]

T = TypeVar("T")

FLASH = "durably_said"  # the cookie that carries what an action said to the page after it


class Visit:
    """A request by a known user whose role suffices, with the console's client and templates."""

    def __init__(
        self,
        request: Request,
        *,
        user: User,
        access: Access,
        jobs: Jobs,
        memory: Memory,
        client: AsyncDBOSClient | None,
        templates: Templates,
        fragment: bool,
    ) -> None:
        self.request = request
        self.user = user
        self.access = access
        self.jobs = jobs
        self.memory = memory
        self._client = client
        self._templates = templates
        self._fragment = fragment  # only the live part of the page is wanted

    @property
    def client(self) -> AsyncDBOSClient:
        """The console's client; an error page has none."""
        assert self._client is not None
        return self._client

    @property
    def base(self) -> str:
        """The path that the console is mounted at: '' or '/durably'."""
        return str(self.request.scope.get("root_path", "")).rstrip("/")

    @property
    def query(self) -> Mapping[str, str]:
        """The parameters of the URL; of one that is given twice, the last."""
        return self.request.query_params

    def asked(self, name: str) -> str:
        """A parameter that the page cannot do without; 400 where it is missing."""
        if not (value := self.query.get(name)):
            raise HTTPException(400, f"the address lacks ?{name}=")
        return value

    async def form(self) -> FormData:
        """What was posted."""
        return await self.request.form()

    def may(self, role: Role) -> bool:
        """Whether the user may do what needs this role."""
        return may(self.user, role)

    def render(self, template: str, *, status: int = 200, **context: Any) -> Response:
        """The page; or only its block `live`, where the browser has the rest."""
        return self._templates.response(self, template, context, status=status, only_live=self._fragment)

    async def act(
        self,
        verb: str,
        kind: str,
        target: str | Sequence[str],
        call: Callable[[], Awaitable[T]],
        *,
        detail: Mapping[str, Any] | None = None,
        did: Callable[[T], str] | None = None,
    ) -> T:
        """What `call` returns; the audit has who began what on which target, and how it ended.

        Every action does what it does through this. `kind` is workflow, queue, schedule, ...; `target` the id
        or name, or several; `detail` what else was asked for (never a secret or a payload), `did` what came
        of it in words.

            pause = lambda: visit.client.pause_queue(name, reason=why)
            await visit.act("pause", "queue", name, pause, detail={"reason": why})
        """
        return await audited(
            self.client, self.user.name, verb, kind, target, call, detail=detail, did=did, source="console"
        )

    def go(self, path: str, *, say: str | None = None) -> Response:
        """Send the browser to a path of the console (303), where it is told `say`."""
        response = RedirectResponse(self.base + path, status_code=303)
        if say is not None:
            response.set_cookie(
                FLASH, quote(say[:1000]), httponly=True, samesite="strict", path=self.base or "/", max_age=60
            )
        return response


Endpoint = Callable[[Visit], Awaitable[Response]]


@dataclass(frozen=True)
class Page:
    """A path, what answers it, and the role that it needs."""

    path: str
    endpoint: Endpoint
    methods: tuple[str, ...]
    role: Role
    public: bool = False  # for whoever is not logged in, too


def page(path: str, *, role: Role = "viewer", public: bool = False) -> Callable[[Endpoint], Page]:
    """What shows something: answers GET.

    @page("/queue")
    async def queue(visit: Visit) -> Response: ...
    """
    return lambda endpoint: Page(path, endpoint, ("GET",), role, public)


def action(path: str, *, role: Role = "operator", public: bool = False) -> Callable[[Endpoint], Page]:
    """What changes something: answers POST, once the guard has seen the token.

    @action("/queue/pause")
    async def pause(visit: Visit) -> Response: ...
    """
    return lambda endpoint: Page(path, endpoint, ("POST",), role, public)
