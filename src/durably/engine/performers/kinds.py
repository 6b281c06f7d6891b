"""The shape of a performer: the run, the operation's number and its record, or the step that it is in."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeAlias

from durably.core.ports import HistoryRow

if TYPE_CHECKING:
    from durably.engine.run import Run

__all__ = ["InsideStep", "Performers"]

Performers: TypeAlias = "dict[type, Callable[[Run, int, HistoryRow | None, Any], Coroutine[Any, Any, Any]]]"
InsideStep: TypeAlias = "dict[type, Callable[[Run, int, Any], Coroutine[Any, Any, Any]]]"
