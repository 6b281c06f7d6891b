"""Our statements on a connection of psycopg's, exchanged with libpq directly.

Through a cursor, a lone checkpoint costs more time in the driver than in the server: a cursor is made, the
statement is searched for parameters, a lock is taken, the socket is registered and forgotten again. Ours are
few and known: each is prepared once per connection, its parameters are text whose types the server infers,
and the socket stays registered. Everything else that psycopg can do, it does on the same connection as ever.

Behind a pooler in transaction mode each transaction is on another connection of the server's, which may not
have our statement: then statements are sent whole. A name is made of its statement's text, so that what
another client has prepared there under the same name is the same statement.
"""

from __future__ import annotations

import asyncio
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import psycopg
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import DiagnosticField, ExecStatus, Format, TransactionStatus

from durably.store.sql import Numbered

if TYPE_CHECKING:
    from psycopg.abc import PQGen
    from psycopg.pq.abc import PGresult
    from psycopg.rows import AsyncRowFactory

__all__ = ["Connection", "Request", "Rows"]

Rows = list[Any]
LARGE = 1_000_000  # bytes of one request's parameters
MANY = 16  # reads of one answer: some megabytes
ELSEWHERE = b"26000"  # no such prepared statement
EXISTS = b"42P05"  # it is prepared already
T = TypeVar("T")


class Request(NamedTuple):
    """A statement and its parameters by name; sent whole it is planned for these, and never prepared."""

    statement: Numbered
    parameters: Mapping[str, Any]
    is_whole: bool = False


class Connection(psycopg.AsyncConnection[Any]):
    """A connection of psycopg's that also takes requests."""

    def __init__(self, pgconn: Any, row_factory: AsyncRowFactory[Any] | None = None) -> None:
        if row_factory is None:
            super().__init__(pgconn)
        else:
            super().__init__(pgconn, row_factory)
        self._exchange = Exchange(self)
        self.is_abandoned: bool = False  # a request was cancelled, and its answer may still come
        self.is_swollen: bool = False  # libpq never gives back the largest buffer that it needed

    async def wait(self, gen: PQGen[T], *arguments: Any, **options: Any) -> T:
        """Drive psycopg's own traffic, which registers the socket itself."""
        self._exchange.leave()
        return await super().wait(gen, *arguments, **options)

    async def request(self, requests: Sequence[Request], *, seconds: float) -> list[Rows]:
        """Execute statements, several as one implicit transaction in one round trip; the rows of each.

        Raises psycopg's errors. A connection on which nothing moves for `seconds` is given up.
        """
        return await self._exchange.run(requests, seconds)

    def discard(self) -> None:
        """Close it at once."""
        self._exchange.leave()
        self.pgconn.finish()


class Exchange:
    """What is under way on one connection: requests sent, results that came, and who waits for them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._pgconn = connection.pgconn
        self._transformer = Transformer(connection)
        self._prepared: dict[Numbered, _Prepared] = {}
        self._whole: dict[Numbered, _Prepared] = {}  # what is never prepared, and is only read
        self._socket: int | None = None  # while it is registered
        self._loop: asyncio.AbstractEventLoop | None = None
        self._answer: asyncio.Future[list[PGresult]] | None = None
        self._results: list[PGresult] = []
        self._reads = 0  # since the last sending
        self._pooled = False  # behind a pooler that keeps no prepared statements: each is sent whole
        self._moved = 0.0  # when bytes last came or went, by the loop's clock
        self._syncs = False  # the answer ends with a synchronisation point, not with its first result

    async def run(self, requests: Sequence[Request], seconds: float) -> list[Rows]:
        loop = self._watch()
        self._moved = loop.time()
        self._timer = loop.call_later(seconds, self._expire, seconds)
        try:
            statements, results = await self._exchanged(requests)
            if self._met_a_pooler(results):
                statements, results = await self._exchanged(requests)
        except asyncio.CancelledError:
            self._connection.is_abandoned = True
            raise
        finally:
            self._timer.cancel()
        self._raise_error(results)
        return [self._rows(statement, result) for statement, result in zip(statements, results, strict=True)]

    def leave(self) -> None:
        """Forget the socket: another watches it, or it will be closed."""
        if self._socket is not None and self._loop is not None:
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
            self._socket = None

    # --- sending ------------------------------------------------------------------------------------------

    async def _exchanged(self, requests: Sequence[Request]) -> tuple[list[_Prepared], list[PGresult]]:
        statements = [
            self._whole.setdefault(request.statement, _Prepared(b""))
            if request.is_whole
            else self._prepared.get(request.statement) or await self._prepare(request.statement)
            for request in requests
        ]
        if len(requests) > 1:
            return statements, await self._run_together(statements, requests)
        self._send(statements[0], requests[0])
        return statements, await self._answered()

    async def _prepare(self, statement: Numbered) -> _Prepared:
        prepared = _Prepared(_name(statement.text))
        if not self._pooled:
            self._pgconn.send_prepare(prepared.name, statement.text)
            results = await self._answered()
            if not any(result.error_field(DiagnosticField.SQLSTATE) == EXISTS for result in results):
                self._raise_error(results)
        self._prepared[statement] = prepared
        return prepared

    def _met_a_pooler(self, results: Sequence[PGresult]) -> bool:
        """Whether another connection of the server's answered, so that nothing was done: see the module."""
        if any(result.error_field(DiagnosticField.SQLSTATE) == ELSEWHERE for result in results):
            self._pooled = True
            return self._pgconn.transaction_status == TransactionStatus.IDLE
        return False

    async def _run_together(
        self, statements: Sequence[_Prepared], requests: Sequence[Request]
    ) -> list[PGresult]:
        self._pgconn.enter_pipeline_mode()
        for statement, request in zip(statements, requests, strict=True):
            self._send(statement, request)
        self._pgconn.pipeline_sync()
        self._syncs = True
        try:
            results = await self._answered()
        finally:
            self._syncs = False
        self._pgconn.exit_pipeline_mode()
        return results

    def _send(self, statement: _Prepared, request: Request) -> None:
        values = [self._text(request.parameters[name]) for name in request.statement.order]
        if sum(map(len, filter(None, values))) > LARGE:
            self._connection.is_swollen = True
        if self._pooled or request.is_whole:
            self._pgconn.send_query_params(request.statement.text, values, result_format=Format.TEXT)
        else:
            self._pgconn.send_query_prepared(statement.name, values, result_format=Format.TEXT)

    def _text(self, value: Any) -> Any:
        """The value in PostgreSQL's text format; the common types without asking psycopg's registry."""
        match value:
            case None:
                return None
            case bool():
                return b"t" if value else b"f"
            case str() if "\0" not in value:
                return value.encode()
            case int():
                return b"%d" % value
            case _:
                return self._transformer.get_dumper(value, PyFormat.TEXT).dump(value)

    # --- receiving ----------------------------------------------------------------------------------------

    async def _answered(self) -> list[PGresult]:
        """The results of what was sent, once the last has come."""
        assert self._loop is not None
        self._results, self._reads = [], 0
        self._answer = self._loop.create_future()
        self._push()
        try:
            return await self._answer
        finally:
            self._answer = None
            self._connection.is_swollen |= self._reads > MANY

    def _watch(self) -> asyncio.AbstractEventLoop:
        if self._socket is None:
            self._loop = asyncio.get_running_loop()
            if self._connection.closed:
                raise psycopg.OperationalError("the connection is closed")
            self._socket = self._pgconn.socket
            self._loop.add_reader(self._socket, self._readable)
        assert self._loop is not None
        return self._loop

    def _push(self) -> None:
        """Send what the socket takes, and the rest when it takes more."""
        assert self._loop is not None
        try:
            unsent = self._pgconn.flush()
        except psycopg.Error as error:
            self._fail(error)
            return
        if self._socket is not None and unsent:
            self._loop.add_writer(self._socket, self._push_on)

    def _push_on(self) -> None:
        assert self._loop is not None
        self._moved = self._loop.time()
        if self._socket is not None:
            self._loop.remove_writer(self._socket)
        self._push()

    def _readable(self) -> None:
        assert self._loop is not None
        self._moved = self._loop.time()
        self._reads += 1
        try:
            self._pgconn.consume_input()
            while self._answer is not None and not self._pgconn.is_busy():
                if self._is_last(self._pgconn.get_result()):
                    self._resolve()
                    return
        except psycopg.Error as error:
            self._fail(error)

    def _is_last(self, result: PGresult | None) -> bool:
        if result is None:
            return not self._syncs
        if result.status == ExecStatus.PIPELINE_SYNC:
            return True
        self._results.append(result)
        return False

    def _resolve(self) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(self._results)

    def _fail(self, error: Exception) -> None:
        self._connection.discard()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)

    def _expire(self, seconds: float) -> None:
        """Give up, unless bytes moved meanwhile: a large value takes its time on a slow network."""
        assert self._loop is not None
        left = self._moved + seconds - self._loop.time()
        if left > 0:
            self._timer = self._loop.call_later(left, self._expire, seconds)
            return
        self._fail(psycopg.OperationalError(f"no answer within {seconds:g} s; the connection is given up"))

    # --- results ------------------------------------------------------------------------------------------

    def _raise_error(self, results: Sequence[PGresult]) -> None:
        for result in results:
            if result.status == ExecStatus.FATAL_ERROR:
                raise psycopg.errors.error_from_result(result, self._connection.info.encoding)

    def _rows(self, statement: _Prepared, result: PGresult) -> Rows:
        if result.status != ExecStatus.TUPLES_OK:
            return []
        make = statement.make_row or statement.learn(result)
        self._transformer.set_pgresult(result)
        return self._transformer.load_rows(0, result.ntuples, make)


@cache
def _name(text: bytes) -> bytes:
    return b"durably_" + blake2b(text, digest_size=12).hexdigest().encode()


class _Prepared:
    """A statement that this connection has prepared, or sends whole, and how its rows are made."""

    __slots__ = ("make_row", "name")

    def __init__(self, name: bytes) -> None:
        self.name = name
        self.make_row: Callable[[Sequence[Any]], Any] | None = None

    def learn(self, result: PGresult) -> Callable[[Sequence[Any]], Any]:
        """How its rows are made, from the columns of its first result."""
        columns = [(result.fname(i) or b"").decode() for i in range(result.nfields)]
        self.make_row = namedtuple("Row", columns, rename=True)._make  # type: ignore[attr-defined]
        return self.make_row
