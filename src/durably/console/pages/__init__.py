"""The console's pages, one module for each; `PAGES` is all of them."""

from __future__ import annotations

from durably.console.pages import (
    api,
    audit,
    bulk,
    dead,
    fleet,
    login,
    overview,
    queues,
    run,
    run_deeds,
    run_fork,
    runs,
    schedules,
    start,
)
from durably.console.visit import Page

__all__ = ["PAGES"]

PAGES: tuple[Page, ...] = (
    *api.PAGES,
    *login.PAGES,
    *overview.PAGES,
    *runs.PAGES,
    *bulk.PAGES,
    *queues.PAGES,
    *run.PAGES,
    *run_deeds.PAGES,
    *run_fork.PAGES,
    *schedules.PAGES,
    *fleet.PAGES,
    *dead.PAGES,
    *start.PAGES,
    *audit.PAGES,
)
