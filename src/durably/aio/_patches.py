"""Changes of a workflow's code while workflows are under way."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from durably.core import checks, ops
from durably.engine.context import current_run

__all__ = ["deprecate_patch", "patch"]


def patch(name: str) -> Coroutine[Any, Any, bool]:
    """Whether the run takes the new branch: False where it went past this place before the change.

    Nothing else of the workflow may be under way. When no run of before the change is left, call
    `deprecate_patch`; when none is left that took the branch by `patch`, remove that too.

        if await aio.patch("charge-in-cents"):
            await charge_cents(total)
        else:
            await charge(total)
    """
    return current_run().perform(ops.Patch(checks.name("name", name)))


def deprecate_patch(name: str) -> Coroutine[Any, Any, bool]:
    """Go on where runs have the marker of a patch that every run takes by now; always True.

    await aio.deprecate_patch("charge-in-cents")
    await charge_cents(total)
    """
    return current_run().perform(ops.Patch(checks.name("name", name), deprecated=True))
