"""Writing superjson: values reduced to JSON, with a tag where JavaScript has a type of its own."""

from __future__ import annotations

from collections.abc import Mapping, Set
from datetime import datetime
from typing import Any

from durably.codec.record import Keys, Opener
from durably.codec.reduce import Reducer
from durably.codec.unfit import Unfit, key_step

__all__ = ["Tagged", "TaggingReducer", "escape", "split"]

_FORBIDDEN = ("__proto__", "prototype", "constructor")  # superjson refuses to walk through these


class Tagged:
    """A JSON form and the note that tells what it stands for."""

    __slots__ = ("json", "note")

    def __init__(self, json: Any, note: Any) -> None:
        self.json: Any = json
        self.note: Any = note


class TaggingReducer(Reducer):
    """Reduces like `portable_json`, except for what superjson has a note for."""

    def big_integer(self, value: int) -> Any:
        """A bigint."""
        return Tagged(self.digits(value), "bigint")

    def odd_number(self, value: float) -> Any:
        """NaN and the infinities."""
        return Tagged("NaN" if value != value else "Infinity" if value > 0 else "-Infinity", "number")

    def instant(self, value: datetime, depth: int, keys: Keys) -> Any:
        """A Date, which has milliseconds."""
        return Tagged(self.instant_text(value, milliseconds=True), "Date")

    def binary(self, value: bytes | bytearray | memoryview, depth: int, keys: Keys) -> Any:
        """A Uint8Array."""
        return Tagged(list(bytes(value)), ["typed-array", "Uint8Array"])

    def unordered(self, value: Set[Any], depth: int, keys: Keys) -> Any:
        """A Set."""
        items = self.items(value, depth, keys)
        try:
            items.sort()
        except TypeError:  # of several types, or tagged
            pass
        return Tagged(items, "set")

    def mapping(self, value: Mapping[Any, Any], depth: int, keys: Keys) -> Any:
        """A mapping, without notes where superjson refuses them."""
        reduced = super().mapping(value, depth, keys)
        return self._checked(reduced, value)

    def record(self, value: Any, depth: int, opener: Opener) -> Any:
        """An object with named fields, as a mapping."""
        return self._checked(super().record(value, depth, opener), value)

    def _checked(self, reduced: Any, value: object) -> Any:
        if isinstance(reduced, dict) and not reduced.keys().isdisjoint(_FORBIDDEN):
            for key in _FORBIDDEN:
                if key in reduced and split(reduced[key])[1]:
                    hint = "superjson has no types under this key; rename it"
                    raise Unfit("more than plain JSON", hint).under(key_step(key), value)
        return reduced

    def odd_mapping(self, value: Mapping[Any, Any], key: Any, depth: int, keys: Keys) -> Any:
        """A Map: its keys may be anything."""
        pairs = [self.items(pair, depth + 1, keys) for pair in value.items()]
        return Tagged(pairs, "map")


def split(value: Any) -> tuple[Any, Any]:
    """Return the JSON and superjson's `meta.values` (None: no notes) of a reduced value."""
    if isinstance(value, Tagged):
        json, inner = split(value.json)
        return json, [value.note, inner] if inner else [value.note]
    if isinstance(value, dict):
        return _split_members(value)
    if isinstance(value, list):
        parts = [split(item) for item in value]
        return [json for json, _ in parts], _join((str(i), notes) for i, (_, notes) in enumerate(parts))
    return value, None


def _split_members(value: dict[str, Any]) -> tuple[Any, Any]:
    parts = {key: split(item) for key, item in value.items()}
    json = {key: json for key, (json, _) in parts.items()}
    return json, _join((key, notes) for key, (_, notes) in parts.items())


def _join(parts: Any) -> dict[str, Any] | None:
    notes: dict[str, Any] = {}
    for key, inner in parts:
        if isinstance(inner, dict) and not key.endswith("\\"):
            notes.update({f"{escape(key)}.{path}": note for path, note in inner.items()})
        elif inner:
            notes[escape(key)] = inner
    return notes or None


def escape(key: str) -> str:
    """Return a key as a step of superjson's dotted paths."""
    return key.replace(".", "\\.")
