"""Which code an application has: a fingerprint of its functions, to tell a new deploy from a restart.

It covers the workflows and steps and, through the names that they use, the functions of the same package that
they call; not what those reach through objects. It is made of bytecode, so comments and lines do not count,
and another release of Python makes another one, which costs a stranded workflow one more try.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Iterable, Iterator
from types import CodeType, FunctionType
from typing import Any

__all__ = ["fingerprint"]


def fingerprint(functions: Iterable[Callable[..., Any]], names: Iterable[str] = ()) -> str:
    """The same text in every process that has the same functions, under the same names, in whatever order."""
    digest = hashlib.blake2b(digest_size=8)
    texts = [f"{f.__module__}\0{_text(f.__code__)}" for f in _reached(functions)]
    for text in sorted([*texts, *names]):
        digest.update(text.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _reached(functions: Iterable[Any]) -> list[FunctionType]:
    """The functions and those of the same package that they name, each once."""
    found: dict[CodeType, FunctionType] = {}
    waiting = [plain for function in functions if (plain := _plain(function)) is not None]
    while waiting:
        function = waiting.pop()
        if function.__code__ not in found:
            found[function.__code__] = function
            waiting += _named(function)
    return list(found.values())


def _named(function: FunctionType) -> Iterator[FunctionType]:
    names = {name for code in _codes(function.__code__) for name in code.co_names}
    values = [function.__globals__.get(name) for name in sorted(names)]
    for cell in function.__closure__ or ():
        try:
            values.append(cell.cell_contents)
        except ValueError:  # not set yet
            continue
    for value in values:
        plain = _plain(value)
        if plain is not None and _package(plain) == _package(function):
            yield plain


def _plain(value: Any) -> FunctionType | None:
    """The function that a value is or wraps."""
    if not callable(value):
        return None
    try:
        value = inspect.unwrap(value)
    except ValueError:  # it wraps itself
        return None
    value = getattr(value, "__func__", value)
    return value if isinstance(value, FunctionType) else None


def _package(function: FunctionType) -> str:
    return str(function.__module__ or "").partition(".")[0]


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _text(code: CodeType) -> str:
    parts = (
        code.co_qualname,
        code.co_code.hex(),
        *code.co_names,
        *code.co_freevars,
        *map(_constant, code.co_consts),
    )
    return "\0".join(parts)


def _constant(value: Any) -> str:
    if isinstance(value, CodeType):
        return _text(value)
    if isinstance(value, frozenset):  # its order differs from process to process
        return f"frozenset({sorted(map(repr, value))})"
    return repr(value)
