"""Attributes of a workflow: a JSON object that is stored beside it, to find it by."""

from __future__ import annotations

from collections.abc import Mapping

from durably.codec.registry import Codecs
from durably.errors import InvalidOption

__all__ = ["attributes_text"]


def attributes_text(codecs: Codecs, value: object) -> str | None:
    """The JSON text of attributes; None for none."""
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise InvalidOption("attributes", value, "it must be a JSON object: pass a dict with text keys")
    text = codecs.get("portable_json").encode(dict(value), subject="attributes")
    if "\\u0000" in text:
        raise InvalidOption("attributes", value, "PostgreSQL's jsonb stores no NUL characters")
    return text
