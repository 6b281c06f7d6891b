"""What a forked child inherits and must not touch: the parent's sockets, selectors and loops."""

from __future__ import annotations

__all__ = ["keep_for_ever"]


def keep_for_ever(inherited: object) -> None:
    """Never finalize an object of the parent process in this one, not even at exit.

    A finalizer would act on what both processes share: an event loop that is collected takes its file
    descriptors off a selector that the parent is waiting on.
    """
    import ctypes  # here: only a forked child needs it

    ctypes.pythonapi.Py_IncRef(ctypes.py_object(inherited))
