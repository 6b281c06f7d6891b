"""A proxy that knows PostgreSQL's protocol, and acts where a test says: at a statement, before or after it.

It stands between a process and its server. What a client sends up to its synchronisation point is one
*exchange*; the proxy knows the statements in it by the names of their files (`workflows/claim`) or by their
first word (`COMMIT`), and may cut the connection or fall silent, before the server sees the exchange, or
after it has answered and before the client hears of it: the lost answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
import threading
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, TypeVar
from urllib.parse import parse_qs, urlsplit

from durably.store.sql import Schemas, names, numbered

__all__ = ["Act", "Exchange", "Proxy", "Rule"]

T = TypeVar("T")
Act: TypeAlias = Literal["pass", "cut before", "cut after", "silence before", "silence after"]

SSL_REQUEST, GSS_REQUEST, CANCEL_REQUEST = 80877103, 80877104, 80877102
KNOWN = {numbered(name, Schemas()).text: name for name in names()}


@dataclass(frozen=True)
class Exchange:
    """The statements that a client sent together: on which connection, and as the how many-th."""

    connection: int
    number: int
    statements: tuple[str, ...]


Rule: TypeAlias = Callable[[Exchange], Act]


def pass_all(exchange: Exchange) -> Act:
    """No fault."""
    return "pass"


class Proxy:
    """Listens on a port of the loopback, in a thread of its own, in front of one server.

    with Proxy(url) as proxy:
        proxy.rule = lambda exchange: "cut after" if "workflows/claim" in exchange.statements else "pass"
        connect(proxy.url)
    """

    def __init__(self, url: str) -> None:
        self._upstream = url
        self.rule: Rule = pass_all
        self.seen: list[Exchange] = []
        self._lock = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._links: set[_Link] = set()
        self._accepts = True
        self._connections = 0
        self.port = 0

    @property
    def url(self) -> str:
        """The address of the same database behind the proxy."""
        database = urlsplit(self._upstream).path.lstrip("/")
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}?sslmode=disable&gssencmode=disable"

    def __enter__(self) -> Proxy:
        self._thread.start()
        self._server = self._call(self._listen())
        return self

    def __exit__(self, *_: object) -> None:
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def cut_all(self) -> int:
        """Reset every connection that is open; how many there were."""
        return self._call(self._cut_all())

    def silence_all(self) -> int:
        """Let nothing more through on the connections that are open, without a word; how many there were."""
        return self._call(self._silence_all())

    @contextlib.contextmanager
    def silent(self) -> Iterator[None]:
        """Nothing gets through meanwhile, and nobody is told; new connections are not answered."""
        rule, self.rule = self.rule, lambda exchange: "silence before"
        self._set_accepts(False)
        try:
            yield
        finally:
            self.rule = rule
            self._set_accepts(True)

    def heard(self, statement: str) -> int:
        """How many exchanges with that statement came by."""
        with self._lock:
            return sum(statement in exchange.statements for exchange in self.seen)

    # --- on the loop of the proxy -------------------------------------------------------------------------

    def judge(self, connection: int, statements: tuple[str, ...]) -> Act:
        """What to do with an exchange."""
        with self._lock:
            exchange = Exchange(connection, len(self.seen), statements)
            self.seen.append(exchange)
            return self.rule(exchange)

    async def upstream(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection to the server itself."""
        parts = urlsplit(self._upstream)
        query = parse_qs(parts.query)
        port = int(query.get("port", [str(parts.port or 5432)])[0])
        host = query.get("host", [parts.hostname or "127.0.0.1"])[0]
        if host.startswith("/"):
            return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        return await asyncio.open_connection(host, port)

    def _set_accepts(self, accepts: bool) -> None:
        self._accepts = accepts

    async def _listen(self) -> asyncio.Server:
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        link = _Link(self, self._connections, reader, writer)
        self._links.add(link)
        try:
            if not self._accepts:
                await reader.read()  # until the client gives up
                return
            await link.run()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            link.cut()
            self._links.discard(link)

    async def _cut_all(self) -> int:
        links = list(self._links)
        for link in links:
            link.cut()
        return len(links)

    async def _silence_all(self) -> int:
        for link in self._links:
            link.silent = True
        return len(self._links)

    async def _close(self) -> None:
        self._server.close()
        await self._cut_all()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(20)


@dataclass(eq=False)
class _Link:
    """One connection of a client's, and the one to the server that stands for it."""

    proxy: Proxy
    number: int
    client: asyncio.StreamReader
    to_client: asyncio.StreamWriter
    to_server: asyncio.StreamWriter | None = None
    prepared: dict[bytes, str] = field(default_factory=dict)
    statements: list[str] = field(default_factory=list)
    held: bytearray | None = None  # what the server answers, while the client is not to hear it
    ends: int = 0  # answers that are still to come before the held one is complete
    when_held: Act = "pass"
    silent: bool = False

    async def run(self) -> None:
        startup = await self._startup()
        if startup is None:
            return
        server, self.to_server = await self.proxy.upstream()
        self.to_server.write(startup)
        answers = asyncio.ensure_future(self._answer(server))
        try:
            await self._forward()
        finally:
            answers.cancel()

    def cut(self) -> None:
        """Reset both sides."""
        for writer in (self.to_client, self.to_server):
            if writer is not None:
                writer.transport.abort()

    async def _startup(self) -> bytes | None:
        """The client's first message; a cancel request is passed on by itself."""
        while True:
            head = await self.client.readexactly(8)
            length, code = struct.unpack("!ii", head)
            if code in (SSL_REQUEST, GSS_REQUEST):
                self.to_client.write(b"N")
                continue
            message = head + await self.client.readexactly(length - 8)
            if code != CANCEL_REQUEST:
                return message
            _, writer = await self.proxy.upstream()
            writer.write(message)
            await writer.drain()
            writer.close()
            return None

    async def _forward(self) -> None:
        """From the client to the server, one exchange at a time."""
        buffered = bytearray()
        while True:
            kind, message = await self._message(self.client)
            buffered += message
            self._note(kind, message)
            if kind in b"QS":
                statements, self.statements = tuple(self.statements), []
                act = self.proxy.judge(self.number, statements) if statements else "pass"
                await self._pass_on(bytes(buffered), act)
                buffered.clear()
            elif kind in b"pXFdcfH":  # passwords, the end, COPY, flush: no exchange of their own
                await self._pass_on(bytes(buffered), "pass", answered=False)
                buffered.clear()

    async def _pass_on(self, data: bytes, act: Act, *, answered: bool = True) -> None:
        assert self.to_server is not None
        if act == "cut before":
            self.cut()
            return
        if act == "silence before":
            self.silent = True
        if self.silent:
            return
        self.ends += answered
        if act != "pass":
            self.held, self.when_held = bytearray(), act
        self.to_server.write(data)
        await self.to_server.drain()

    async def _answer(self, server: asyncio.StreamReader) -> None:
        """From the server to the client, unless it is held back."""
        try:
            await self._answer_until_its_end(server)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self.to_client.close()

    async def _answer_until_its_end(self, server: asyncio.StreamReader) -> None:
        started = False
        while True:
            kind, message = await self._message(server)
            if self.silent:
                continue
            if kind == b"Z":
                self.ends -= started
                started = True
            if self.held is not None:
                self.held += message
                if kind == b"Z" and self.ends == 0:
                    self._lose()
                continue
            self.to_client.write(message)
            await self.to_client.drain()

    def _lose(self) -> None:
        """The server has done it, and the client will not hear."""
        self.held = None
        if self.when_held == "silence after":
            self.silent = True
        else:
            self.cut()

    def _note(self, kind: bytes, message: bytes) -> None:
        body = message[5:]
        if kind == b"Q":
            self.statements.append(_name(body[:-1]))
        elif kind == b"P":
            name, text, _ = body.split(b"\0", 2)
            self.prepared[name] = _name(text)
            self.statements.append(f"prepare {self.prepared[name]}")
        elif kind == b"B":
            _, name, _ = body.split(b"\0", 2)
            self.statements.append(self.prepared.get(name, "?"))

    async def _message(self, reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
        head = await reader.readexactly(5)
        length = struct.unpack("!i", head[1:])[0]
        return head[:1], head + await reader.readexactly(length - 4)


def _name(text: bytes) -> str:
    """A statement of ours by its file, another by its first word."""
    return KNOWN.get(text) or (
        text.split(None, 1)[0].decode(errors="replace").upper() if text.strip() else ""
    )
