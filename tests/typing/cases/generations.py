"""Endless workflows: the next generation's arguments are those of the workflow, and nothing comes back."""

from __future__ import annotations

from typing import assert_type

from durably import App, aio, sync

app = App("a")


@app.workflow()
async def poll(cursor: int, *, found: int = 0) -> str:
    if cursor > 3:
        return "over"
    if cursor > 2:
        poll.continue_as_new("3")  # E: mypy[arg-type] pyright[reportArgumentType]
    poll.continue_as_new(cursor + 1, found=1)  # no `return` is missing


@app.workflow()
def poll_blocking(cursor: int) -> str:
    with sync.shield(timeout=5):
        sync.sleep(0)
    sync.continue_as_new(cursor + 1)


async def shielded() -> None:
    async with aio.shield() as nothing:
        assert_type(nothing, None)
