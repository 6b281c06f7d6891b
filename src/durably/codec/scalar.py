"""The JSON text of instants, decimals and bytes."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from decimal import Decimal

__all__ = ["base64_text", "decimal_text", "instant_text"]

_PLAIN_DIGITS = 1000  # beyond that, plain notation is a denial of service (1E+999999999)


def instant_text(value: datetime, *, milliseconds: bool = False) -> str:
    """Return an instant as UTC with `Z`: `2025-06-15T15:06:40.000Z`.

    A naive datetime is taken as UTC. Microseconds are written only where there are any.
    """
    naive = value.replace(tzinfo=None) if value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None)
    coarse = milliseconds or naive.microsecond % 1000 == 0
    return naive.isoformat(timespec="milliseconds" if coarse else "microseconds") + "Z"


def decimal_text(value: Decimal) -> str:
    """Return a decimal in plain notation: `100000`, never `1E+5`."""
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and abs(exponent) > _PLAIN_DIGITS:
        return str(value)
    return format(value, "f")


def base64_text(value: bytes | bytearray | memoryview) -> str:
    """Return bytes as base64 with padding."""
    return base64.b64encode(value).decode()
