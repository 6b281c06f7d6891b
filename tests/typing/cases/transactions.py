"""Transactions: called without the connection that they are given, with arguments that are checked."""

from typing import Any

import psycopg
from sqlalchemy.orm import Session

from durably.app import App

app = App("typed")


@app.transaction()
async def pay(connection: psycopg.AsyncConnection[Any], account: str, cents: int) -> int:
    return cents


@app.transaction(isolation="READ COMMITTED")
def count(session: Session, table: str = "payments") -> int:
    return len(table)


async def right() -> None:
    paid: int = await pay("ada", cents=5)
    counted: int = count()
    counted = count("orders")
    print(paid, counted)


async def wrong() -> None:
    await pay("ada", "five")  # E: mypy[arg-type] pyright[reportArgumentType]
    await pay("ada")  # E: mypy[call-arg] pyright[reportCallIssue]
    count(1)  # E: mypy[arg-type] pyright[reportArgumentType]
    text: str = await pay("ada", 5)  # E: mypy[assignment] pyright[reportAssignmentType]
    print(text)
