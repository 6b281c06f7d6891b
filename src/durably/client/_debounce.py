"""Debounce: of many calls in a short time, one workflow, with the last one's arguments."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from msgspec.structs import replace

from durably.client import _records as records
from durably.client._base import Part
from durably.client.handles import AsyncWorkflowHandle
from durably.core import checks, names
from durably.core.records import Create
from durably.errors import InvalidOption
from durably.store import debounce
from durably.types import Debounce, EnqueueOptions

__all__ = ["Debouncing"]

TYPESCRIPT = "js_superjson"
AGAIN = 0.002  # seconds: another call, or the end of the delay, is being committed
NOT_WITH_IT = {
    "deduplication_id": (None, "the key is what deduplicates"),
    "delay": (None, "the period is the delay"),
    "priority": (None, "a debounced workflow has none"),
    "queue_partition_key": (None, "a partitioned queue deduplicates nothing"),
    "duplication_policy": ("reject", "calls of a key that is waiting are one workflow in any case"),
    "workflow_id_reuse_policy": (None, "calls of a key that is waiting are one workflow"),
    "max_recovery_attempts": (50, "give it where the workflow is written"),
}


class Debouncing(Part):
    """What starts a workflow once, when calls have ceased."""

    def debounce(
        self, options: EnqueueOptions[..., Any], debounce: Debounce, /, *args: Any, **kwargs: Any
    ) -> Coroutine[Any, Any, AsyncWorkflowHandle[Any]]:
        """Start a workflow when no call of this key has come for a period; returns the handle of that run.

        Each call moves the start to `debounce.period` seconds from now, but not beyond `debounce.timeout`
        seconds after the first, and replaces the arguments. Keys are of one workflow name and queue; calls
        from DBOS's clients count too. TypeScript's applications form keys in another way, which is used with
        serialization="js_superjson". In a workflow of the application this is one recorded step,
        committed with the debounced workflow, whose parent is the one that called first.

        Raises InvalidOption for options that debouncing excludes, and Deduplicated where the key is the
        deduplication id of another workflow or application.

            handle = await client.debounce(EnqueueOptions(workflow_name="index", queue_name="searches"),
                                           Debounce("page-7", period=5, timeout=60), "page-7")
        """
        chosen = records.as_options(options)
        period, deadline = _checked(debounce)
        _refuse_others(chosen)
        settings = self._session.settings
        blank = records.Blank(
            chosen,
            codecs=settings.codecs,
            application_name=settings.application_name,
            ids=self._session,
        )
        record = blank.record(args, kwargs)
        record = replace(
            record, deduplication_id=_key(record, debounce.key), parent_workflow_id=self._caller_id()
        )

        async def call(new_id: Callable[[], str]) -> str:
            made = replace(record, workflow_id=chosen.workflow_id or new_id())
            return await self._debounced(made, period, deadline)

        return self._perform(
            names.DEBOUNCE,
            call,
            lambda workflow_id: self._handle(workflow_id, chosen.result_type),
            together=True,
        )

    async def _debounced(self, record: Create, period_ms: int, deadline_ms: int | None) -> str:
        while True:
            workflow_id = await self._session.call(
                lambda open_: debounce.debounce(
                    open_.database, record, period_ms=period_ms, deadline_ms=deadline_ms
                )
            )
            if workflow_id is not None:
                return workflow_id
            await self._session.again(AGAIN)


def _checked(given: Debounce) -> tuple[int, int | None]:
    if not isinstance(given, Debounce):
        raise InvalidOption("debounce", given, "pass Debounce(key, period=seconds)")
    checks.name("key", given.key)
    period = records.milliseconds(checks.duration("period", given.period, zero=True))
    return period or 0, records.milliseconds(checks.duration("timeout", given.timeout, zero=False))


def _refuse_others(options: EnqueueOptions[..., Any]) -> None:
    for option, (plain, why) in NOT_WITH_IT.items():
        if (value := getattr(options, option)) != plain:
            raise InvalidOption(option, value, f"it does not go with a debounce: {why}; leave it out")


def _key(record: Create, key: str) -> str:
    if record.serialization != TYPESCRIPT:
        return f"{record.name}-{key}"
    return f"{record.class_name or ''}.{record.name}-{key}"
