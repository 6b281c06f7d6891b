"""An application whose runs the console's tests look at: it fails, waits, sleeps, has children, streams."""

from __future__ import annotations

import asyncio
from typing import Any

from durably import App, aio

__all__ = ["application"]


class SoldOut(Exception):
    """With what a caller may want to know."""

    def __init__(self, seats: list[str]) -> None:
        super().__init__(f"sold out: {', '.join(seats)}")
        self.code = 409
        self.data = {"seats": seats}


def application(url: str) -> App:
    """The box office, not yet launched."""
    app = App("box-office", system_database_url=url)
    app.queue("tickets")

    @app.step(name="reserve")
    async def reserve(seats: list[str]) -> list[str]:
        if "gone" in seats:
            raise SoldOut(seats)
        await asyncio.sleep(0.02)
        return seats

    @app.step(name="charge")
    async def charge(seats: list[str], price: int) -> int:
        return price * len(seats)

    @app.workflow(name="ship")
    async def ship(seat: str) -> str:
        await aio.sleep(0.01)
        return f"shipped {seat}"

    @app.workflow(name="purchase")
    async def purchase(event: str, seats: list[str]) -> dict[str, Any]:
        total = await charge(seats, 25)
        await aio.set_event("status", {"stage": "charged", "total": total})
        held = await reserve(seats)
        await aio.write_stream("progress", {"held": held})
        children = [await ship.start(seat) for seat in held]
        shipped = [await child.get_result() for child in children]
        await aio.set_event("status", {"stage": "done", "total": total})
        return {"event": event, "total": total, "shipped": shipped}

    @app.workflow(name="approval")
    async def approval(order: str) -> Any:
        total = await charge(["a1"], 25)
        await aio.set_event("status", {"stage": "waiting", "total": total})
        answer = await aio.recv("approval", timeout=None)
        return {"order": order, "answer": answer}

    return app
