"""What must be true of a finished simulation. Each check returns what is wrong, in words."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from durably.core import names
from tests.simulation.model import ACTIVE, Model
from tests.simulation.process import Journal
from tests.simulation.programs import UNIQUE, Order

__all__ = ["check", "outcomes"]

Outcomes = dict[str, Any]

CHANCE = (names.RANDOM, names.RANDOM_UUID)


def check(model: Model, journal: Journal, orders: Sequence[Order], reference: Outcomes) -> list[str]:
    """Everything that is wrong with this run; `reference` is what a run without faults came to."""
    wrong = list(model.audit.violations)
    for part in (_ended(model), _bodies(model, journal), _early(model, journal), _values(model)):
        wrong += part
    wrong += [
        f"{w} fails without faults: {o['end']}" for w, o in reference.items() if o["end"][0] != "SUCCESS"
    ]
    wrong += _same(outcomes(model, orders), reference)
    return wrong


def _ended(model: Model) -> Iterator[str]:
    for row in model.workflows.values():
        if row.status in ACTIVE:
            yield f"invariant 10: {row.workflow_id} never ended: {row.status}, executor {row.executor_id}"


def _bodies(model: Model, journal: Journal) -> Iterator[str]:
    """A body runs at most once for each owner, and not for one who came after its outcome."""
    audit = model.audit
    for (workflow_id, number, owner), times in Counter(body[:3] for body in journal.bodies).items():
        if times > 1:
            yield f"invariant 3: the body of {workflow_id}:{number} ran {times} times for owner {owner}"
    for workflow_id, number, owner, _ in journal.bodies:
        if owner not in audit.claims[workflow_id]:
            yield f"invariant 4: {workflow_id}:{number} ran for {owner}, which never owned it"
        elif audit.recorded_at.get((workflow_id, number), 1 << 60) < audit.claimed_at[owner]:
            yield f"invariant 1: the body of {workflow_id}:{number} ran again after its outcome was recorded"


def _early(model: Model, journal: Journal) -> Iterator[str]:
    for workflow_id, number, at in journal.waits:
        row = model.operations.get(workflow_id, {}).get(number)
        if row is None:
            yield f"invariant 2: {workflow_id}:{number} waited without a recorded timer"
        elif at < float(row.output or 0) - 1e-6:
            yield f"invariant 6: {workflow_id}:{number} woke {float(row.output or 0) - at:.3f} s early"


def _values(model: Model) -> Iterator[str]:
    """What the workflow saw and returned is what is recorded: every execution's serial number is its own."""
    recorded: dict[str, set[str]] = defaultdict(set)
    for workflow_id, rows in model.operations.items():
        for row in rows.values():
            value = json.loads(row.output or "null")
            recorded[workflow_id].update([f"{UNIQUE}{value}"] if row.name in CHANCE else _unique(value))
    for workflow in model.workflows.values():
        strange = set(_unique(json.loads(workflow.output or "null"))) - recorded[workflow.workflow_id]
        if strange:
            yield f"invariant 5: {workflow.workflow_id} returned {sorted(strange)}, recorded something else"


def _unique(value: Any) -> Iterator[str]:
    if isinstance(value, str) and value.startswith(UNIQUE):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _unique(each)


def outcomes(model: Model, orders: Sequence[Order]) -> Outcomes:
    """The rows that do not depend on timing: of every workflow whose outcome is certain, and its children."""
    uncertain = {order.workflow_id for order in orders if not order.certain}
    return {
        row.workflow_id: {
            "end": (row.status, _plain(row.output), _plain(row.error)),
            "operations": {
                number: (operation.name, _outcome(operation.name, operation.output), _plain(operation.error))
                for number, operation in model.operations.get(row.workflow_id, {}).items()
                if not _depends_on_timing(model, row.workflow_id, number)
            },
            "streams": {
                key: [value for _, value, _ in values]
                for (owner, key), values in model.streams.items()
                if owner == row.workflow_id
            },
            "events": {
                key: value for (owner, key), (value, _) in model.events.items() if owner == row.workflow_id
            },
        }
        for row in sorted(model.workflows.values(), key=lambda row: row.workflow_id)
        if row.workflow_id not in uncertain
    }


def _depends_on_timing(model: Model, workflow_id: str, number: int) -> bool:
    """A receive's timer exists only where the message was not there yet."""
    rows = model.operations[workflow_id]
    before = rows.get(number - 1)
    return rows[number].name == names.SLEEP and before is not None and before.name == names.RECV


def _outcome(name: str, output: str | None) -> Any:
    return name if name == names.SLEEP or name in CHANCE else _plain(output)


def _plain(text: str | None) -> Any:
    return None if text is None else _without_serial(json.loads(text))


def _without_serial(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(UNIQUE):
        return UNIQUE
    if isinstance(value, list):
        return [_without_serial(each) for each in value]
    return value


def _same(found: Outcomes, reference: Outcomes) -> Iterator[str]:
    for workflow_id in sorted(found.keys() | reference.keys()):
        ours, theirs = found.get(workflow_id), reference.get(workflow_id)
        if ours != theirs:
            yield f"invariant 1: {workflow_id} came to {ours}, and without faults to {theirs}"
