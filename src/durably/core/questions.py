"""How a question to a workflow, and its reply, look in ordinary rows: a message, and an event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["asked", "replied", "reply", "reply_key", "unpacked"]


def asked(id_: str, question: Any) -> dict[str, Any]:
    """The message that asks."""
    return {"ask": id_, "question": question}


def unpacked(message: Any) -> tuple[str, Any] | None:
    """Id and question of a message that asks, None where it is another message."""
    if isinstance(message, Mapping) and isinstance(message.get("ask"), str) and "question" in message:
        return message["ask"], message["question"]
    return None


def reply_key(id_: str) -> str:
    """The key of the event that answers."""
    return f"reply:{id_}"


def reply(value: Any) -> dict[str, Any]:
    """The value of the event that answers."""
    return {"reply": value}


def replied(event: Any) -> Any:
    """The reply in the value of such an event; what somebody else has set there is a reply as it stands."""
    return event["reply"] if isinstance(event, Mapping) and event.keys() == {"reply"} else event
