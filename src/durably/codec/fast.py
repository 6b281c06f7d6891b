"""The quick way for values that are plain JSON already: check and copy in C, then encode.

`msgspec.json.Encoder` alone writes NaN as null, int keys as text and integers of any size, silently.
`msgspec.convert` to a type that says "JSON, five levels deep, with these bounds" refuses all of them, in C.
Whatever it refuses (typed values, deeper ones, errors) goes the exact way through `Reducer`.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from typing import Annotated, Any, Union

import msgspec

from durably.codec.reduce import LARGEST

__all__ = ["encode_plain", "plain_text"]

_LEVELS = 5  # the type doubles with each level: 5 cost 3 ms once, and hold a list of orders with lists

_Integer = Annotated[int, msgspec.Meta(ge=-LARGEST, le=LARGEST)]
_Number = Annotated[float, msgspec.Meta(ge=-sys.float_info.max, le=sys.float_info.max)]


def _json(levels: int) -> Any:
    if not levels:
        return Union[str, bool, _Integer, _Number, None]  # noqa: UP007  (the parts are not types)
    inner = _json(levels - 1)
    return Union[str, bool, _Integer, _Number, None, list[inner], dict[str, inner]]  # type: ignore[valid-type]  # noqa: UP007


_Plain: Any = msgspec.defstruct("_Plain", [("value", _json(_LEVELS))], array_like=True)

_CONTAINERS = frozenset((dict, list, tuple))
_PLAIN_TYPES = _CONTAINERS | {str, bool, int, float, type(None)}

_convert = msgspec.convert
encode_plain: Callable[[Any], bytes] = msgspec.json.Encoder().encode


def plain_text(value: Any) -> str:
    """Return the JSON text of a value that every JSON reader reads alike, or raise whatever comes."""
    kind = type(value)
    if kind is str or kind is bool or value is None or (kind is int and -LARGEST <= value <= LARGEST):
        return encode_plain(value).decode()
    text = encode_plain(_convert((value,), _Plain).value)
    if _may_hide(value, text) and not _is_exactly_plain(value):
        raise ValueError("not only plain types")
    return text.decode()


def _may_hide(value: object, text: bytes) -> bool:
    """Could this be the text of a set, which convert takes for a list, or of a Decimal (a float)?"""
    inner = text.count(b"[") > (type(value) in (list, tuple))
    return inner or b"." in text or b"e" in text


def _is_exactly_plain(value: object) -> bool:
    level = [value]
    while True:
        kinds = set(map(type, level))
        if not kinds <= _PLAIN_TYPES:
            return False
        if kinds.isdisjoint(_CONTAINERS):
            return True
        level = gc.get_referents(*level)  # all that these contain, in one call; convert has bounded the depth
