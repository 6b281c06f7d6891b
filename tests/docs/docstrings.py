"""Finds the public names and the examples in their docstrings.

An example is what ends a docstring and parses: its indentation tells nothing, because the formatter takes it
away where there is but one sentence before it.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import durably

__all__ = ["Documented", "example_of", "public_names"]


@dataclass(frozen=True)
class Documented:
    """A public name: where users find it, its docstring as the source has it, and the example in that."""

    name: str
    doc: str
    example: str

    def __str__(self) -> str:
        return self.name


def public_names() -> list[Documented]:
    """Everything that users may name: `durably.__all__`, the modules in it, and the classes' members."""
    return [_documented(name, value) for name, value in _walk()]


def _walk() -> Iterator[tuple[str, Any]]:
    for name in durably.__all__:
        value = getattr(durably, name)
        yield name, value
        if isinstance(value, ModuleType):
            for inner in value.__all__:
                yield from _with_members(f"{name}.{inner}", getattr(value, inner))
        else:
            yield from _members(name, value)


def _with_members(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    yield name, value
    yield from _members(name, value)


def _members(name: str, owner: Any) -> Iterator[tuple[str, Any]]:
    """Yield the methods and properties that a class of ours has, its bases' too, but no builtin's."""
    if not inspect.isclass(owner):
        return
    for member in sorted(dir(owner)):
        value = inspect.getattr_static(owner, member)
        value = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
        ours = inspect.isfunction(value) and value.__module__.startswith("durably")
        if ours and not member.startswith("_"):
            yield f"{name}.{member}", value


def _documented(name: str, value: Any) -> Documented:
    source = inspect.getsource(value)
    tree: Any = ast.parse(source if isinstance(value, ModuleType) else textwrap.dedent(source))
    doc = ast.get_docstring(tree if isinstance(value, ModuleType) else tree.body[0], clean=False) or ""
    return Documented(name, doc.strip(), example_of(doc))


def example_of(doc: str) -> str:
    """Return what ends a docstring and is code: its last paragraphs, as many as parse."""
    paragraphs = inspect.cleandoc(doc).split("\n\n")[1:]
    ends = (textwrap.dedent("\n\n".join(paragraphs[first:])) for first in range(len(paragraphs)))
    return next((end for end in ends if _parses(end)), "")


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True
