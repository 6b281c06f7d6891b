"""The public values: what a type checker accepts and refuses."""

from __future__ import annotations

from datetime import timedelta

from durably.types import EnqueueOptions, Retry

EnqueueOptions(workflow_name="purchaseTicket", queue_name="ticketQueue", timeout=timedelta(minutes=1))
EnqueueOptions(workflow_name="purchaseTicket")  # E: mypy[call-arg] pyright[reportCallIssue]
EnqueueOptions(
    workflow_name="w", queue_name="q", duplication_policy="keep"
)  # E: mypy[arg-type] pyright[reportArgumentType]

Retry(attempts=5, on=(ConnectionError, TimeoutError))
Retry(attempts="five")  # E: mypy[arg-type] pyright[reportArgumentType]
