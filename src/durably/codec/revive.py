"""Reading superjson: its notes applied to plain JSON."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

__all__ = ["equate", "parse_path", "revive"]


def revive(value: Any, notes: Any) -> Any:
    """Return a value with superjson's `meta.values` applied, the innermost first."""
    if isinstance(notes, list):
        if len(notes) > 1 and notes[1]:
            value = revive(value, notes[1])
        return _as(value, notes[0])
    if isinstance(notes, dict):
        for path, inner in notes.items():
            _change(value, path, inner)
    return value


def equate(value: Any, equalities: Any) -> Any:
    """Return a value with superjson's `referentialEqualities` applied.

    Only places that hold null are filled: there superjson left something out, the others hold a copy.
    A place inside what it equals (a cycle) stays None.
    """
    if isinstance(equalities, list):  # the first part is about the root, so about cycles
        equalities = equalities[1] if len(equalities) > 1 else None
    if not isinstance(equalities, dict):
        return value
    filled: list[list[str]] = []
    for source, places in equalities.items():
        origin = parse_path(source)
        if any(place[: len(origin)] == origin for place in filled):
            raise ValueError("equal values inside equal values")  # doubling again and again
        paths = [parse_path(place) for place in places]
        filled += [path for path in paths if path[: len(origin)] != origin and _fill(value, origin, path)]
    return value


def parse_path(path: str) -> list[str]:
    """Return the steps of a dotted path, in which `\\.` is a dot of a key."""
    return [step.replace("\\.", ".") for step in re.split(r"(?<!\\)\.", path)]


def _fill(value: Any, origin: list[str], path: list[str]) -> bool:
    found = _follow(value, origin)
    parent = _follow(value, path[:-1])
    key = _key_in(parent, path[-1])
    if key is None or parent[key] is not None:
        return False
    parent[key] = found
    return True


def _change(value: Any, path: str, notes: Any) -> None:
    """Revive what is at a path, in place; a path that leads nowhere changes nothing, as in superjson."""
    parent, key = _locate(value, parse_path(path))
    if key is not None:
        parent[key] = revive(parent[key], notes)


def _locate(parent: Any, steps: list[str]) -> tuple[Any, Any]:
    for done, step in enumerate(steps):
        key = _key_in(parent, step)
        if key is None:  # superjson 1.13 forgets to escape the dots of a key whose value is noted itself
            rest = ".".join(steps[done:])
            return (parent, rest) if isinstance(parent, dict) and rest in parent else (None, None)
        if done == len(steps) - 1:
            return parent, key
        parent = parent[key]
    return None, None


def _follow(value: Any, steps: list[str]) -> Any:
    for step in steps:
        key = _key_in(value, step)
        if key is None:
            return None
        value = value[key]
    return value


def _key_in(parent: Any, step: str) -> Any:
    if isinstance(parent, dict):
        return step if step in parent else None
    if isinstance(parent, list) and step.isdecimal() and len(step) < 10 and int(step) < len(parent):
        return int(step)
    return None


def _as(value: Any, note: Any) -> Any:
    if isinstance(note, list):
        return _as_composite(value, note)
    make = _SIMPLE.get(note) if isinstance(note, str) else None
    return value if make is None else make(value)


def _as_composite(value: Any, note: list[Any]) -> Any:
    kind = note[1] if len(note) > 1 else None
    is_binary = note[0] == "typed-array" and kind in ("Uint8Array", "Uint8ClampedArray")
    if isinstance(value, list) and (is_binary or note == ["custom", "Buffer"]):
        return bytes(value)
    return value


def _undefined(value: Any) -> None:
    return None


def _date(value: Any) -> Any:
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):  # JavaScript has years of six digits
        return value


def _set(value: list[Any]) -> Any:
    try:
        return set(value)
    except TypeError:  # objects are no elements in Python
        return value


def _map(value: list[Any]) -> Any:
    try:
        return {key: item for key, item in value}  # noqa: C416  (says what a pair is)
    except TypeError:  # nor keys
        return value


_SIMPLE: dict[str, Callable[[Any], Any]] = {
    "undefined": _undefined,
    "bigint": int,
    "number": float,
    "Date": _date,
    "set": _set,
    "map": _map,
}
