"""JSON lines: many things to do, one a line, from a file or the standard input."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from durably.cli.failures import UsageError

__all__ = ["read_lines"]


def read_lines(path: str, *, needed: tuple[str, ...], known: tuple[str, ...]) -> list[dict[str, Any]]:
    """The objects of a file, `-` being the standard input; UsageError names the line that cannot be meant."""
    with _opened(path) as stream:
        found = [_object(number, line) for number, line in enumerate(stream, 1) if line.strip()]
    for number, fields in found:
        if missing := [name for name in needed if name not in fields]:
            raise UsageError(f"line {number} lacks {', '.join(missing)}; nothing was done")
        if unknown := [name for name in fields if name not in known]:
            raise UsageError(f"line {number}: {unknown[0]!r} is none of {', '.join(known)}; nothing was done")
    return [fields for _, fields in found]


def _object(number: int, line: str) -> tuple[int, dict[str, Any]]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"line {number} is not JSON: {error}; nothing was done") from None
    if not isinstance(found, dict):
        raise UsageError(f"line {number} is no JSON object; nothing was done")
    return number, found


@contextmanager
def _opened(path: str) -> Iterator[TextIO]:
    if path == "-":
        yield sys.stdin
        return
    try:
        with open(path, encoding="utf-8") as stream:
            yield stream
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
