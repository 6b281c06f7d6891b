"""Attributes and trace of a workflow, from its call, its caller and its row."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from durably.concurrency import trace
from durably.engine.call import INHERITED

if TYPE_CHECKING:
    from durably.core.ports import Claimed
    from durably.engine.call import Call

__all__ = ["carrier", "of", "recorded", "restore_trace"]


def of(call: Call, caller: Claimed | None) -> Any:
    """The attributes of a new workflow: the call's, otherwise its caller's; and the trace in any case."""
    if caller is None:
        return trace.carried(call.given("attributes"))
    own = recorded(caller) if call.attributes is INHERITED else call.attributes
    return trace.carried(own, carrier(caller))


def recorded(claimed: Claimed) -> dict[str, Any] | None:
    """The attributes that the row has, without the trace; DBOS for Python writes `null` for none."""
    attributes = json.loads(claimed.attributes or "null")
    if not isinstance(attributes, dict):
        return None
    return {key: value for key, value in attributes.items() if key != trace.CARRIER} or None


def restore_trace(claimed: Claimed) -> None:
    """Let the code that is called from here on belong to the trace of the row."""
    if trace.is_known():
        trace.adopt(carrier(claimed))


def carrier(claimed: Claimed) -> Mapping[str, str] | None:
    """The trace that the row belongs to, as it stands there."""
    attributes = json.loads(claimed.attributes or "null")
    found = attributes.get(trace.CARRIER) if isinstance(attributes, dict) else None
    return found if isinstance(found, dict) else None
