"""A schedule and a debounce: a digest at fixed times, and one index run for many edits.

    pip install 'durably[embedded]'
    python examples/digest.py

Each time of the schedule has one run, however many processes keep it; what nobody could start in time is
started later. Edits of one page that follow each other are indexed once, with the last text.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from durably import App, Debounce

app = App("digest")


@app.workflow()
async def digest(time: datetime, readers: list[str]) -> str:
    """Write what happened until a time."""
    return f"{time:%H:%M} for {', '.join(readers)}"


@app.workflow()
async def index(page: str, text: str) -> str:
    """Index a page."""
    return f"{page}: {text}"


app.schedule(
    "digest", digest, "30 7 * * *", cron_timezone="Europe/Berlin", context=["Ada", "Bob"], overlap="skip"
)


async def main() -> None:
    """Show the next times, make up for a day that was missed, and edit a page twice."""
    async with app:
        for time in await app.client.preview_schedule("digest", 2, after=datetime(2027, 3, 27, tzinfo=UTC)):
            print(time)
        day, next_day = datetime(2026, 11, 2, tzinfo=UTC), datetime(2026, 11, 3, tzinfo=UTC)
        for handle in await app.client.backfill_schedule("digest", day, next_day):
            print(await handle.get_result())
        edits = [await index.debounce(Debounce("home", period=1), "home", text) for text in ("a", "a page")]
        print(await edits[0].get_result())


if __name__ == "__main__":
    asyncio.run(main())
