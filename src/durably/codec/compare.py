"""Whether two calls have the same arguments, by what is stored of them."""

from __future__ import annotations

from typing import Any

from durably.codec.registry import Codecs
from durably.errors import CodecError

__all__ = ["same_arguments"]


def same_arguments(
    codecs: Codecs, text: str | None, name: str | None, other: str | None, other_name: str | None
) -> bool | None:
    """Whether the two are equal, whatever their formats; None where one of them cannot be read here."""
    if text == other and name == other_name:
        return True
    if text is None or other is None:
        return None
    try:
        return _read(codecs, text, name) == _read(codecs, other, other_name)
    except CodecError:
        return None


def _read(codecs: Codecs, text: str, name: str | None) -> tuple[list[Any], dict[str, Any]]:
    args, kwargs = codecs.reader(name, text).decode_arguments(text)
    return list(args), kwargs
