"""One workflow looked at closely: in pages, and in pieces that are never larger than they are asked for."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from typing import Any

from durably.client import _decode as decode
from durably.client._base import Part
from durably.codec import Codecs
from durably.core import checks
from durably.core.names import STREAM_END
from durably.errors import CodecError, NoSuchWorkflow
from durably.store import inspection
from durably.types import (
    EventRecord,
    FamilyMember,
    MessageRecord,
    Payload,
    StepRecord,
    StepSummary,
    StreamInfo,
    StreamRecord,
    WorkflowAttempts,
    WorkflowPayloads,
)

__all__ = ["Inspection"]

LARGEST = 2**30


class Inspection(Part):
    """What looks at one workflow without reading more of it than is asked for; no workflow records it."""

    def get_workflow_payloads(
        self, workflow_id: str, *, most: int | None = None
    ) -> Coroutine[Any, Any, WorkflowPayloads]:
        """Return a workflow's input, and its output or error, as stored and, where they can be, decoded.

        Of each, `most` characters are read (None: all); what is longer is cut, and not decoded. Raises
        NoSuchWorkflow.

            print((await client.get_workflow_payloads("order-17", most=10_000)).input)
        """
        checks.address("workflow_id", workflow_id)
        characters = _most(most)
        codecs = self._session.settings.codecs

        def show(row: decode.Row | None) -> WorkflowPayloads:
            if row is None:
                raise NoSuchWorkflow(workflow_id)
            return WorkflowPayloads(
                input=_payload(codecs, row, "input", _arguments),
                output=_payload(codecs, row, "output"),
                error=_payload(codecs, row, "error", _error),
            )

        return self._look(lambda open_: inspection.payloads(open_.database, workflow_id, characters), show)

    def list_step_records(
        self,
        workflow_id: str,
        *,
        after: int = -1,
        limit: int = 100,
        only_failed: bool = False,
        most: int | None = 1000,
    ) -> Coroutine[Any, Any, list[StepRecord]]:
        """Return up to `limit` recorded operations behind the operation `after`, in order.

        With the state of their children, and up to `most` characters of what they recorded. The next page is
        behind the last one's `function_id`.

            page = await client.list_step_records("order-17", after=100)
        """
        checks.address("workflow_id", workflow_id)
        asked: dict[str, Any] = {
            "after": checks.whole("after", after, least=-1),
            "limit": checks.whole("limit", limit, least=1),
            "only_failed": bool(only_failed),
            "most": _most(most),
        }
        codecs = self._session.settings.codecs
        return self._look(
            lambda open_: inspection.steps(open_.database, workflow_id, **asked),
            lambda rows: [_step(codecs, row) for row in rows],
        )

    def summarize_steps(self, workflow_id: str, *, bins: int = 100) -> Coroutine[Any, Any, StepSummary]:
        """Return how many operations a workflow has recorded and when, without reading what they recorded.

        print((await client.summarize_steps("order-17")).failed)
        """
        checks.address("workflow_id", workflow_id)
        parts = checks.whole("bins", bins, least=1, most=10_000)
        return self._look(
            lambda open_: inspection.summary(open_.database, workflow_id, parts),
            lambda row: StepSummary(**row | {"bins": tuple(map(tuple, row["bins"]))}),
        )

    def list_workflow_family(
        self, workflow_id: str, *, limit: int = 300, breadth: int = 100
    ) -> Coroutine[Any, Any, list[FamilyMember]]:
        """Return a workflow with its ancestors and descendants, by depth, which is 0 for itself.

        Of each one's children at most `breadth`, of all its descendants the nearest `limit`. Raises
        NoSuchWorkflow.

            for run in await client.list_workflow_family("order-17"): print("  " * run.depth, run.name)
        """
        checks.address("workflow_id", workflow_id)
        most = checks.whole("limit", limit, least=0) + 1
        each = checks.whole("breadth", breadth, least=1)

        def show(rows: list[decode.Row]) -> list[FamilyMember]:
            if not rows:
                raise NoSuchWorkflow(workflow_id)
            return [FamilyMember(**row) for row in rows]

        return self._look(
            lambda open_: inspection.tree(open_.database, workflow_id, most=most, breadth=each), show
        )

    def get_workflow_attempts(
        self, workflow_id: str, *, most: int = 10_000
    ) -> Coroutine[Any, Any, WorkflowAttempts | None]:
        """Return what is known of a workflow's attempts: those of its `retry`, and the executor that has it.

        None where the database has no tables of durably's, and for an id that does not exist.

            attempts = await client.get_workflow_attempts("order-17")
            print(attempts and attempts.is_alive)
        """
        checks.address("workflow_id", workflow_id)
        characters = checks.whole("most", most, least=1)
        codecs = self._session.settings.codecs

        def show(row: decode.Row | None) -> WorkflowAttempts | None:
            if row is None:
                return None
            error = _payload(codecs, row, "error", _error)
            plain = {name: row[name] for name in row if name not in ("error_size", "serialization")}
            return WorkflowAttempts(**plain | {"error": error})

        return self._look(lambda open_: inspection.attempts(open_, workflow_id, characters), show)

    def list_message_records(
        self,
        workflow_id: str,
        *,
        before: tuple[int, str] | None = None,
        limit: int = 100,
        most: int | None = 1000,
    ) -> Coroutine[Any, Any, list[MessageRecord]]:
        """Return messages to a workflow, the newest first, with up to `most` characters of each.

        `before` is the `created_at_epoch_ms` and `message_uuid` of the last one of the page before.

            newest = await client.list_message_records("order-17", limit=10)
        """
        checks.address("workflow_id", workflow_id)
        asked: dict[str, Any] = {
            "before": before,
            "limit": checks.whole("limit", limit, least=1),
            "most": _most(most),
        }
        codecs = self._session.settings.codecs
        return self._look(
            lambda open_: inspection.messages(open_.database, workflow_id, **asked),
            lambda rows: [MessageRecord(**_with_payload(codecs, row, "message")) for row in rows],
        )

    def list_event_records(
        self, workflow_id: str, *, before: int | None = None, limit: int = 100, most: int | None = 1000
    ) -> Coroutine[Any, Any, list[EventRecord]]:
        """Return the values that a workflow's events have had before an operation, the latest first.

        for event in await client.list_event_records("order-17"): print(event.key, event.is_latest)
        """
        checks.address("workflow_id", workflow_id)
        asked: dict[str, Any] = {
            "before": before,
            "limit": checks.whole("limit", limit, least=1),
            "most": _most(most),
        }
        codecs = self._session.settings.codecs
        return self._look(
            lambda open_: inspection.events(open_.database, workflow_id, **asked),
            lambda rows: [EventRecord(**_with_payload(codecs, row, "value")) for row in rows],
        )

    def list_stream_keys(
        self, workflow_id: str, *, limit: int = 100
    ) -> Coroutine[Any, Any, list[StreamInfo]]:
        """Return the streams of a workflow, by key: how many values each has, and whether it is closed.

        for stream in await client.list_stream_keys("chat-17"): print(stream.key, stream.values)
        """
        checks.address("workflow_id", workflow_id)
        most = checks.whole("limit", limit, least=1)
        return self._look(
            lambda open_: inspection.stream_keys(open_.database, workflow_id, most),
            lambda rows: [
                StreamInfo(**row | {"values": row["values"] - bool(row["is_closed"])}) for row in rows
            ],
        )

    def list_stream_records(
        self, workflow_id: str, key: str, *, offset: int = 0, limit: int = 100, most: int | None = 1000
    ) -> Coroutine[Any, Any, list[StreamRecord]]:
        """Return values of a stream from an offset on that are there now, up to `most` characters of each.

        tail = await client.list_stream_records("chat-17", "tokens", offset=100)
        """
        checks.address("workflow_id", workflow_id)
        name = checks.address("key", key)
        asked: dict[str, Any] = {
            "offset": checks.whole("offset", offset, least=0),
            "limit": checks.whole("limit", limit, least=1),
            "most": _most(most),
        }
        codecs = self._session.settings.codecs
        return self._look(
            lambda open_: inspection.stream(open_.database, workflow_id, name, **asked),
            lambda rows: [
                StreamRecord(**_with_payload(codecs, row, "value"))
                for row in rows
                if row["value"] not in (STREAM_END, STREAM_END.strip('"'))
            ],
        )


def _most(most: int | None) -> int | None:
    return None if most is None else checks.whole("most", most, least=1, most=LARGEST)


def _step(codecs: Codecs, row: decode.Row) -> StepRecord:
    payloads = {"output": _payload(codecs, row, "output"), "error": _payload(codecs, row, "error", _error)}
    unused = ("output_size", "error_size", "serialization")
    return StepRecord(**{name: row[name] for name in row if name not in unused} | payloads)


def _with_payload(codecs: Codecs, row: decode.Row, name: str) -> dict[str, Any]:
    unused = (f"{name}_size", "serialization")
    return {key: row[key] for key in row if key not in unused} | {name: _payload(codecs, row, name)}


def _plain(codecs: Codecs, text: str, serialization: str | None) -> Any:
    return codecs.decode(text, serialization)


def _arguments(codecs: Codecs, text: str, serialization: str | None) -> Any:
    args, kwargs = codecs.reader(serialization, text).decode_arguments(text)
    return {"args": tuple(args), "kwargs": dict(kwargs)}


def _error(codecs: Codecs, text: str, serialization: str | None) -> BaseException:
    return codecs.decode_error("", text, serialization)


def _payload(codecs: Codecs, row: Mapping[str, Any], name: str, read: Any = _plain) -> Payload | None:
    """A column, of which the row has the first characters and, as `<name>_size`, the bytes of all."""
    text = row[name]
    if text is None:
        return None
    known = {"text": text, "size": row[f"{name}_size"], "serialization": row["serialization"]}
    if len(text.encode()) < known["size"]:
        return Payload(**known, is_cut=True)
    try:
        return Payload(**known, value=read(codecs, text, row["serialization"]))
    except CodecError as error:
        return Payload(**known, unreadable=str(error))
