"""Messages: a bank account that is one long workflow, and is told what to do.

    pip install 'durably[embedded]'
    python examples/account.py

Nothing is polled: a workflow that waits for a message costs memory, no thread and no connection.
"""

from __future__ import annotations

import asyncio
from typing import Literal

import msgspec

from durably import App, aio

app = App("account")


class Posting(msgspec.Struct, frozen=True):
    """What the account is told."""

    kind: Literal["deposit", "withdraw", "close"]
    cents: int = 0


@app.step()
async def inform(text: str) -> str:
    """Write to the owner."""
    return text


@app.workflow()
async def account(owner: str) -> int:
    """Take postings in the order in which they were sent, until one closes the account."""
    balance = 0
    while True:
        posting = await aio.recv("postings", timeout=None, type=Posting)
        match posting:
            case Posting(kind="deposit", cents=cents):
                balance += cents
            case Posting(kind="withdraw", cents=cents) if cents <= balance:
                balance -= cents
            case Posting(kind="withdraw"):
                await inform(f"dear {owner}, there is not enough")
            case _:
                await inform(f"dear {owner}, {balance / 100:.2f} is yours")
                return balance
        await aio.set_event("balance", balance)


async def main() -> None:
    """Open an account, send postings, read the balance that is left."""
    async with app:
        handle = await account.options(workflow_id="account-1").start("Ada")
        for number, posting in enumerate(
            [Posting("deposit", 5000), Posting("withdraw", 9900), Posting("withdraw", 1200), Posting("close")]
        ):
            await handle.send(posting, "postings", idempotency_key=f"posting-{number}")
        print(await handle.get_result(), await handle.get_event("balance"))


if __name__ == "__main__":
    asyncio.run(main())
