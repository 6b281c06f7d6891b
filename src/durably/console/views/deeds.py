"""What can be done with a run by its page: which of it in which state, and the form for it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from durably.client import AsyncDBOSClient
from durably.core.names import PAUSED_UNTIL_MS, STRANDED_UNTIL_MS
from durably.types import ACTIVE, TERMINAL, Status, WorkflowStatus

__all__ = ["DEEDS", "Deed", "Done", "Entry", "Refused", "offered"]

WAITING: tuple[Status, ...] = ("ENQUEUED", "DELAYED")
STOPPED: tuple[Status, ...] = ("CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")
EVERY: tuple[Status, ...] = (*ACTIVE, *TERMINAL)

Typed = Mapping[str, str]


class Refused(Exception):
    """What was typed cannot be used: which field, and why."""

    def __init__(self, entry: str, why: str) -> None:
        super().__init__(why)
        self.entry = entry


@dataclass(frozen=True)
class Entry:
    """A field of a form."""

    name: str
    label: str
    hint: str = ""
    kind: str = "text"  # text, number, json, check


@dataclass(frozen=True)
class Done:
    """What was done: in words, where to go then, and what the audit has of it."""

    says: str
    workflow_id: str | None = None


@dataclass(frozen=True)
class Deed:
    """Something to do with a run; `verb` is its path below /run and the audit's word."""

    verb: str
    word: str
    says: str
    do: Callable[[AsyncDBOSClient, str, Typed, str], Awaitable[Done]]
    entries: tuple[Entry, ...] = ()
    states: tuple[Status, ...] = EVERY
    paused: bool | None = None
    role: str = "operator"
    kind: str = ""
    key: str = ""
    known: Callable[[WorkflowStatus], Typed] = lambda run: {}  # what the form has before anything is typed


def offered(run: WorkflowStatus, deed: Deed) -> bool:
    """Whether this can be done with the run as it stands."""
    return run.status in deed.states and deed.paused in (None, is_paused(run))


def is_paused(run: WorkflowStatus) -> bool:
    """Whether somebody has paused it."""
    return run.status == "DELAYED" and run.delay_until_epoch_ms == PAUSED_UNTIL_MS


def is_stranded(run: WorkflowStatus) -> bool:
    """Whether its record fits no code that runs."""
    return run.status == "DELAYED" and run.delay_until_epoch_ms == STRANDED_UNTIL_MS


def number(typed: Typed, name: str, *, least: float = 0) -> float:
    """A field as a number."""
    try:
        value = float(typed.get(name, "").strip())
    except ValueError:
        raise Refused(name, "Give a number.") from None
    if not value >= least or value == float("inf"):
        raise Refused(name, f"Give a number, {least:g} or more.")
    return value


def parsed(typed: Typed, name: str) -> Any:
    """A field as JSON."""
    text = typed.get(name, "")
    try:
        return json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise Refused(name, f"Not JSON: {error.msg} at line {error.lineno}, column {error.colno}.") from None
    except (ValueError, RecursionError) as error:
        raise Refused(name, f"Not JSON: {error}.") from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"it has no {name}")


async def _cancel(client: AsyncDBOSClient, id_: str, typed: Typed, who: str) -> Done:
    done = await client.cancel_workflow(id_, cancel_children="children" in typed)
    family = " and its children" if "children" in typed else ""
    return Done(f"Cancelled{family}." if done else "It had ended already; nothing was changed.")


async def _pause(client: AsyncDBOSClient, id_: str, typed: Typed, who: str) -> Done:
    await client.pause_workflow(id_, reason=typed.get("reason", "").strip() or None, paused_by=who)
    return Done("Paused.")


async def _unpause(client: AsyncDBOSClient, id_: str, typed: Typed, who: str) -> Done:
    done = await client.unpause_workflow(id_)
    return Done("It goes on." if done else "It was not paused; nothing was changed.")


async def _resume(client: AsyncDBOSClient, id_: str, typed: Typed, who: str) -> Done:
    await client.resume_workflow(id_, queue_name=typed.get("queue", "").strip() or None)
    return Done("Resumed: it goes on from its last recorded operation.")


async def _requeue(client: AsyncDBOSClient, id_: str, typed: Typed, who: str) -> Done:
    found = await client.requeue_dead_letters([id_], queue_name=typed.get("queue", "").strip() or None)
    done = "Requeued, with its attempts counted anew." if found else "It is no dead letter any more."
    return Done(done)


async def _priority(client: AsyncDBOSClient, id_: str, typed: Typed, who: str) -> Done:
    wanted = number(typed, "priority")
    if wanted != int(wanted):
        raise Refused("priority", "Give a whole number.")
    done = await client.set_workflow_priority(id_, int(wanted))
    return Done(
        f"Its priority is {int(wanted)}." if done else "It does not wait any more; nothing was changed."
    )


async def _delay(client: AsyncDBOSClient, id_: str, typed: Typed, who: str) -> Done:
    seconds = number(typed, "delay")
    done = await client.set_workflow_delay(id_, delay=seconds)
    return Done(f"Delayed for {seconds:g} s from now." if done else "It is not delayed; nothing was changed.")


async def _attributes(client: AsyncDBOSClient, id_: str, typed: Typed, who: str) -> Done:
    value = parsed(typed, "attributes")
    if value is not None and not isinstance(value, dict):
        raise Refused("attributes", 'Give an object, like {"customer": 17}, or null for none.')
    await client.update_workflow_attributes(id_, value)
    return Done("Its attributes are changed.")


async def _send(client: AsyncDBOSClient, id_: str, typed: Typed, who: str) -> Done:
    topic = typed.get("topic", "").strip() or None
    key = typed.get("key", "").strip() or None
    await client.send(id_, parsed(typed, "message"), topic, key)
    return Done(f"Sent on topic {topic}." if topic else "Sent.")


async def _delete(client: AsyncDBOSClient, id_: str, typed: Typed, who: str) -> Done:
    if typed.get("id", "").strip() != id_:
        raise Refused("id", "That is not its id; nothing was deleted.")
    done = await client.delete_workflow(id_, delete_children="children" in typed)
    return Done(f"Deleted {id_}." if done else f"There was no run {id_} any more.", workflow_id="")


QUEUE = Entry("queue", "Queue", "Left empty: DBOS's internal queue, which every executor serves.")
MESSAGE = (
    Entry("topic", "Topic", "What it waits for with recv(topic). Left empty: no topic."),
    Entry("message", "Message", 'JSON, like {"ok": true} or "yes".', kind="json"),
    Entry("key", "Idempotency key", "The same message with the same key is sent once. May be left empty."),
)

DEEDS: tuple[Deed, ...] = (
    Deed(
        "pause", "Pause", "Nobody runs it until somebody lets it go on. One that runs stops at once, "
        "wherever it is, and goes on later from its last recorded operation. Its deadline still counts.",
        _pause, (Entry("reason", "Reason", "Shown on the page of the run."),), ACTIVE, False, key="p",
    ),
    Deed(
        "unpause", "Let it go on",
        "It is what it was before: delayed until the same instant, or on its queue.",
        _unpause, (), WAITING, True, kind="primary", key="p",
    ),
    Deed(
        "cancel", "Cancel", "A queued run never runs; a running one stops at its next operation. It can "
        "be resumed.",
        _cancel, (Entry("children", "Cancel its children, and theirs, too", kind="check"),), ACTIVE,
        kind="danger", key="c",
    ),
    Deed(
        "resume", "Resume", "It goes on from its last recorded operation, with its attempts counted anew.",
        _resume, (QUEUE,), (*ACTIVE, "CANCELLED"), False, key="u",
    ),
    Deed(
        "requeue", "Requeue", "It was set aside because its process died with it too often. It goes on from "
        "its last recorded operation, with its attempts counted anew.",
        _requeue, (QUEUE,), ("MAX_RECOVERY_ATTEMPTS_EXCEEDED",), kind="primary", key="u",
    ),
    Deed(
        "send", "Send a message", "It receives it with recv, now or when it comes to that.", _send, MESSAGE,
        ACTIVE, key="m",
    ),
    Deed(
        "priority", "Set its priority", "Runs with a smaller number go first; 0 is that of work without one.",
        _priority, (Entry("priority", "Priority", kind="number"),), WAITING, False,
        known=lambda run: {"priority": str(run.priority)},
    ),
    Deed(
        "delay", "Delay it otherwise", "It goes on its queue when the delay is over; 0 is at once.",
        _delay, (Entry("delay", "Seconds from now", kind="number"),), ("DELAYED",), False,
    ),
    Deed(
        "attributes", "Change its attributes", "What filters find it by. They replace those that it has.",
        _attributes, (Entry("attributes", "Attributes", "A JSON object, or null for none.", kind="json"),),
        known=lambda run: {"attributes": json.dumps(run.attributes, indent=2, ensure_ascii=False)},
    ),
    Deed(
        "delete", "Delete", "The run and all that is recorded of it is gone for good: steps, messages, "
        "events, streams. One that runs is stopped. Forks of it stay.",
        _delete,
        (
            Entry("id", "Type its id to confirm"),
            Entry("children", "Delete its children, and theirs, too", kind="check"),
        ),
        role="admin", kind="danger",
    ),
)  # fmt: skip
