"""Transactions: money moves between accounts exactly once, whatever becomes of the process in between.

    pip install 'durably[embedded]'
    python examples/transfer.py

What the function writes and durably's record of its outcome are one commit. A crash before it has moved
nothing, a crash after it has moved the money, and the workflow that goes on elsewhere knows which.
"""

from __future__ import annotations

import asyncio
from typing import Any

from psycopg import AsyncConnection

from durably import App, aio

app = App("transfer")


@app.transaction()
async def open_accounts(connection: AsyncConnection[Any], balances: dict[str, int]) -> None:
    """Tables and rows of the application's own."""
    await connection.execute(
        "CREATE TABLE IF NOT EXISTS accounts (name text PRIMARY KEY, cents int NOT NULL)"
    )
    for name, cents in balances.items():
        insert = (
            "INSERT INTO accounts VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET cents = EXCLUDED.cents"
        )
        await connection.execute(insert, [name, cents])


@app.transaction()
async def move(connection: AsyncConnection[Any], source: str, target: str, cents: int) -> int:
    """Take from one account and give to the other; what the first has left."""
    taken = await connection.execute(
        "UPDATE accounts SET cents = cents - %s WHERE name = %s AND cents >= %s RETURNING cents",
        [cents, source, cents],
    )
    row = await taken.fetchone()
    if row is None:
        raise LookupError(f"{source} does not have {cents / 100:.2f}")
    await connection.execute("UPDATE accounts SET cents = cents + %s WHERE name = %s", [cents, target])
    left: int = row[0]
    return left


@app.workflow()
async def transfer(source: str, target: str, cents: int) -> str:
    """Move the money; a transfer that cannot be is an error of the transaction, which has undone it."""
    try:
        left = await move(source, target, cents)
    except LookupError as error:
        return str(error)
    await aio.set_event("moved", cents)
    return f"{source} has {left / 100:.2f} left"


@app.workflow()
async def setup(balances: dict[str, int]) -> None:
    """Open the accounts."""
    await open_accounts(balances)


async def main() -> None:
    """Move what there is, and what there is not."""
    async with app:
        await setup({"Ada": 5000, "Bob": 0})
        print(await transfer("Ada", "Bob", 2000))
        print(await transfer("Ada", "Bob", 9000))


if __name__ == "__main__":
    asyncio.run(main())
