"""Reading JSON text that anybody may have written."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from durably.errors import DecodeError

__all__ = ["malformed", "read_json"]

_decode = msgspec.json.Decoder().decode


def read_json(text: str, name: str) -> Any:
    """Return plain JSON types; `NaN` and `Infinity`, as DBOS Python writes them, are read too.

    Every other text that is not JSON raises `DecodeError`, however it is broken.
    """
    try:
        return _decode(text)
    except (ValueError, RecursionError, msgspec.DecodeError, TypeError):
        return _read_leniently(text, name)


def _read_leniently(text: str, name: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError:
        raise malformed("it is nested too deeply", name) from None
    except (ValueError, TypeError) as error:
        raise malformed(str(error), name) from None


def malformed(why: str, name: str) -> DecodeError:
    """Return the error for a text that is not what its name says."""
    return DecodeError(f"the stored text is not {name}: {why}", serialization=name)
