"""`py_pickle` for plain values: what a scheduled run's row holds, read without running code.

DBOS Python pickles the time and the context of a scheduled run and leaves the format's name out. Numbers,
texts, containers, times and Python's own exceptions need no code of anybody's; nothing else is read.
"""

from __future__ import annotations

import builtins
import io
import pickle
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from durably.codec.failure import Failure
from durably.codec.pickled import Pickle
from durably.errors import DecodeError, EncodeError

__all__ = ["PLAIN", "PlainPickle", "encode_scheduled", "encode_scheduled_arguments"]

_PLAIN: dict[tuple[str, str], Callable[..., Any]] = {
    ("datetime", "date"): date,
    ("datetime", "datetime"): datetime,
    ("datetime", "time"): time,
    ("datetime", "timedelta"): timedelta,
    ("datetime", "timezone"): timezone,
    ("decimal", "Decimal"): Decimal,
    ("builtins", "set"): set,
    ("builtins", "frozenset"): frozenset,
    ("builtins", "complex"): complex,
    ("builtins", "bytearray"): bytearray,
}
_MAKE_ZONE = "_unpickle"


class PlainPickle(Pickle):
    """Writes pickles, and reads those of plain values; DecodeError for any other."""

    def _load(self, raw: bytes) -> Any:
        return _Plain(io.BytesIO(raw)).load()

    def encode_error(self, error: BaseException) -> str:
        """Return the pickled error: an `Exception` with its text and, for us, what it was."""
        return self._encode_substitute(Failure.of(error))


class _Zone:
    """Stands for the class ZoneInfo, of which a pickle wants one method."""


class _Plain(pickle.Unpickler):
    """Gives functions where a pickle names classes: what it is given it may also alter."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("zoneinfo", "ZoneInfo"):
            return _Zone()
        if (module, name) in (("builtins", "getattr"), ("zoneinfo", f"ZoneInfo.{_MAKE_ZONE}")):
            return _fresh(_zone_maker if name == "getattr" else _zone)
        if (known := _PLAIN.get((module, name))) is not None:
            return _fresh(known)
        error = getattr(builtins, name, None) if module == "builtins" else None
        if isinstance(error, type) and issubclass(error, Exception):
            return _fresh(error)
        raise pickle.UnpicklingError(
            f"{module}.{name} is no plain value; if you trust everybody who can write to this database, "
            "allow it: allow_serializations=['py_pickle']"
        )


def _fresh(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *values: function(*values)


def _zone_maker(subject: object, name: str) -> Callable[..., ZoneInfo]:
    if not isinstance(subject, _Zone) or name != _MAKE_ZONE:
        raise pickle.UnpicklingError("getattr is no plain value")
    return _fresh(_zone)


def _zone(key: str, *_: object) -> ZoneInfo:
    return ZoneInfo(key)


PLAIN = PlainPickle()


def encode_scheduled_arguments(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
    """Return a scheduled run's arguments, as DBOS Python writes them."""
    return PLAIN.encode_arguments(args, kwargs)


def encode_scheduled(context: object, *, subject: str = "context") -> str:
    """Return a schedule's context as every Python process can read it; EncodeError for what is not plain.

    One that a DBOS process cannot read would end the scheduler of that process.
    """
    text = PLAIN.encode(context, subject=subject)
    try:
        PLAIN.decode(text)
    except DecodeError as error:
        hint = "make it of numbers, texts, lists, dicts, times, which every process can read"
        raise EncodeError("", type(context).__qualname__, hint, subject=subject) from error
    return text
