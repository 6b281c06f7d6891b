"""Values on a command line: JSON, or text where it is not JSON."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from durably.cli.failures import UsageError

__all__ = ["json_object", "value"]


def value(text: str) -> Any:
    """The JSON value that the text is, otherwise the text itself.

    value('["a1"]')  # ['a1']
    value('hello')   # 'hello'
    value('"7"')     # '7'
    """
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return text


def json_object(option: str, text: str | None) -> dict[str, Any]:
    """The JSON object that an option was given."""
    if text is None:
        return {}
    try:
        found = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{option} is not JSON: {error}; write it like '{{\"seat\": 1}}'") from None
    if not isinstance(found, dict):
        raise UsageError(f"{option} must be a JSON object, like '{{\"seat\": 1}}', and is {text!r}")
    return found


def _refuse(constant: str) -> NoReturn:
    """NaN and Infinity are Python's, not JSON's."""
    raise ValueError(f"{constant} is not JSON")
