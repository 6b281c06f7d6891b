"""A route: method, path, what it takes and gives, and who may. One request to it is a `Call`.

Ids and names are whatever somebody made of them, slashes included, so they are parameters of the query,
never a part of the path. A path in the singular is about one (`/workflow?id=`), in the plural about many.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, TypeVar, get_type_hints

from starlette.requests import Request

from durably.client import AsyncDBOSClient
from durably.console.access import Role, User
from durably.console.audit import audited

__all__ = ["Act", "Call", "Example", "Method", "Route", "delete", "get", "post", "put"]

T = TypeVar("T")

Method: TypeAlias = Literal["GET", "POST", "PUT", "DELETE"]
Handler: TypeAlias = Callable[..., Awaitable[Any]]


@dataclass
class Call:
    """A request by a user whose role suffices; `status` and `headers` are what the answer has of its own."""

    request: Request
    user: User
    client: AsyncDBOSClient
    act: Act
    longest_wait: float
    turns: asyncio.Semaphore  # of those who look again and again: many must not starve the others
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def hidden(self, value: Any) -> Any:
        """A payload, or nothing for a user who is not shown payloads."""
        return value if self.user.sees_payloads else None

    def within(self, seconds: float) -> float:
        """How long to wait where somebody asks for so many seconds: a server may have a bound of its own."""
        return min(seconds, self.longest_wait)

    @property
    def hides(self) -> bool:
        """Whether payloads are hidden from this user."""
        return not self.user.sees_payloads


class Act:
    """Does what changes something: the audit has who began what on which target, and how it ended."""

    def __init__(self, user: User, client: AsyncDBOSClient) -> None:
        self._user, self._client = user, client

    async def __call__(
        self,
        verb: str,
        kind: str,
        target: str | Sequence[str],
        doing: Coroutine[Any, Any, T],
        *,
        detail: Mapping[str, Any] | None = None,
        did: Callable[[T], str] | None = None,
    ) -> T:
        """What it comes to.

        `detail` is what else was asked for, never a payload; `did` says what came of it.
        """
        try:
            return await audited(
                self._client,
                self._user.name,
                verb,
                kind,
                target,
                lambda: doing,
                detail=detail,
                did=did,
                source="api",
            )
        finally:
            doing.close()  # where the audit could not be told, it was never begun


@dataclass(frozen=True)
class Example:
    """A request that works as it stands, for the document."""

    query: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Route:
    """A path and method, and what answers it."""

    method: Method
    path: str
    handler: Handler
    role: Role
    noun: str
    verbs: tuple[str, ...]  # of the client
    takes: frozenset[str]  # of query and body
    query: type[Any] | None
    body: Any
    answer: Any
    status: int
    also: Mapping[int, str]  # further statuses of success, and what they mean
    problems: tuple[int, ...]
    headers: Mapping[str, tuple[Any, str]]
    is_stream: bool
    is_listed: bool  # a body may have one document on each line
    example: Example

    @property
    def name(self) -> str:
        """The operation's name in the document."""
        return self.handler.__name__

    @property
    def told(self) -> str:
        """What it does, in words."""
        return inspect.getdoc(self.handler) or ""


def _route(method: Method, path: str, **chosen: Any) -> Callable[[Handler], Route]:
    def made(handler: Handler) -> Route:
        hints = get_type_hints(handler, include_extras=True)
        noun = handler.__module__.rpartition(".")[2]
        usual: dict[str, Any] = {
            "role": "viewer" if method == "GET" else "operator",
            "verbs": (),
            "status": 200,
            "also": {},
            "problems": (),
            "headers": {},
            "is_stream": False,
            "is_listed": False,
            "example": Example(),
            "noun": noun,
        }
        return Route(
            method=method,
            path=path,
            handler=handler,
            takes=frozenset(hints) & {"query", "body"},
            query=hints.get("query"),
            body=hints.get("body"),
            answer=hints.get("return"),
            **usual | chosen,
        )

    return made


def get(path: str, **chosen: Any) -> Callable[[Handler], Route]:
    """What shows something.

    @get("/queue", verbs=("get_queue",))
    async def get_queue(call: Call, query: OneQueue) -> Queue: ...
    """
    return _route("GET", path, **chosen)


def post(path: str, **chosen: Any) -> Callable[[Handler], Route]:
    """What makes or does something."""
    return _route("POST", path, **chosen)


def put(path: str, **chosen: Any) -> Callable[[Handler], Route]:
    """What says how something is to be from now on."""
    return _route("PUT", path, **chosen)


def delete(path: str, **chosen: Any) -> Callable[[Handler], Route]:
    """What takes something away."""
    return _route("DELETE", path, **chosen)
