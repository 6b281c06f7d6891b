# Generated from src/durably/aio/_generations.py; do not edit: `make generate`.
"""Endless workflows."""

from __future__ import annotations

from typing import Any, NoReturn

from durably.engine.context import current_run

__all__ = ["continue_as_new"]


def continue_as_new(*args: Any, **kwargs: Any) -> NoReturn:
    """End this run of the workflow and begin it anew at once, under the same id, with these arguments.

    For workflows without an end: what a run has to replay stays short. Each generation that ended is a
    finished workflow of its own, `<id>/1`, `<id>/2`, ... (see `client.list_workflow_generations`); events,
    streams, messages that were not received, the deadline and whoever waits for the result stay with the id.
    It does not return: code behind it does not run, `finally` does. A method of the workflow does the same,
    with arguments that are checked: `poll.continue_as_new(cursor)`.

        sync.continue_as_new(cursor)
    """
    current_run().continue_as_new(args, kwargs)
