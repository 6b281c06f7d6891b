"""From what a caller says to the records that are written; all that can be wrong is refused here."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from durably.client.declared import DeclaredOptions, DeclaredWorkflow
from durably.codec import Codec, Codecs, attributes_text, fitting
from durably.concurrency import trace
from durably.core import checks
from durably.core.names import INTERNAL_QUEUE, NULL_TOPIC, RESERVED_PREFIX
from durably.core.records import Create, Send
from durably.errors import CodecError, InvalidOption
from durably.types import EnqueueOptions

__all__ = ["Blank", "as_options", "message", "milliseconds", "queue", "writable"]

DEFAULT_ATTEMPTS = 50
DUPLICATION_POLICIES = ("reject", "return-existing")
REUSE_POLICIES = ("return-existing", "reject")


class Ids(Protocol):
    """Where new ids come from."""

    def new_id(self) -> str:
        """A random UUID."""
        ...


def as_options(given: Any) -> EnqueueOptions[..., Any]:
    """The options of what `enqueue` was given first."""
    if isinstance(given, DeclaredWorkflow):
        return given.options()
    if not isinstance(given, EnqueueOptions):
        raise InvalidOption("options", given, "pass EnqueueOptions, or a workflow made by declare_workflow")
    return given


class Blank:
    """Checked options, from which the records of many calls are made; InvalidOption if they cannot work."""

    def __init__(
        self, options: EnqueueOptions[..., Any], *, codecs: Codecs, application_name: str | None, ids: Ids
    ) -> None:
        _check_policies(options)
        self._options = options
        self._ids = ids
        self._codec = writable(codecs, options.serialization)
        self._workflow_id = checks.optional_name("workflow_id", options.workflow_id)
        self._fields: dict[str, Any] = {
            "name": checks.name("workflow_name", options.workflow_name),
            "class_name": checks.optional_name("workflow_class_name", options.workflow_class_name),
            "config_name": checks.optional_name("instance_name", options.instance_name),
            "queue_name": queue("queue_name", options.queue_name),
            "serialization": self._codec.name,
            "app_version": checks.optional_name("app_version", options.app_version),
            "application_name": checks.optional_name("application_name", options.application_name)
            or application_name,
            "authenticated_user": checks.optional_name("authenticated_user", options.authenticated_user),
            "authenticated_roles": _roles(codecs, options.authenticated_roles),
            "assumed_role": checks.optional_name("assumed_role", options.assumed_role),
            "priority": _priority(options.priority),
            "deduplication_id": checks.optional_name("deduplication_id", options.deduplication_id),
            "queue_partition_key": checks.optional_name("queue_partition_key", options.queue_partition_key),
            "delay_seconds": checks.duration("delay", options.delay, zero=True) or None,
            "timeout_ms": milliseconds(checks.duration("timeout", options.timeout, zero=False)),
            "attributes": attributes_text(codecs, trace.carried(options.attributes)),
            "max_recovery_attempts": _attempts(options.max_recovery_attempts),
        }

    def record(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Create:
        """The record that creates a workflow with these arguments; EncodeError if one cannot be written."""
        parameters = None
        if isinstance(self._options, DeclaredOptions):
            args, kwargs = self._options.bound(args, kwargs)
            parameters = self._options.parameters
        return Create(
            workflow_id=self._workflow_id or self._ids.new_id(),
            creator=self._ids.new_id(),
            inputs=fitting(
                lambda: self._codec.encode_arguments(args, kwargs, parameters=parameters),
                (*args, *kwargs.values()),
                subject="arguments",
            ),
            **self._fields,
        )


def message(
    destination_id: str,
    value: object,
    topic: str | None,
    idempotency_key: str | None,
    *,
    codec: Codec,
    new_id: Callable[[], str],
) -> Send:
    """The record of a message; a key makes every message with it, to this destination, the same one."""
    destination = checks.address("destination_id", destination_id)
    key = checks.optional_name("idempotency_key", idempotency_key)
    return Send(
        message_uuid=new_id() if key is None else f"{key}::{destination}",
        destination=destination,
        topic=checks.optional_name("topic", topic) or NULL_TOPIC,
        message=fitting(lambda: codec.encode(value, subject="message"), (value,), subject="message"),
        serialization=codec.name,
    )


def writable(codecs: Codecs, serialization: str | None) -> Codec:
    """The codec of an option; refused if this client does not read what it would write."""
    try:
        return codecs.get(serialization)
    except CodecError:
        hint = f"use one of {', '.join(codecs.readable)}, or allow it in create(allow_serializations=[...])"
        raise InvalidOption("serialization", serialization, hint) from None


def queue(option: str, value: object) -> str:
    """A queue to put work on. DBOS's internal queue is every application's; its other names are its own."""
    text = checks.name(option, value)
    if text.startswith(RESERVED_PREFIX) and text != INTERNAL_QUEUE:
        hint = f"names that begin with {RESERVED_PREFIX} are DBOS's own; only {INTERNAL_QUEUE} can be used"
        raise InvalidOption(option, value, hint)
    return text


def _check_policies(options: EnqueueOptions[..., Any]) -> None:
    checks.choice("duplication_policy", options.duplication_policy, DUPLICATION_POLICIES)
    if options.workflow_id_reuse_policy is not None:
        checks.choice("workflow_id_reuse_policy", options.workflow_id_reuse_policy, REUSE_POLICIES)
    if options.duplication_policy != "reject" and options.deduplication_id is None:
        hint = "it needs a deduplication_id to find the existing workflow by"
        raise InvalidOption("duplication_policy", options.duplication_policy, hint)


def _roles(codecs: Codecs, roles: Sequence[str] | None) -> str | None:
    checked = checks.texts("authenticated_roles", roles or ())
    return codecs.get("portable_json").encode(checked) if checked else None


def _priority(priority: int | None) -> int:
    return 0 if priority is None else checks.whole("priority", priority, least=1)


def _attempts(attempts: int) -> int | None:
    """What is stored of max_recovery_attempts: nothing, where it is the default."""
    checked = checks.whole("max_recovery_attempts", attempts, least=1)
    return None if checked == DEFAULT_ATTEMPTS else checked


def milliseconds(seconds: float | None) -> int | None:
    """Whole milliseconds, at least as long; None for none."""
    return None if seconds is None else math.ceil(seconds * 1000)
