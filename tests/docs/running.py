"""Runs an example from a docstring, with the names that its reader knows."""

from __future__ import annotations

import ast
import inspect
from dataclasses import dataclass
from datetime import UTC, datetime
from types import CodeType
from typing import Any

from psycopg import AsyncConnection

import durably
from durably import EnqueueOptions, declare_workflow

__all__ = [
    "DATE",
    "Decision",
    "Question",
    "TicketInfo",
    "compiled",
    "declared_purchase",
    "execute",
    "execute_blocking",
    "names",
]

DATE = datetime(2025, 5, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Question:
    may: str


@dataclass(frozen=True)
class Decision:
    ok: bool


@dataclass(frozen=True)
class TicketInfo:
    event: str


@declare_workflow(name="purchaseTicket", class_name="DBOSTicketAuthority", queue_name="ticketQueue")
def declared_purchase(event: str, seats: list[str], date: datetime) -> TicketInfo:
    """What the examples of declared workflows call `purchase_ticket`."""
    raise AssertionError


def add(one: int, other: int) -> int:
    return one + other


def compiled(name: str, example: str) -> CodeType:
    """Return an example's code; it may await."""
    code: CodeType = compile(example, f"<example of {name}>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    return code


async def execute(code: CodeType, namespace: dict[str, Any]) -> None:
    """Run an example; the loop that it prints in had something to go through."""
    printed = _noted(namespace)
    if inspect.iscoroutine(running := eval(code, namespace)):
        await running
    assert printed or "print" not in code.co_names, "the example printed nothing"


def execute_blocking(code: CodeType, namespace: dict[str, Any]) -> None:
    """Run an example of blocking code, which has no `await`."""
    printed = _noted(namespace)
    assert eval(code, namespace) is None, "an example of blocking code awaits"
    assert printed or "print" not in code.co_names, "the example printed nothing"


def _noted(namespace: dict[str, Any]) -> list[object]:
    printed: list[object] = []
    namespace["print"] = lambda *values: printed.append(values)
    return printed


def names(**more: Any) -> dict[str, Any]:
    """What every reader of an example has: durably's public names, the standard library, plain values."""
    return {
        **{name: getattr(durably, name) for name in durably.__all__},
        "datetime": datetime, "UTC": UTC, "date": DATE, "AsyncConnection": AsyncConnection, "add": add,
        "Question": Question, "Decision": Decision, "TicketInfo": TicketInfo,
        "ids": ["order-17", "order-18"], "payment_id": "payment-4", "order": "order-17", "cursor": "",
        "total": 1000, "pages": ["one", "two"], "start": 0, "migrate_the_provider": lambda: None,
        "options": EnqueueOptions(workflow_name="square", queue_name="sums"),
        **more,
    }  # fmt: skip
