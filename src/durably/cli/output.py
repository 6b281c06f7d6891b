"""What a command answers: one JSON document, a table for a person, or tab-separated text for a pipe."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from durably.cli.text import printable, shortened

if TYPE_CHECKING:
    from rich.text import Text

__all__ = [
    "Form",
    "answer",
    "clock",
    "coloured",
    "counted",
    "document",
    "instant",
    "note",
    "plain",
    "print_fields",
    "print_ids",
    "print_json",
    "print_line",
    "print_list",
    "print_table",
    "printable",
    "seconds",
    "up_to",
]

T = TypeVar("T")

COLOURS = {"SUCCESS": "green", "ERROR": "red", "PENDING": "cyan", "CANCELLED": "yellow"}
LONGEST_CELL = 60  # characters of a payload in a table for a person
LONGEST_ID = 36  # characters of an id on one line
FLEXIBLE = ("name", "queue_name", "function_name", "outcome")  # columns that give way when a line is short


class Form(StrEnum):
    """The forms of an answer; `jsonl` has a document for each thing, on a line."""

    table = "table"
    json = "json"
    jsonl = "jsonl"
    ids = "ids"


def print_list(
    form: Form,
    items: Sequence[T],
    *,
    columns: Sequence[str],
    row: Callable[[T], Sequence[Any]],
    id_of: Callable[[T], str],
    empty: str,
    bare: bool = False,
) -> None:
    """Print things in the form that was asked for; `bare` leaves a table without its header."""
    if form is Form.json:
        print_json(items)
    elif form is Form.jsonl:
        for item in items:
            print_line(item)
    elif form is Form.ids:
        print_ids(form, [id_of(item) for item in items])
    elif bare:
        print(
            "".join("\t".join(printable(document(cell)) for cell in row(item)) + "\n" for item in items),
            end="",
        )
    else:
        print_table(columns, map(row, items), empty=empty)


def print_ids(form: Form, ids: Iterable[str]) -> None:
    """Print ids, one a line, for the next command; as JSON each is a string on a line."""
    for each in ids:
        print(json.dumps(each) if form is Form.jsonl else printable(each))


def answer(form: Form, value: Any, text: str, *, id_: str) -> None:
    """Print what became of one thing."""
    if form is Form.table:
        print(printable(text))
    elif form is Form.ids:
        print(printable(id_))
    else:
        print_json(value) if form is Form.json else print_line(value)


def counted(number: int, noun: str) -> str:
    """counted(2, "workflow") is '2 workflows'."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def up_to(number: int, most: int) -> str:
    """A count that ended at `most`."""
    return f"{number:,}" if number < most else f"{most:,}+"


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


def coloured(text: str, code: str) -> str:
    """The text in a colour (an SGR code), on a terminal that should have any."""
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return text
    return f"\x1b[{code}m{text}\x1b[0m"


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
        is_id = name == "workflow_id"  # whole, on several lines if it is longer than a UUID
        width = min(LONGEST_ID, max(len(row[columns.index(name)]) for row in rows)) if is_id else None
        flexible = is_id or name in FLEXIBLE
        table.add_column(
            Text(name),
            no_wrap=not flexible,
            min_width=width,
            max_width=width,
            overflow="fold" if is_id else "ellipsis",
        )
    for row in rows:
        table.add_row(*map(_cell, columns, row))
    Console().print(table)


def _cell(column: str, value: str) -> Text:
    """As it is, never as markup; an id whole, as it may be copied."""
    from rich.text import Text

    shown = printable(value)
    colour = COLOURS.get(value, "") if column == "status" else ""
    return Text(shown if column == "workflow_id" else shortened(shown, LONGEST_CELL), style=colour)


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
    """When something was, in local time; short on a terminal."""
    if epoch_ms is None:
        return ""
    if not sys.stdout.isatty():
        return instant(epoch_ms)
    when, now = _local(epoch_ms), datetime.now(UTC).astimezone()
    return when.strftime("%H:%M:%S" if when.date() == now.date() else "%Y-%m-%d")


def instant(epoch_ms: int) -> str:
    """When something was, in local time with its offset."""
    return _local(epoch_ms).isoformat(sep=" ", timespec="milliseconds")


def _local(epoch_ms: int) -> datetime:
    return datetime.fromtimestamp(epoch_ms / 1000, UTC).astimezone()


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
