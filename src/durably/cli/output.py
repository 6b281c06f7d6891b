"""What a command answers: one JSON document, a table for a person, or tab-separated text for a pipe."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from durably.cli.text import printable, shortened

__all__ = [
    "clock",
    "document",
    "note",
    "plain",
    "print_fields",
    "print_json",
    "print_line",
    "print_table",
    "printable",
    "seconds",
]

LONGEST_CELL = 60  # characters of a payload in a table for a person


def print_json(value: Any) -> None:
    """Print one JSON document."""
    is_unicode = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    print(json.dumps(plain(value), indent=2, ensure_ascii=not is_unicode, allow_nan=False))


def print_line(value: Any) -> None:
    """Print one JSON document on one line, at once: a process that goes on has said something."""
    print(json.dumps(plain(value)), flush=True)


def note(text: str) -> None:
    """Tell the person, not the pipe."""
    print(printable(text), file=sys.stderr, flush=True)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str) -> None:
    """Print rows under the names of their columns; to a pipe, whole and separated by tabs."""
    cells = [[document(value) for value in row] for row in rows]
    if not sys.stdout.isatty():
        print("\n".join("\t".join(map(printable, row)) for row in [columns, *cells]))
    elif not cells:
        note(empty)
    else:
        _print_rich(columns, cells)


def print_fields(fields: Mapping[str, Any]) -> None:
    """Print names and values, one a line."""
    width = max(map(len, fields))
    for name, value in fields.items():
        print(f"{name:{width}}  {printable(document(value))}".rstrip())


def _print_rich(columns: Sequence[str], rows: list[list[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        is_id = name in ("workflow_id", "function_id")
        table.add_column(Text(name), no_wrap=True, overflow="fold" if is_id else "ellipsis")
    for row in rows:
        table.add_row(*(Text(shortened(printable(cell), LONGEST_CELL), style=_style(cell)) for cell in row))
    Console().print(table)


def _style(cell: str) -> str:
    return {"SUCCESS": "green", "ERROR": "red", "PENDING": "cyan", "CANCELLED": "yellow"}.get(cell, "")


def document(value: Any) -> str:
    """A value as one line of text: a text as it is, nothing for None, JSON for the rest."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, BaseException):
        return f"{_error_name(value)}: {_error_message(value)}"
    return json.dumps(plain(value), ensure_ascii=False, allow_nan=False)


def plain(value: Any) -> Any:
    """The value in JSON's own types; what has no JSON form becomes text."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if value - value == 0 else str(value)
        case BaseException():
            return {"name": _error_name(value), "message": _error_message(value)}
        case Mapping():
            return {_key(key): plain(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [plain(item) for item in value]
        case datetime():
            return value.isoformat()
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
        case _:
            return str(value)


def clock(epoch_ms: int | None) -> str:
    """Local time of day and date, for a person."""
    if epoch_ms is None:
        return ""
    return datetime.fromtimestamp(epoch_ms / 1000, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def seconds(begin_ms: int | None, end_ms: int | None) -> str:
    """How long something took."""
    if begin_ms is None or end_ms is None:
        return ""
    return f"{(end_ms - begin_ms) / 1000:.2f} s"


def _key(key: Any) -> str:
    return key if isinstance(key, str) else str(plain(key))


def _error_name(error: BaseException) -> str:
    return str(getattr(error, "name", None) or type(error).__name__)


def _error_message(error: BaseException) -> str:
    return str(getattr(error, "message", None) or error)
