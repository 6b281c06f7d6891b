"""The quick way for values that are plain JSON already: check and copy in C, then encode.

`msgspec.json.Encoder` alone writes NaN as null, int keys as text and integers of any size, silently.
`msgspec.convert` to a type that says "JSON, five levels deep, with these bounds" refuses all of them, in C.
Whatever it refuses (typed values, deeper ones, errors) goes the exact way through `Reducer`.
"""

from __future__ import annotations

import sys
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

_convert = msgspec.convert
encode_plain = msgspec.json.Encoder().encode


def plain_text(value: object) -> str:
    """Return the JSON text of a value that every JSON reader reads alike, or raise whatever comes."""
    text = encode_plain(_convert((value,), _Plain).value)
    # convert takes a Decimal for a float; the encoder writes it as a string, so the texts differ.
    if (b"." in text or b"e" in text) and encode_plain(value) != text:
        raise ValueError("a Decimal is no plain value")
    return text.decode()
