"""Numbers as a person says them."""

from __future__ import annotations

__all__ = ["ago", "counted", "size"]

UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def ago(seconds: float) -> str:
    """A duration in its largest unit: ago(7300) is '2 h'."""
    for unit, name in UNITS:
        if seconds >= unit:
            return f"{seconds / unit:.0f} {name}"
    return f"{max(seconds, 0):.1f} s"


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """counted(1, "row") is '1 row', counted(2, "row") '2 rows'."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def size(octets: float) -> str:
    """size(2048) is '2.0 kB'."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if octets < 1024:
            return f"{octets:.0f} {unit}" if unit == "bytes" else f"{octets:.1f} {unit}"
        octets /= 1024
    return f"{octets:.1f} TB"
