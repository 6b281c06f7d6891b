"""Stored values as text that people read: pretty where they can be decoded."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from durably.console.words import bytes_of
from durably.types import Payload

__all__ = ["HIDDEN", "Failed", "Shown", "clean", "failed", "one_line", "pretty", "revived", "shown"]

HIDDEN = "hidden for your role"
MOST = 20_000  # characters of a value on a page
LINE = 120  # characters of a value in a table's cell


@dataclass(frozen=True)
class Shown:
    """A value as text; `note` says what it lacks, `line` is it in one line."""

    text: str
    line: str
    note: str = ""
    is_cut: bool = False
    size: str = ""
    is_hidden: bool = False


@dataclass(frozen=True)
class Failed:
    """An error as people read it."""

    name: str
    message: str
    code: str = ""
    data: str = ""
    traceback: str = ""
    note: str = ""


def shown(payload: Payload | None, *, sees: bool, most: int = MOST) -> Shown | None:
    """A payload for somebody who may see it or not; an input without named arguments is their list."""
    if payload is None:
        return None
    size = bytes_of(payload.size)
    if not sees:
        return Shown(HIDDEN, HIDDEN, is_hidden=True)
    if payload.is_cut or payload.unreadable is not None:
        text = clean(payload.text)
        note = f"Not decoded: {payload.unreadable}" if payload.unreadable else ""
    else:
        text, note = pretty(plain(payload.value)), ""
    line = one_line(payload)
    if not payload.is_cut and len(text) <= most:
        return Shown(text, line, note, size=size)
    cut = text[:most]
    return Shown(cut, line, note or f"The first {len(cut):,} characters of {size}.", is_cut=True, size=size)


def plain(value: Any) -> Any:
    """Arguments without named ones are their list."""
    if isinstance(value, dict) and value.keys() == {"args", "kwargs"} and isinstance(value["args"], tuple):
        return value if value["kwargs"] else list(value["args"])
    return value


def failed(payload: Payload | None, *, sees: bool) -> Failed | None:
    """An error: its class and message, and for those who may see payloads what else it carries."""
    if payload is None:
        return None
    record = _record(payload)
    if record is None:
        return _unrecorded(payload, sees)
    trace = record.get("traceback") or record.get("stack")
    return Failed(
        clean(str(record.get("name") or "Error")),
        clean(str(record.get("message") or ""))[:MOST],
        "" if record.get("code") is None else clean(str(record["code"])),
        pretty(record["data"])[:MOST] if sees and record.get("data") is not None else "",
        clean(trace)[:MOST] if sees and isinstance(trace, str) else "",
        "" if sees else f"What else the error carries is {HIDDEN}.",
    )


def pretty(value: Any) -> str:
    """JSON with a space of two; what JSON has no form for as nearly that."""
    try:
        return clean(json.dumps(value, indent=2, ensure_ascii=False, default=_odd))
    except (TypeError, ValueError, RecursionError):  # keys that are no text, a value in itself, too deep
        return clean(repr(value))


def one_line(payload: Payload) -> str:
    """The beginning of a value, for a table's cell."""
    if payload.is_cut or payload.unreadable is not None:
        return " ".join(clean(payload.text[: 4 * LINE]).split())[:LINE]
    value = plain(payload.value)
    if isinstance(value, BaseException):
        return clean(f"{type(value).__name__}: {value}")[:LINE]
    try:
        text = json.dumps(value, ensure_ascii=False, default=_odd)
    except (TypeError, ValueError, RecursionError):
        text = repr(value)
    return clean(text)[:LINE]


def revived(edited: Any, recorded: Any) -> Any:
    """An edited value with the types that JSON does not tell: what was not touched is what was recorded."""
    if _as_json(recorded) == edited:
        return recorded
    if isinstance(edited, dict) and isinstance(recorded, dict):
        return {key: revived(value, recorded.get(key)) for key, value in edited.items()}
    if isinstance(edited, list) and isinstance(recorded, list | tuple):
        known = [*recorded, *[None] * len(edited)]
        return [revived(value, known[place]) for place, value in enumerate(edited)]
    if isinstance(edited, str) and isinstance(recorded, datetime):
        try:
            return datetime.fromisoformat(edited)
        except ValueError:
            return edited
    return edited


def clean(text: str) -> str:
    """Text that can be sent: halves of surrogate pairs, and control characters, as escapes."""
    sent = text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
    return sent if sent.isprintable() else sent.translate(_CONTROLS)


_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\t\n\r"}


def _as_json(value: Any) -> Any:
    try:
        return json.loads(json.dumps(value, default=_odd))
    except (TypeError, ValueError, RecursionError):
        return value


def _odd(value: Any) -> Any:
    match value:
        case datetime() | date():
            return value.isoformat()
        case bytes() | bytearray():
            return base64.b64encode(value).decode()
        case set() | frozenset():
            return sorted(value, key=repr)
        case Mapping():
            return dict(value)
        case BaseException():
            return f"{type(value).__name__}: {value}"
        case _:
            return repr(value)[:1000]


def _record(payload: Payload) -> dict[str, Any] | None:
    """The members of an error that was written as JSON, in our form or superjson's."""
    if payload.is_cut:
        return None
    try:
        record = json.loads(payload.text)
    except (ValueError, RecursionError):
        return None
    if isinstance(record, dict) and isinstance(record.get("json"), dict):
        record = record["json"]
    return record if isinstance(record, dict) and ("message" in record or "name" in record) else None


def _unrecorded(payload: Payload, sees: bool) -> Failed:
    if isinstance(payload.value, BaseException):
        name = getattr(payload.value, "name", None)
        kind = name if isinstance(name, str) else type(payload.value).__name__
        return Failed(clean(kind), clean(str(payload.value))[:MOST])
    if not sees:
        return Failed("Error", "", note=f"It is {HIDDEN}.")
    note = f"Not decoded: {payload.unreadable}" if payload.unreadable else ""
    return Failed("Error", clean(payload.text[:MOST]), note=note)
