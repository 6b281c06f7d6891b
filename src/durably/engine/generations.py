"""Endless workflows: a run that ends by asking to go on anew, and the next generation of it.

run --ContinueAsNew--> Continue (one transaction) --> the same id and place; new input and owner, no past
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from durably.core.ids import new_id
from durably.core.records import Continue
from durably.engine.run import Run

if TYPE_CHECKING:
    from durably.codec import Codec

__all__ = ["next_generation", "record"]


def record(run: Run, codec: Codec, inputs: str) -> Continue:
    """What ends this generation."""
    return Continue(
        workflow_id=run.workflow_id,
        owner=run.owner,
        token=new_id(run.resources.world.random),
        function_id=run.ledger.last + 1,
        generation=run.ledger.generation,
        inputs=inputs,
        output=codec.encode(None),
        started_at=run.started_at,
        completed_at=run.now_ms(),
    )


def next_generation(run: Run, ended: Continue, generation: int) -> Run:
    """The run that goes on, once the record is committed: the record's token is its owner."""
    claimed = msgspec.structs.replace(
        run.claimed, inputs=ended.inputs, recovery_attempts=1, has_history=False, failed_attempts=0
    )
    anew = Run(claimed, ended.token, run.definition, run.resources)
    anew.ledger.begin_behind(ended.function_id, generation)
    anew.task = run.task
    return anew
