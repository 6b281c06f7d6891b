"""Errors as RFC 9457 has them: a kind, a status, what happened, to what, and what to do."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta, Struct, structs
from starlette.exceptions import HTTPException

from durably import errors

__all__ = ["KINDS", "Problem", "Refused", "problem"]

logger = logging.getLogger(__name__)

PREFIX = "urn:durably:problem:"
LONGEST = 4000  # characters of what a person reads

KINDS: Mapping[str, tuple[int, str]] = {
    "unreadable": (400, "The request cannot be read"),
    "unauthenticated": (401, "Nobody known has asked"),
    "not-allowed": (403, "Not allowed"),
    "no-such-path": (404, "There is no such path"),
    "no-such-workflow": (404, "There is no such workflow"),
    "no-such-queue": (404, "There is no such queue"),
    "no-such-schedule": (404, "There is no such schedule"),
    "no-such-version": (404, "There is no such version"),
    "no-such-token": (404, "There is no such token"),
    "not-found": (404, "Not found"),
    "no-such-method": (405, "That path does not take this method"),
    "conflict": (409, "Not as it stands"),
    "in-use": (409, "The id is in use"),
    "deduplicated": (409, "The deduplication id is held"),
    "wrong-status": (409, "The workflow's status does not allow it"),
    "exists": (412, "It exists already"),
    "too-large": (413, "The request is too large"),
    "wrong-media-type": (415, "The body is of another type"),
    "invalid": (422, "It cannot work like that"),
    "too-many": (429, "Too many ask at once"),
    "bug": (500, "That is a bug of durably"),
    "database-unavailable": (503, "The database does not answer"),
}
RETRY_AFTER = {429: "1", 503: "5"}  # seconds
BY_STATUS = {
    400: "unreadable",
    401: "unauthenticated",
    403: "not-allowed",
    404: "not-found",
    405: "no-such-method",
    413: "too-large",
}

_OF: tuple[tuple[type[BaseException], str], ...] = (
    (errors.NoSuchWorkflow, "no-such-workflow"),
    (errors.NoSuchQueue, "no-such-queue"),
    (errors.NoSuchSchedule, "no-such-schedule"),
    (errors.NoSuchVersion, "no-such-version"),
    (errors.NoSuchToken, "no-such-token"),
    (errors.NoSuchStep, "invalid"),
    (errors.WrongStatus, "wrong-status"),
    (errors.WorkflowIdInUse, "in-use"),
    (errors.WorkflowConflict, "in-use"),
    (errors.Deduplicated, "deduplicated"),
    (errors.QueueOwned, "conflict"),
    (errors.ScheduleExists, "conflict"),
    (errors.ConfigurationError, "invalid"),
    (errors.EncodeError, "invalid"),
    (errors.DecodeError, "conflict"),
    (errors.WorkflowError, "conflict"),
    (errors.NotRunning, "database-unavailable"),
    (errors.DatabaseError, "database-unavailable"),
)


class Problem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What went wrong, as RFC 9457 has it; nothing was done, unless `detail` says otherwise."""

    type: Annotated[str, Meta(description="Which kind of problem: a name that programs can compare.")]
    title: Annotated[str, Meta(description="The kind in words.")]
    status: Annotated[int, Meta(description="The HTTP status.")]
    detail: Annotated[str, Meta(description="What happened this time, and to what.")]
    workflow_id: Annotated[str, Meta(description="The workflow that it is about.")] | None = None
    option: Annotated[str, Meta(description="The field or parameter that cannot be so.")] | None = None
    hint: Annotated[str, Meta(description="What to do instead.")] | None = None


class Refused(Exception):
    """A request that is answered with a problem."""

    def __init__(self, kind: str, detail: str, *, option: str | None = None, hint: str | None = None) -> None:
        super().__init__(detail)
        self.problem = _problem(kind, detail, option=option, hint=hint)


def problem(error: BaseException) -> Problem:
    """The problem that an error is; a bug of ours is logged under a number that the problem names."""
    if isinstance(error, Refused):
        return error.problem
    if isinstance(error, HTTPException):
        status = error.status_code
        named = _problem(BY_STATUS.get(status, "not-found"), error.detail)
        return structs.replace(named, status=status)
    for kind, name in _OF:
        if isinstance(error, kind):
            return _problem(
                name,
                str(error),
                workflow_id=_text(error, "workflow_id"),
                option=_text(error, "option"),
                hint=_text(error, "hint"),
            )
    number = secrets.token_hex(4)
    logger.error("the API failed, number %s", number, exc_info=error)
    return _problem("bug", f"{type(error).__name__}; the log has it under number {number}")


def _problem(kind: str, detail: str, **more: str | None) -> Problem:
    status, title = KINDS[kind]
    said = {name: _clean(text) for name, text in more.items() if text}
    return Problem(type=PREFIX + kind, title=title, status=status, detail=_clean(detail), **said)


def _text(error: BaseException, name: str) -> str | None:
    value = getattr(error, name, None)
    return value if isinstance(value, str) else None


def _clean(text: str) -> str:
    """Without what no encoding takes, and not longer than a person reads."""
    said = text.encode("utf-8", "backslashreplace").decode()
    return said if len(said) <= LONGEST else f"{said[:LONGEST]}…"
