"""Rewrites the text of an async module into its blocking twin, comments and layout kept.

Pure text to text: `async def f(): await g()` becomes `def f(): g()`, a function that returns
`Coroutine[Any, Any, T]` returns `T`, names are mapped, and examples in docstrings follow.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

__all__ = ["BLOCKING_NAMES", "blocking_prose", "blocking_text"]

# Names of the language and the standard library that mean the same in the other colour.
BLOCKING_NAMES: Mapping[str, str] = {
    "AsyncIterator": "Iterator",
    "AsyncIterable": "Iterable",
    "AsyncGenerator": "Generator",
    "AbstractAsyncContextManager": "AbstractContextManager",
    "asynccontextmanager": "contextmanager",
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "__aiter__": "__iter__",
    "__anext__": "__next__",
    "StopAsyncIteration": "StopIteration",
    "aclose": "close",
}
AWAITED = frozenset({"Coroutine", "Awaitable"})

_AWAIT_IN_PARENTHESES = re.compile(r"(?<!\w)\(await ([\w.]+\([^()]*\))\)")  # a call's own stay
_AWAIT_IN_EXAMPLE = re.compile(r"\bawait (?=[A-Za-z_][\w.]*[(\[])")
_ASYNC_IN_EXAMPLE = re.compile(r"\basync (?=(def|for|with)\b)")


@dataclass(frozen=True)
class _Edit:
    """Replace the text from `start` to `end` (offsets) by `text`."""

    start: int
    end: int
    text: str


def blocking_text(
    source: str,
    names: Mapping[str, str],
    methods: Mapping[str, str] | None = None,
    *,
    doc: str | None = None,
) -> str:
    """Return the blocking twin of a module's text.

    `names` maps identifiers wherever they stand; `methods` maps a name only where it is called on something
    (`.perform(` to `.perform_blocking(`); `doc` takes the place of the module's docstring.
    """
    every_name = {**BLOCKING_NAMES, **names}
    unwrapped = _apply(source, _annotation_edits(source))
    docstrings = _docstring_starts(unwrapped)
    blocking = _apply(unwrapped, _token_edits(unwrapped, every_name, methods or {}, docstrings))
    return blocking if doc is None else _apply(blocking, _docstring_edit(blocking, doc))


def blocking_prose(text: str, names: Mapping[str, str]) -> str:
    """Return a docstring as its blocking twin would have it: no `await` in examples, names mapped."""
    text = _AWAIT_IN_PARENTHESES.sub(r"\1", text)
    text = _ASYNC_IN_EXAMPLE.sub("", _AWAIT_IN_EXAMPLE.sub("", text))
    for old, new in {**BLOCKING_NAMES, **names}.items():
        text = re.sub(rf"\b{re.escape(old)}\b", new, text)
    return text


def _docstring_edit(source: str, doc: str) -> Iterator[_Edit]:
    """Yield the edit that gives a module another docstring."""
    first = ast.parse(source).body[0]
    assert isinstance(first, ast.Expr)
    yield _Edit(*_Text(source).span(first.value), f'"""{doc}"""')


def _annotation_edits(source: str) -> Iterator[_Edit]:
    """Yield edits that turn a returned `Coroutine[Any, Any, T]` or `Awaitable[T]` into `T`."""
    text = _Text(source)
    for node in ast.walk(ast.parse(source)):
        awaited = _awaited(node.returns) if isinstance(node, ast.FunctionDef) and node.returns else None
        if isinstance(node, ast.FunctionDef) and node.returns and awaited:
            first, last = text.span(awaited)
            yield _Edit(*text.span(node.returns), source[first:last])


def _awaited(annotation: ast.expr) -> ast.expr | None:
    """Return `T` of `Coroutine[Any, Any, T]` or `Awaitable[T]`."""
    if not (isinstance(annotation, ast.Subscript) and isinstance(annotation.value, ast.Name)):
        return None
    if annotation.value.id not in AWAITED:
        return None
    arguments = annotation.slice
    return arguments.elts[-1] if isinstance(arguments, ast.Tuple) else arguments


def _docstring_starts(source: str) -> frozenset[tuple[int, int]]:
    """Return where the docstrings of a module begin: (line, column)."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    documented = [node for node in ast.walk(ast.parse(source)) if isinstance(node, kinds) and node.body]
    first = [node.body[0] for node in documented if ast.get_docstring(node, clean=False) is not None]
    return frozenset((node.lineno, node.col_offset) for node in first)


def _token_edits(
    source: str, names: Mapping[str, str], methods: Mapping[str, str], docstrings: frozenset[tuple[int, int]]
) -> Iterator[_Edit]:
    """Yield the edits that need no syntax tree: keywords, names, docstrings."""
    at = _Text(source).at
    tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    for before, token, after in zip([tokens[0], *tokens], tokens, [*tokens[1:], tokens[-1]], strict=False):
        start, end = at(token.start), at(token.end)
        if token.type == tokenize.STRING and token.start in docstrings:
            yield _Edit(start, end, blocking_prose(token.string, names))
        elif token.type != tokenize.NAME:
            continue
        elif token.string in {"async", "await"}:
            yield _Edit(start, at(after.start), "")
        elif token.string in methods and before.string == "." and after.string == "(":
            yield _Edit(start, end, methods[token.string])
        elif token.string in names:
            yield _Edit(start, end, names[token.string])


class _Text:
    """A source whose (line, column) can be turned into an offset."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._lines = source.splitlines(keepends=True)
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line))

    def at(self, position: tuple[int, int]) -> int:
        """Return the offset of a token's position, whose column counts characters."""
        line, column = position
        return self._starts[line - 1] + column

    def span(self, node: ast.expr) -> tuple[int, int]:
        """Return where a node of the syntax tree starts and ends; its columns count bytes."""
        assert node.end_lineno is not None and node.end_col_offset is not None
        start = self.at((node.lineno, self._characters(node.lineno, node.col_offset)))
        return start, self.at((node.end_lineno, self._characters(node.end_lineno, node.end_col_offset)))

    def _characters(self, line: int, column: int) -> int:
        return len(self._lines[line - 1].encode()[:column].decode())


def _apply(source: str, edits: Iterator[_Edit]) -> str:
    """Return the source with the edits made; they do not overlap."""
    for edit in sorted(edits, key=lambda edit: edit.start, reverse=True):
        source = source[: edit.start] + edit.text + source[edit.end :]
    return source
