"""Warnings that name the line of the caller's code, whichever thread and loop the call went through."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial

from durably.concurrency.portal import has_calling_thread, in_calling_thread

__all__ = ["quiet", "warn"]

OURS = ("durably", "contextlib", "functools")

_quiet: ContextVar[bool] = ContextVar("durably_quiet", default=False)


@contextmanager
def quiet() -> Iterator[None]:
    """No warnings here: whoever asked is told the same in the answer."""
    token = _quiet.set(True)
    try:
        yield
    finally:
        _quiet.reset(token)


async def warn(warning: Warning) -> None:
    """Warn where the caller of durably stands; raises it where the caller's filters say so."""
    if _quiet.get():
        return
    if has_calling_thread():
        await in_calling_thread(partial(_warn, warning))
    else:
        _warn(warning)


def _warn(warning: Warning) -> None:
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in OURS:
        level, frame = level + 1, frame.f_back
    warnings.warn(warning, stacklevel=level)
