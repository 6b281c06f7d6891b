"""Health and metrics of a worker over HTTP: `/metrics`, `/health/live`, `/health/ready`; an ASGI application.

    web = FastAPI(lifespan=app.lifespan)
    web.mount("/internal", health_app(app))       # before the application starts

`durably worker MODULE:APP --http ADDRESS:PORT` serves it on a thread of its own, so that it also answers
while the application's event loop is blocked, and says so. It asks the database nothing.

A worker is live unless its loop is late by more than `max_lag` seconds: an outage of the database is no
reason to restart it. It is ready while it takes work, and reaches the database. Needs the extra `console`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from durably.integrations.prometheus import Prometheus

if TYPE_CHECKING:
    from starlette.requests import Request

    from durably.app import App
    from durably.observing import Vitals

__all__ = ["health_app"]


def health_app(app: App, *, max_lag: float = 5.0) -> Starlette:
    """The ASGI application that tells how this process's `app` is; made before `app` starts.

    `max_lag` is the seconds by which its event loop may be late. `/metrics` has what the application's own
    `Prometheus` observer knows; without one, it is given one.

        web.mount("/internal", health_app(app))
    """
    metrics = next((each for each in app.observers if isinstance(each, Prometheus)), None)
    if metrics is None:
        metrics = Prometheus()
        app.observers.append(metrics)
    observer = metrics

    async def exposition(_: Request) -> Response:
        return Response(observer.exposition(), headers={"content-type": observer.content_type})

    async def live(_: Request) -> Response:
        signs = app.vitals()
        return _answer(signs, [*_late(signs, max_lag)])

    async def ready(_: Request) -> Response:
        signs = app.vitals()
        return _answer(signs, [*_late(signs, max_lag), *_unready(signs)])

    return Starlette(
        routes=[
            Route("/metrics", exposition),
            Route("/health/live", live),
            Route("/health/ready", ready),
        ]
    )


def _late(signs: Vitals, most: float) -> Iterator[str]:
    if signs.loop_lag > most:
        yield f"the event loop has been blocked for {signs.loop_lag:.1f} s, longer than {most:g} s"


def _unready(signs: Vitals) -> Iterator[str]:
    if signs.state == "draining":
        yield "it is draining: it takes no more work, and lets runs end"
    elif signs.state == "stopped":
        yield "the application is not running"
    if signs.database_error is not None:
        yield f"the database cannot be reached: {signs.database_error}"
    if signs.lease_age is not None and signs.lease_age > signs.lease:
        yield f"its lease of {signs.lease:g} s was renewed {signs.lease_age:.1f} s ago"


def _answer(signs: Vitals, reasons: list[str]) -> Response:
    body = {"ok": not reasons, "reasons": reasons, **asdict(signs)}
    return JSONResponse(body, status_code=503 if reasons else 200, headers={"cache-control": "no-store"})
