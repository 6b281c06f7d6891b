# Generated from src/durably/aio/_patches.py; do not edit: `make generate`.
"""Changes of a workflow's code while workflows are under way."""

from __future__ import annotations

from durably.core import checks, ops
from durably.engine.context import current_run

__all__ = ["deprecate_patch", "patch"]


def patch(name: str) -> bool:
    """Whether the run takes the new branch: False where it went past this place before the change.

    Nothing else of the workflow may be under way. When no run of before the change is left, call
    `deprecate_patch`; when none is left that took the branch by `patch`, remove that too.

        if sync.patch("charge-in-cents"):
            charge_cents(total)
        else:
            charge(total)
    """
    return current_run().perform_blocking(ops.Patch(checks.name("name", name)))


def deprecate_patch(name: str) -> bool:
    """Go on where runs have the marker of a patch that every run takes by now; always True.

    sync.deprecate_patch("charge-in-cents")
    charge_cents(total)
    """
    return current_run().perform_blocking(ops.Patch(checks.name("name", name), deprecated=True))
