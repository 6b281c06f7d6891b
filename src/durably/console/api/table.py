"""Every route of the API, by noun."""

from __future__ import annotations

from durably.console.api import (
    access,
    administration,
    bulk,
    enqueueing,
    messages,
    outcomes,
    pieces,
    queues,
    schedules,
    steering,
    versions,
)
from durably.console.api import workflows as looking
from durably.console.api.route import Route

__all__ = ["NOUNS", "ROUTES"]

NOUNS: dict[str, tuple[str, tuple[Route, ...]]] = {
    module.__name__.rpartition(".")[2]: (title, module.ROUTES)
    for title, module in (
        ("Begin workflows", enqueueing),
        ("Look at workflows", looking),
        ("Results, events, streams", outcomes),
        ("Look closely", pieces),
        ("Messages", messages),
        ("Steer a workflow", steering),
        ("Steer many workflows", bulk),
        ("Queues", queues),
        ("Schedules", schedules),
        ("Versions", versions),
        ("Database", administration),
        ("Tokens and audit", access),
    )
}

ROUTES: tuple[Route, ...] = tuple(route for _, routes in NOUNS.values() for route in routes)
