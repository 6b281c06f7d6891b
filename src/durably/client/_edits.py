"""What a fork or a rewind changes of what was recorded: checked, then encoded for its reader."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from durably.codec import Codec, Codecs
from durably.core import checks
from durably.core.records import Edited
from durably.errors import CodecError, InvalidOption, NoSuchStep, NoSuchWorkflow, WorkflowIdInUse, WrongStatus
from durably.types import Arguments, StartStep

__all__ = ["arguments", "encoded_inputs", "encoded_outputs", "outputs", "raise_refused", "start"]

FAILURE = "failure"


def start(start_step: StartStep) -> dict[str, Any]:
    """Where to begin, as the record has it."""
    if start_step == FAILURE:
        return {"from_failure": True}
    if start_step is not None and not isinstance(start_step, int):
        hint = f"pass the number of an operation, {FAILURE!r}, or leave it out to begin from the beginning"
        raise InvalidOption("start_step", start_step, hint)
    return {"start_step": None if start_step is None else checks.whole("start_step", start_step, least=0)}


def arguments(given: object) -> Arguments | None:
    """The arguments to put in place of the recorded ones, or None."""
    match given:
        case None | Arguments():
            return given
        case (list() | tuple() as args, Mapping() as kwargs):
            return Arguments(args, kwargs)
        case _:
            raise InvalidOption("arguments", given, "pass (args, kwargs), or workflow.arguments(...)")


def outputs(given: object, start_step: StartStep) -> Mapping[int, Any]:
    """The outcomes to put in place of recorded ones, by their operation's number."""
    if given is None:
        return {}
    if not isinstance(given, Mapping) or not all(type(number) is int for number in given):
        raise InvalidOption("outputs", given, "pass {number of an operation: its value, or an exception}")
    if given and start_step is None:
        raise InvalidOption(
            "outputs", given, "without start_step nothing recorded is kept, so nothing is edited"
        )
    if isinstance(start_step, int):
        for number in given:
            if number >= start_step:
                raise _unkept(given, number, start_step)
    return given


def encoded_inputs(codecs: Codecs, given: Arguments | None, serialization: str | None) -> dict[str, Any]:
    """Arguments in the format that the workflow has, where we write it, otherwise in our own."""
    if given is None:
        return {}
    codec = _codec(codecs, serialization)
    text = codec.encode_arguments(tuple(given.args), given.kwargs, parameters=given.parameters)
    return {"inputs": text, "serialization": codec.name}


def encoded_outputs(codecs: Codecs, given: Mapping[int, Any]) -> dict[int, Edited] | None:
    """The outcomes as records; an exception becomes the operation's error."""
    return {number: _edited(codecs.default, number, value) for number, value in given.items()} or None


def raise_refused(met: Mapping[str, Any], action: str, given: Mapping[int, Any]) -> None:
    """Raise why a fork or a rewind was refused, if it was."""
    workflow_id = met["workflow_id"]
    match met["refusal"]:
        case "missing":
            raise NoSuchWorkflow(workflow_id)
        case "taken":
            raise WorkflowIdInUse(met["new_id"], name=met["taken_name"], status=met["taken_status"])
        case "active":
            hint = "only one that has ended can be; cancel it first, or fork it"
            raise WrongStatus(workflow_id, action=action, status=met["status"], hint=hint)
        case "no step":
            raise NoSuchStep(workflow_id, met["start_step"], first=met["first_step"], last=met["last_step"])
        case "unfit":
            raise _unkept(given, met["unfit"], met["cut"])


def _unkept(given: Mapping[int, Any], number: int, cut: int | None) -> InvalidOption:
    hint = (
        f"operation {number} has no recorded outcome that is kept: only one that is recorded before "
        f"start_step={cut} can be edited, and not the start of a child (see replacement_children)"
    )
    return InvalidOption("outputs", given, hint)


def _codec(codecs: Codecs, serialization: str | None) -> Codec:
    try:
        return codecs.get(serialization)
    except CodecError:
        return codecs.default


def _edited(codec: Codec, number: int, value: Any) -> Edited:
    if isinstance(value, BaseException):
        return Edited(error=codec.encode_error(value), serialization=codec.name)
    return Edited(output=codec.encode(value, subject=f"outputs[{number}]"), serialization=codec.name)
