"""Plain pickles: read without `py_pickle` being allowed, and without running anything."""

from __future__ import annotations

import base64
import os
import pickle
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from durably.codec import Codecs, Pickle, encode_scheduled
from durably.errors import DecodeError, EncodeError

PLAIN = [
    None,
    True,
    2**70,
    1.5,
    "text",
    b"bytes",
    [1, (2, {"a": {3}})],
    frozenset({1}),
    complex(1, 2),
    Decimal("1.50"),
    date(2026, 11, 26),
    timedelta(days=1),
    datetime(2026, 11, 26, tzinfo=UTC),
    datetime(2026, 11, 26, tzinfo=timezone(timedelta(hours=2))),
    datetime(2026, 3, 29, 3, tzinfo=ZoneInfo("Europe/Berlin")),
]


def written(value: object) -> str:
    return base64.b64encode(pickle.dumps(value, 4)).decode()


@pytest.mark.parametrize("value", PLAIN, ids=repr)
def test_plain_values_are_read_by_everybody(value: object) -> None:
    assert Codecs().decode(written(value), None) == value
    assert Codecs().decode_scheduled(encode_scheduled(value)) == value


class Runs:
    """Runs something when it is unpickled."""

    def __init__(self, function: Callable[..., Any], *args: Any) -> None:
        self._what = function, args

    def __reduce__(self) -> Any:
        return self._what


@pytest.mark.parametrize(
    "value",
    [
        Runs(os.system, "true"),
        Runs(eval, "1"),
        Runs(getattr, ZoneInfo, "from_file"),
        Runs(getattr, "text", "format"),
        Runs(setattr, ZoneInfo, "key", 1),
        Runs(KeyboardInterrupt),
        Runs(ZoneInfo, "../../etc/passwd"),
        UUID(int=1),
    ],
    ids=lambda value: str(getattr(value, "_what", value)),
)
def test_nothing_else_is(value: object) -> None:
    with pytest.raises(DecodeError):
        Codecs().decode(written(value), None)
    with pytest.raises(EncodeError, match="which every process can read"):
        encode_scheduled(value)


def test_a_class_that_a_pickle_names_cannot_be_altered_by_it() -> None:
    alters = b"\x80\x04cdatetime\ndatetime\nN}\x8c\x03minK\x01s\x86b."  # BUILD on the class itself
    text = base64.b64encode(alters).decode()
    Codecs().decode(text, None)  # alters a function that was made for this pickle
    assert datetime.min.year == 1


def test_how_to_allow_more_is_told() -> None:
    with pytest.raises(DecodeError, match=r"no plain value.*allow it: allow_serializations=\['py_pickle'\]"):
        Codecs().decode(written(UUID(int=1)), None)
    assert Codecs(allow=["py_pickle"]).decode(written(UUID(int=1)), None) == UUID(int=1)


def test_errors_that_scheduled_runs_end_with_come_back() -> None:
    text = Codecs().reader(None, written(None)).encode_error(ValueError("no paper"))
    error = Codecs().decode_error("w", text, None)
    assert "no paper" in str(error)
    assert "no paper" in str(Pickle().decode(text))  # as DBOS reads it
    theirs = written(RuntimeError("by DBOS"))
    assert str(Codecs().decode_error("w", theirs, None)) == "by DBOS"
