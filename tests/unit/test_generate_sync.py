"""The generator of the blocking face, on small sources of every shape that it knows."""

from __future__ import annotations

import importlib
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from durably.errors import NotRunning
from tools import generate_sync
from tools.twins import Source, Unsupported, render_twins
from tools.unasync import blocking_prose, blocking_text

CLIENT = '''
"""Async."""
from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Coroutine, Generator, Sequence
from typing import Any, Generic, Self, cast, overload

from typing_extensions import ParamSpec, TypeVar

P = ParamSpec("P", default=...)
R = TypeVar("R", default=Any)
DEFAULT = 50


class Options(Generic[P, R]): ...


class Opening(Awaitable[R]):
    def __await__(self) -> Generator[Any, None, R]:
        yield from asyncio.sleep(0).__await__()
        return cast("R", AsyncClient())


class AsyncHandle(Generic[R]):
    """Await `await handle.get_result()`; the await is over when AsyncHandle's workflow is."""

    def __init__(self, workflow_id: str, secret: int) -> None:
        self.workflow_id = workflow_id
        self._secret = secret

    async def get_result(self, *, timeout: float | None = None) -> R:
        """Wait for the result."""
        return cast("R", 7)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AsyncHandle) and self.workflow_id == other.workflow_id

    def __hash__(self) -> int:
        return hash(self.workflow_id)


class Workflows:
    async def enqueue(self, options: Options[P, R], *args: P.args, **kwargs: P.kwargs) -> AsyncHandle[R]:
        """Enqueue, as in

        this:

            handle = await client.enqueue(options)
            async for part in client.read_stream("id"): ...
        """
        raise NotImplementedError

    @overload
    async def retrieve(self, workflow_id: str) -> AsyncHandle[Any]: ...
    @overload
    async def retrieve(self, workflow_id: str, as_: Options[P, R]) -> AsyncHandle[R]: ...
    async def retrieve(self, workflow_id: str, as_: Options[..., Any] | None = None) -> AsyncHandle[Any]:
        """Retrieve."""
        raise NotImplementedError

    async def many(
        self, limit: int = DEFAULT, /, *, since: dt.datetime | None = None
    ) -> list[AsyncHandle[Any]]:
        return [AsyncHandle(str(number), 0) for number in range(limit)]

    async def maybe(self) -> AsyncHandle[int] | None:
        return None

    async def first(self, handles: Sequence[AsyncHandle[R]], other: str | AsyncHandle[R]) -> AsyncHandle[R]:
        return handles[0]

    async def read_stream(self, workflow_id: str) -> AsyncIterator[str]:
        """Read."""
        for letter in workflow_id:
            yield letter

    async def run(self, options: Options[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        raise NotImplementedError

    def later(self, seconds: float) -> Coroutine[Any, Any, int]:
        return asyncio.sleep(0, int(seconds))


class AsyncClient(Workflows):
    """A client. `async with await AsyncClient.create(url) as client:`"""

    @classmethod
    def create(cls, url: str, *, schema: str = "dbos") -> Opening[AsyncClient]:
        """Create."""
        return Opening()

    @classmethod
    async def open(cls, url: str) -> Self:
        """Create another way."""
        return cls()

    @property
    def schema(self) -> str:
        """The schema."""
        return "dbos"

    def describe(self, verbose: bool = False) -> str:
        return ""

    async def destroy(self) -> None:
        """Close."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.destroy()
'''

USE = """
from typing import Any
from blocking import Client, Handle
from asynchronous import Options


def use(options: Options[[int], str]) -> None:
    with Client.create("url", schema="s") as client:
        reveal_type(client)
        reveal_type(Client.open("url"))
        reveal_type(client.enqueue(options, 1))
        reveal_type(client.enqueue(options, 1).get_result(timeout=1))
        reveal_type(client.retrieve("x", options))
        reveal_type(client.many())
        reveal_type(client.maybe())
        reveal_type(client.first([client.enqueue(options, 1)], "y"))
        reveal_type(client.read_stream("x"))
        reveal_type(client.run(options, 1))
        reveal_type(client.later(1))
        reveal_type(client.schema)
        reveal_type(client.enqueue(options, 1).workflow_id)
"""
REVEALED = [
    "blocking.Client",
    "blocking.Client",
    "blocking.Handle[str]",
    "str",
    "blocking.Handle[str]",
    "list[blocking.Handle[Any]]",
    "blocking.Handle[int] | None",
    "blocking.Handle[str]",
    "typing.Iterator[str]",
    "str",
    "int",
    "str",
    "str",
]
CLASSES = {"AsyncClient": "Client", "AsyncHandle": "Handle"}


def twins(text: str, classes: dict[str, str] = CLASSES) -> str:
    body = render_twins(
        [Source("asynchronous", textwrap.dedent(text))],
        classes,
        doc="Blocking.",
        awaitables=frozenset({"Opening"}),
    )
    return generate_sync._formatted(body, "src/durably/client/_sync.py")


def test_methods_keep_their_signature_and_get_a_body_of_one_line() -> None:
    text = twins(CLIENT)
    assert (
        "    def get_result(self, *, timeout: float | None = None) -> R:\n"
        '        """Wait for the result."""\n'
        "        return self._portal.call(self._async.get_result, timeout=timeout)\n"
    ) in text
    assert (
        "def many(self, limit: int = DEFAULT, /, *, since: dt.datetime | None = None) -> list[Handle[" in text
    )
    assert "handle = client.enqueue(options)\n            for part in client.read_stream" in text
    assert '"""Await `handle.get_result()`; the await is over when Handle\'s workflow is."""' in text
    assert "return self._portal.iterate(self._async.read_stream, workflow_id)" in text
    assert "_secret" not in text
    assert "from asynchronous import DEFAULT, AsyncClient, AsyncHandle, Options, P, R\n" in text


def test_the_twin_is_typed_as_its_source(tmp_path: Path) -> None:
    (tmp_path / "asynchronous.py").write_text(CLIENT)
    (tmp_path / "blocking.py").write_text(twins(CLIENT))
    (tmp_path / "use.py").write_text(USE)
    mypy = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--config-file="]
    done = subprocess.run([*mypy, "use.py", "blocking.py"], cwd=tmp_path, capture_output=True, text=True)
    revealed = [line.split('"')[1] for line in done.stdout.splitlines() if "Revealed type" in line]
    errors = [line for line in done.stdout.splitlines() if "error:" in line]
    assert errors == []
    assert revealed == REVEALED


def test_the_twin_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "asynchronous.py").write_text(CLIENT)
    (tmp_path / "blocking.py").write_text(twins(CLIENT))
    monkeypatch.syspath_prepend(tmp_path)
    blocking = importlib.import_module("blocking")
    with blocking.Client.create("url") as client:
        first, second = client.many(2)
        assert (first.workflow_id, first.get_result(timeout=1)) == ("0", 7)
        assert first != second
        assert client.first([second, first], "x") == second
        assert client.maybe() is None
        assert list(client.read_stream("ab")) == ["a", "b"]
        assert client.later(3) == 3
        assert client.schema == "dbos"
    client.destroy()
    with pytest.raises(NotRunning):
        client.later(3)


@pytest.mark.parametrize(
    ("method", "why"),
    [
        ("async def pair(self) -> tuple[AsyncHandle[int], int]: ...", "returns tuple"),
        ("async def loose(self): ...", "no return annotation"),
        ("@cached\n    async def odd(self) -> int: ...", "decorator cached"),
        ("async def each(self, by: dict[str, AsyncHandle[int]]) -> int: ...", "takes by"),
        ("async def stream(self) -> AsyncIterator[int]: ...", "a coroutine that returns an iterator"),
    ],
)
def test_what_cannot_be_twinned_is_refused_by_name(method: str, why: str) -> None:
    source = f"class AsyncHandle:\n    pass\n\nclass AsyncClient:\n    {method}\n"
    with pytest.raises(Unsupported, match=f"AsyncClient.*{why}"):
        twins(source)


def test_a_part_that_is_not_among_the_sources_is_not_dropped() -> None:
    with pytest.raises(Unsupported, match="class Elsewhere is in none of the sources"):
        twins("class AsyncClient(Elsewhere):\n    pass\n\nclass AsyncHandle:\n    pass\n")


def test_a_module_of_functions_is_rewritten_as_text() -> None:
    source = '''\
"""Context functions: `await aio.recv()`."""

from collections.abc import Coroutine, AsyncIterator
from typing import Any

CONSTANT = "await nothing"  # comments stay: await


def recv(topic: str | None = None, *, timeout: float = 60) -> Coroutine[Any, Any, list[int]]:
    """Receive: `await aio.recv("x")`."""
    return current_run().perform(ops.Receive(topic, timeout), list[int])  # why


async def read_stream(key: str) -> AsyncIterator[int]:
    async for item in items(key):
        yield await item  # ünicode


def workflow_id() -> str:
    return current_run().workflow_id
'''
    assert (
        blocking_text(source, {"aio": "sync"}, {"perform": "perform_blocking"}, doc="Its own: `aio`.")
        == '''\
"""Its own: `aio`."""

from collections.abc import Coroutine, Iterator
from typing import Any

CONSTANT = "await nothing"  # comments stay: await


def recv(topic: str | None = None, *, timeout: float = 60) -> list[int]:
    """Receive: `sync.recv("x")`."""
    return current_run().perform_blocking(ops.Receive(topic, timeout), list[int])  # why


def read_stream(key: str) -> Iterator[int]:
    for item in items(key):
        yield item  # ünicode


def workflow_id() -> str:
    return current_run().workflow_id
'''
    )


def test_prose_keeps_its_awaits() -> None:
    assert blocking_prose("you await the result of `await f(1)`", {}) == "you await the result of `f(1)`"
    assert blocking_prose("print((await client.get('x')).status)", {}) == "print(client.get('x').status)"


def test_an_awaited_argument_keeps_the_parentheses_of_its_call() -> None:
    assert blocking_prose("print(await handle.get_result())", {}) == "print(handle.get_result())"
    assert blocking_prose("return (await f(1))", {}) == "return f(1)"


def test_check_tells_what_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "aio.py").write_text("async def f() -> int:\n    return 1\n")
    (tmp_path / "sync.py").write_text("def f() -> int:\n    return 2\n")
    monkeypatch.setattr(generate_sync, "ROOT", tmp_path)
    monkeypatch.setattr(generate_sync, "JOBS", [generate_sync.Functions(sources="aio.py", target="sync.py")])

    monkeypatch.setattr(sys, "argv", ["generate_sync", "--check"])
    assert generate_sync.main() == 1
    assert "-    return 2\n+    return 1\n" in capsys.readouterr().out
    assert "return 2" in (tmp_path / "sync.py").read_text()

    monkeypatch.setattr(sys, "argv", ["generate_sync"])
    assert generate_sync.main() == 0
    monkeypatch.setattr(sys, "argv", ["generate_sync", "--check"])
    assert generate_sync.main() == 0
