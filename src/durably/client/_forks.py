"""Workflows that begin again: as another one (fork), or in place (rewind)."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from durably.client import _edits as edits
from durably.client import _filters as filters
from durably.client import _records as records
from durably.client._base import Part
from durably.client.handles import AsyncWorkflowHandle
from durably.core import checks, names
from durably.core.names import INTERNAL_QUEUE
from durably.core.records import Fork, Rewind
from durably.errors import InvalidOption, NoSuchWorkflow
from durably.store import forks, workflows
from durably.types import Arguments, Seconds, StartStep

__all__ = ["Forks"]

NewId = Callable[[], str]


class Forks(Part):
    """What begins workflows again."""

    def fork_workflow(
        self,
        workflow_id: str,
        start_step: StartStep = None,
        *,
        new_workflow_id: str | None = None,
        app_version: str | None = None,
        queue_name: str | None = None,
        queue_partition_key: str | None = None,
        timeout: Seconds | None = None,
        replacement_children: Mapping[str, str] | None = None,
        arguments: Arguments | tuple[Sequence[Any], Mapping[str, Any]] | None = None,
        outputs: Mapping[int, Any] | None = None,
    ) -> Coroutine[Any, Any, AsyncWorkflowHandle[Any]]:
        """Begin a new workflow with what another one, in whatever status, recorded before `start_step`.

        `start_step` is a `function_id` of its steps: that operation runs anew, and all behind it. Left out,
        nothing is kept; "failure" is the operation whose error ended it, else its last one that failed, else
        what comes behind its last one. Operations count from 1, those of TypeScript applications from 0.

        The fork goes on `queue_name` (DBOS's internal queue unless given), for whichever version runs unless
        `app_version` is given. `replacement_children` puts other ids in place of recorded children's.
        `arguments` takes the place of the inputs; `outputs` gives operations that are kept another outcome: a
        value, or an exception. Its attributes tell what was edited, as `{"durably.edited": {"input": bool,
        "outputs": [numbers]}}`, and its steps are marked. The same `new_workflow_id` again is the same fork.

        Raises NoSuchWorkflow, NoSuchStep, InvalidOption, WorkflowIdInUse; then nothing was written.

            fork = await client.fork_workflow("order-17", 3, outputs={2: "receipt-2"})
        """
        wanted = {
            "workflow_id": checks.address("workflow_id", workflow_id),
            "replacement_children": _children(replacement_children),
            **self._common(start_step, app_version, queue_name, queue_partition_key, timeout),
        }
        chosen = checks.optional_name("new_workflow_id", new_workflow_id)
        inputs, values = edits.arguments(arguments), edits.outputs(outputs, start_step)

        async def fork(new_id: NewId) -> str:
            made = chosen or new_id()
            edited = await self._edited(workflow_id, inputs, values)
            (met,) = await self._fork([Fork(new_id=made, **wanted, **edited)], strict=True)
            edits.raise_refused(met, "forked", values)
            return made

        return self._perform(names.FORK_WORKFLOW, fork, self._handle)

    def fork_workflows(
        self,
        workflow_ids: Sequence[str],
        start_step: StartStep = None,
        *,
        app_version: str | None = None,
        queue_name: str | None = None,
        queue_partition_key: str | None = None,
        timeout: Seconds | None = None,
    ) -> Coroutine[Any, Any, list[AsyncWorkflowHandle[Any]]]:
        """Fork workflows in one transaction, all or, when one of them cannot be, none; see `fork_workflow`.

        forks = await client.fork_workflows(["order-17", "order-18"], "failure")
        """
        ids = filters.addresses("workflow_ids", workflow_ids)
        common = self._common(start_step, app_version, queue_name, queue_partition_key, timeout)

        async def fork(new_id: NewId) -> list[str]:
            made = [Fork(workflow_id=each, new_id=new_id(), **common) for each in ids]
            for met in await self._fork(made, strict=True):
                edits.raise_refused(met, "forked", {})
            return [record.new_id for record in made]

        return self._perform(names.FORK_WORKFLOW, fork, lambda made: [self._handle(each) for each in made])

    def rewind_workflow(
        self,
        workflow_id: str,
        start_step: StartStep = None,
        *,
        app_version: str | None = None,
        queue_name: str | None = None,
        queue_partition_key: str | None = None,
        arguments: Arguments | tuple[Sequence[Any], Mapping[str, Any]] | None = None,
        outputs: Mapping[int, Any] | None = None,
    ) -> Coroutine[Any, Any, AsyncWorkflowHandle[Any]]:
        """Let a workflow that has ended go on from `start_step` under its id; what came after is forgotten.

        `start_step`, `arguments`, `outputs` and the queue are those of `fork_workflow`. Messages that it took
        since then, and those that it has not taken, are gone; events have the value that they had. A child
        keeps its id, and so its outcome: rewind or delete it too where it is to run again. What transactions
        of an application recorded in its own database is out of a client's reach: where it has such, rewind
        with `app.client`, or they give back what they gave before.

        Raises NoSuchWorkflow, WrongStatus for one that has not ended, NoSuchStep, InvalidOption.

            handle = await client.rewind_workflow("order-17", "failure")
        """
        wanted = {
            "workflow_id": checks.address("workflow_id", workflow_id),
            **self._common(start_step, app_version, queue_name, queue_partition_key),
        }
        inputs, values = edits.arguments(arguments), edits.outputs(outputs, start_step)

        async def rewind(new_id: NewId) -> str:
            token = new_id()
            edited = await self._edited(workflow_id, inputs, values)
            (met,) = await self._rewind([Rewind(token=token, **wanted, **edited)], strict=True)
            edits.raise_refused(met, "rewound", values)
            return workflow_id

        return self._perform(names.REWIND_WORKFLOW, rewind, self._handle)

    def rewind_workflows(
        self,
        workflow_ids: Sequence[str],
        start_step: StartStep = None,
        *,
        app_version: str | None = None,
        queue_name: str | None = None,
        queue_partition_key: str | None = None,
    ) -> Coroutine[Any, Any, list[AsyncWorkflowHandle[Any]]]:
        """Rewind workflows in one transaction, all or, when one of them cannot be, none.

        See `rewind_workflow`.

            handles = await client.rewind_workflows(["order-17", "order-18"], "failure")
        """
        ids = filters.addresses("workflow_ids", workflow_ids)
        common = self._common(start_step, app_version, queue_name, queue_partition_key)

        async def rewind(new_id: NewId) -> list[str]:
            token = new_id()
            wanted = [Rewind(workflow_id=each, token=token, **common) for each in ids]
            for met in await self._rewind(wanted, strict=True):
                edits.raise_refused(met, "rewound", {})
            return ids

        return self._perform(
            names.REWIND_WORKFLOW, rewind, lambda found: [self._handle(each) for each in found]
        )

    def _common(
        self,
        start_step: StartStep,
        app_version: str | None,
        queue_name: str | None,
        queue_partition_key: str | None,
        timeout: Seconds | None = None,
    ) -> dict[str, Any]:
        """The fields of a record that all of one call share."""
        common = {
            **edits.start(start_step),
            "app_version": checks.optional_name("app_version", app_version),
            "queue_name": INTERNAL_QUEUE if queue_name is None else records.queue("queue_name", queue_name),
            "queue_partition_key": checks.optional_name("queue_partition_key", queue_partition_key),
        }
        seconds = records.milliseconds(checks.duration("timeout", timeout, zero=False))
        return common if seconds is None else {**common, "timeout_ms": seconds}

    async def _edited(
        self, workflow_id: str, inputs: Arguments | None, values: Mapping[int, Any]
    ) -> dict[str, Any]:
        """Edits as the record has them; what is put in place of the inputs has the format that they have."""
        codecs, serialization = self._session.settings.codecs, None
        if inputs is not None:
            row = await self._session.call(
                lambda open_: workflows.get(open_.database, workflow_id, load_input=False, load_output=False)
            )
            if row is None:
                raise NoSuchWorkflow(workflow_id)
            serialization = row["serialization"]
        return {
            "outputs": edits.encoded_outputs(codecs, values),
            **edits.encoded_inputs(codecs, inputs, serialization),
        }

    async def _fork(self, wanted: Sequence[Fork], *, strict: bool) -> list[dict[str, Any]]:
        owner = self._session.settings.application_name
        named = [replace(record, application_name=owner) for record in wanted]
        return await self._session.call(
            lambda open_: forks.fork(open_.database, named, strict=strict, keep_limits=open_.keeps_limits)
        )

    async def _rewind(self, wanted: Sequence[Rewind], *, strict: bool) -> list[dict[str, Any]]:
        return await self._session.call(lambda open_: forks.rewind(open_.database, wanted, strict=strict))


def _children(given: object) -> dict[str, str] | None:
    if given is None:
        return None
    if not isinstance(given, Mapping):
        raise InvalidOption("replacement_children", given, "pass {recorded child's id: other id}")
    check = checks.address
    return {
        check("replacement_children", old): check("replacement_children", new) for old, new in given.items()
    }
