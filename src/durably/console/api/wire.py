"""What the requests and responses of the API are made of: strict on the way in, plain on the way out."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, TypeAlias, TypeVar

import msgspec
from msgspec import Meta, Struct

__all__ = [
    "LONGEST_WAIT",
    "Count",
    "Given",
    "Id",
    "Instant",
    "Key",
    "Moment",
    "Name",
    "Nothing",
    "Offset",
    "Seconds",
    "Shown",
    "StatusWord",
    "Wait",
    "as_datetime",
    "encoded",
    "shown",
]

S = TypeVar("S", bound="Shown")

LAST_MS = 253_402_300_799_999  # the end of the year 9999
LONGEST_WAIT = 300  # seconds


class Given(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a request carries: fields that are not known are refused."""


class Shown(Struct, frozen=True, kw_only=True):
    """What a response carries."""


class Nothing(Given, frozen=True, kw_only=True):
    """An empty object: there are no options."""


Id: TypeAlias = Annotated[str, Meta(min_length=1, max_length=2000, description="The workflow's id.")]
Key: TypeAlias = Annotated[str, Meta(min_length=1, max_length=2000)]  # a name of what exists already
Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=255)]  # a name of something new
Offset: TypeAlias = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Count: TypeAlias = Annotated[int, Meta(ge=1, le=1000)]
Seconds: TypeAlias = Annotated[float, Meta(ge=0, le=3_153_600_000, description="Seconds.")]
Wait: TypeAlias = Annotated[
    float, Meta(ge=0, le=LONGEST_WAIT, description="Seconds to wait for it; 0 is a look.")
]
Moment: TypeAlias = (  # what instants are given as
    Annotated[int, Meta(ge=0, le=LAST_MS, description="Milliseconds since 1970, UTC.")]
    | Annotated[datetime, Meta(tz=True, description="An instant as RFC 3339 writes it, with its offset.")]
)
Instant: TypeAlias = Annotated[int, Meta(description="Milliseconds since 1970, UTC.")]
StatusWord: TypeAlias = Literal[
    "ENQUEUED", "DELAYED", "PENDING", "SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"
]


def as_datetime(moment: int | datetime | None) -> datetime | None:
    """An instant as the client takes it."""
    return datetime.fromtimestamp(moment / 1000, UTC) if isinstance(moment, int) else moment


def shown(kind: type[S], value: object, /, **others: Any) -> S:
    """A response from an object with the same attributes; `others` are said outright."""
    names = [name for name in kind.__struct_fields__ if name not in others]
    found = {name: getattr(value, name) for name in names if hasattr(value, name)}
    return kind(**found, **others)


def encoded(value: Any) -> bytes:
    """A response as JSON; a payload that has no JSON form is shown as text, NaN as null."""
    try:
        return msgspec.json.encode(value, enc_hook=str)
    except (UnicodeEncodeError, RecursionError, TypeError, ValueError, OverflowError):
        return msgspec.json.encode(_plain(value, 0))


def _plain(value: Any, level: int) -> Any:
    if level > 200:
        return "nested too deeply to be shown"
    match value:
        case bool() | int() | None:
            return value
        case float():
            return value if math.isfinite(value) else None
        case str():
            return value.encode("utf-8", "backslashreplace").decode()
        case Struct():
            return {name: _plain(getattr(value, name), level) for name in value.__struct_fields__}
        case dict():
            return {_plain(str(key), level): _plain(each, level + 1) for key, each in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(each, level + 1) for each in value]
        case _:
            return _plain(str(value), level)
