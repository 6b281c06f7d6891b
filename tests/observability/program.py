"""An application that is killed amid its second step: `python -m tests.observability.program URL SPANS MODE`.

MODE `hang` waits in the second step for the kill; `finish` does not.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path

from durably import App
from durably.integrations.otel import OpenTelemetry
from tests.observability.spans import to_file


async def main(url: str, spans: str, mode: str) -> None:
    logging.basicConfig(stream=sys.stdout, format="log %(workflow_id)s/%(step_id)s %(message)s", level="INFO")
    logging.getLogger().handlers[0].addFilter(lambda record: record.name == "shop")
    tracing = OpenTelemetry(tracer_provider=to_file(Path(spans)), metrics=False)
    app = App("shop", system_database_url=url, observers=[tracing])
    app.queue("orders")

    @app.step(name="reserve")
    async def reserve() -> str:
        app.logger.info("reserving")
        return "seat"

    @app.step(name="charge")
    async def charge() -> str:
        print("charging", flush=True)
        if mode == "hang":
            await asyncio.Event().wait()
        return "receipt"

    @app.workflow(name="order")
    async def order() -> str:
        app.logger.info("begins")
        seat = await reserve()
        app.logger.info("reserved")
        receipt = await charge()
        app.logger.info("charged")
        return f"{seat} {receipt}"

    async with app:
        print("ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
