"""From any value to what JSON has: the exact, careful way.

Table dispatch on the type; a type that is met for the first time is looked at once. Depth is bounded, the
path to a value that does not fit is built only when one is found.
"""

from __future__ import annotations

import collections
import math
from collections.abc import Callable, Iterable, Mapping, Set
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import msgspec

from durably.codec.record import NO_KEYS, Keys, Opener, is_pydantic, opener_of
from durably.codec.scalar import base64_text, decimal_text, instant_text
from durably.codec.unfit import DEPTH, Unfit, describe, item_step, key_step
from durably.errors import EncodeError

__all__ = ["LARGEST", "Reducer"]

LARGEST = 2**53  # beyond it, a reader that has doubles (JavaScript, jq) sees another number

Handler = Callable[[Any, int, Keys], Any]

_PLAIN = "pass plain data (dict, list, str, int, float, bool, None), a dataclass, or an id to load it by"


class Reducer:
    """Turns values into dict, list, str, int, float, bool and None.

    The methods named after a kind of value are what another format replaces.
    """

    def __init__(self, *, big_integers: bool = False) -> None:
        self.big_integers = big_integers
        self._handlers: dict[type, Handler] = {}

    def run(self, value: object, subject: str, keys: Keys = NO_KEYS) -> Any:
        """Return the value reduced, or raise `EncodeError` with the path to what does not fit."""
        try:
            return self.reduce(value, 0, keys)
        except Unfit as unfit:
            raise unfit.error(subject) from unfit.__cause__
        except RecursionError:
            hint = "it is nested too deeply for the stack that is left"
            raise EncodeError("", describe(type(value)), hint, subject=subject) from None

    def reduce(self, value: Any, depth: int, keys: Keys) -> Any:
        """Return the value reduced; `keys` are the types of mapping keys that will come back."""
        kind = type(value)
        handler = self._handlers.get(kind)
        if handler is None:
            handler = self._handlers[kind] = self._handler_of(kind)
        return handler(value, depth, keys)

    # ------------------------------------------------------------------ kinds of values

    def text(self, value: str, depth: int, keys: Keys) -> str:
        """A string, without lone surrogates: no encoding has a place for them."""
        plain = value if type(value) is str else str.__str__(value)
        if not plain.isascii():
            try:
                plain.encode()
            except UnicodeEncodeError as error:
                hint = f"it has a lone surrogate at index {error.start}; decode it with errors='replace'"
                raise Unfit("str", hint) from None
        return plain

    def integer(self, value: int, depth: int, keys: Keys) -> Any:
        """An integer that every reader sees as the same number."""
        plain = int(value)
        if -LARGEST <= plain <= LARGEST:
            return plain
        return self.big_integer(plain)

    def big_integer(self, value: int) -> Any:
        """An integer beyond what a double holds."""
        if not self.big_integers:
            hint = "it is beyond 2**53, where other readers round; pass a str, or set big_integers=True"
            raise Unfit("int", hint)
        return msgspec.Raw(self.digits(value).encode())

    def digits(self, value: int) -> str:
        """The decimal digits, within what Python converts."""
        try:
            return str(value)
        except ValueError as error:
            raise Unfit("int", f"it has too many digits ({error})") from None

    def number(self, value: float, depth: int, keys: Keys) -> Any:
        """A float; JSON has no NaN and no infinities."""
        plain = float(value)
        if math.isfinite(plain):
            return plain
        return self.odd_number(plain)

    def odd_number(self, value: float) -> Any:
        """NaN or an infinity."""
        raise Unfit("float", f"{value} is not a JSON number; pass None or a str")

    def instant(self, value: datetime, depth: int, keys: Keys) -> Any:
        """A point in time."""
        return self.instant_text(value)

    def instant_text(self, value: datetime, *, milliseconds: bool = False) -> str:
        """The UTC text of an instant, if it has one."""
        try:
            return instant_text(value, milliseconds=milliseconds)
        except OverflowError:
            raise Unfit(describe(type(value)), "in UTC it is out of range; pass it as UTC") from None

    def binary(self, value: bytes | bytearray | memoryview, depth: int, keys: Keys) -> Any:
        """Bytes."""
        return base64_text(value)

    def unordered(self, value: Set[Any], depth: int, keys: Keys) -> Any:
        """A set; sorted where its elements can be, so that equal sets give equal texts."""
        items = self.items(value, depth, keys)
        try:
            return sorted(items)
        except TypeError:
            return items

    def odd_mapping(self, value: Mapping[Any, Any], key: Any, depth: int, keys: Keys) -> Any:
        """A mapping with a key that is not text."""
        hint = (
            f"the key {key_step(key)[1:-1]} would come back as text; use str keys, or annotate the value, "
            f"such as dict[{type(key).__name__}, ...], where that says what to read"
        )
        raise Unfit(f"{describe(type(key))} key", hint)

    # ------------------------------------------------------------------ containers

    def items(self, value: Iterable[Any], depth: int, keys: Keys) -> list[Any]:
        """The elements, reduced."""
        self.check_depth(value, depth)
        reduced: list[Any] = []
        try:
            for item in value:
                reduced.append(self.reduce(item, depth + 1, keys))  # noqa: PERF401  (the length is the path)
        except Unfit as unfit:
            raise unfit.under(item_step(len(reduced)), value) from unfit.__cause__
        return reduced

    def mapping(self, value: Mapping[Any, Any], depth: int, keys: Keys) -> Any:
        """A mapping with keys that are text, or come back as what they were."""
        self.check_depth(value, depth)
        reduced: dict[str, Any] = {}
        for key, item in value.items():
            if type(key) is not str:
                written = self.key(key, keys)
                if written is None:
                    return self.odd_mapping(value, key, depth, keys)
            else:
                written = self.text(key, depth, keys)
            try:
                reduced[written] = self.reduce(item, depth + 1, keys)
            except Unfit as unfit:
                raise unfit.under(key_step(key), value) from unfit.__cause__
        return reduced

    def key(self, key: Any, keys: Keys) -> str | None:
        """The text of a mapping key, or None if it would not come back."""
        if isinstance(key, str):
            return self.text(key.value if isinstance(key, Enum) else key, 0, keys)
        if type(key) not in keys:
            return None
        plain = key.value if isinstance(key, Enum) else key
        if isinstance(plain, int) and not isinstance(plain, bool):
            return self.digits(plain)
        written = self.reduce(plain, 0, NO_KEYS)
        return written if isinstance(written, str) else None

    def record(self, value: Any, depth: int, opener: Opener) -> Any:
        """An object with named fields."""
        self.check_depth(value, depth)
        reduced: dict[str, Any] = {}
        for name, item, item_keys in opener(value):
            try:
                reduced[name] = self.reduce(item, depth + 1, item_keys)
            except Unfit as unfit:
                raise unfit.under(key_step(name), value) from unfit.__cause__
        return reduced

    def check_depth(self, value: Any, depth: int) -> None:
        """Refuse what is nested too deeply, cycles included."""
        if depth >= DEPTH:
            raise Unfit(describe(type(value)), "it is nested too deeply", too_deep=True)

    # ------------------------------------------------------------------ dispatch

    def _handler_of(self, kind: type) -> Handler:
        if kind is type(None) or kind is bool:
            return _same
        if issubclass(kind, Enum):
            return self._enum
        opener = opener_of(kind)
        if opener is not None:
            return self._record_handler(kind, opener)
        for base, handler in self._by_base():
            if issubclass(kind, base):
                return handler
        return _refuse

    def _by_base(self) -> tuple[tuple[type | tuple[type, ...], Handler], ...]:
        return (
            (str, self.text),
            (int, self.integer),
            (float, self.number),
            (Mapping, self.mapping),
            ((list, tuple, collections.deque), self.items),
            (Set, self.unordered),
            (datetime, self.instant),
            ((date, time), _iso),
            (timedelta, _duration),
            (UUID, _canonical),
            (Decimal, _decimal),
            ((bytes, bytearray, memoryview), self.binary),
        )

    def _enum(self, value: Enum, depth: int, keys: Keys) -> Any:
        return self.reduce(value.value, depth, keys)

    def _record_handler(self, kind: Any, opener: Opener) -> Handler:
        if getattr(getattr(kind, "__struct_config__", None), "array_like", False):
            return lambda value, depth, keys: list(self.record(value, depth, opener).values())
        if is_pydantic(kind) and getattr(kind, "__pydantic_root_model__", False):
            return lambda value, depth, keys: self.record(value, depth, opener)[""]
        return lambda value, depth, keys: self.record(value, depth, opener)


def _same(value: Any, depth: int, keys: Keys) -> Any:
    return value


def _iso(value: date | time, depth: int, keys: Keys) -> str:
    return value.isoformat()


def _duration(value: timedelta, depth: int, keys: Keys) -> Any:
    return msgspec.to_builtins(value)


def _canonical(value: UUID, depth: int, keys: Keys) -> str:
    return str(value)


def _decimal(value: Decimal, depth: int, keys: Keys) -> str:
    return decimal_text(value)


def _refuse(value: Any, depth: int, keys: Keys) -> Any:
    raise Unfit(describe(type(value)), _hint_for(value))


def _hint_for(value: Any) -> str:
    if hasattr(value, "__await__"):
        return "await it first, and pass what it gives"
    if hasattr(value, "__next__"):
        return "an iterator can be read only once; pass a list of its items"
    if isinstance(value, type) or callable(value):
        return "functions and classes cannot be stored; pass a name to look it up by"
    if isinstance(value, BaseException):
        return "raise it, or pass its text"
    return _PLAIN
