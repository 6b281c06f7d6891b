"""What a page shows when it cannot show what was asked for: what happened, to what, and what to do."""

from __future__ import annotations

import logging
import secrets

from starlette.exceptions import HTTPException

from durably import errors

__all__ = ["Failure", "failure"]

logger = logging.getLogger(__name__)

_STATUS: tuple[tuple[type[BaseException], int], ...] = (
    (errors.NoSuchWorkflow, 404),
    (errors.DatabaseUnavailable, 503),
    (errors.DatabaseError, 503),
    (errors.ConfigurationError, 400),
    (errors.WorkflowError, 409),
    (errors.DurablyError, 400),
)
_TITLES = {
    400: "That cannot be asked",
    401: "Who are you?",
    403: "Not allowed",
    404: "Not found",
    405: "That cannot be done here",
    409: "Not as it stands",
    413: "Too large",
    503: "The database does not answer",
}


class Failure(Exception):
    """An error as the page that a person reads."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.title = _TITLES.get(status, "That is a bug of the console")
        self.message = message


def failure(error: Exception) -> Failure:
    """The page for an error; a bug of ours is logged under a number that the page names."""
    if isinstance(error, HTTPException):
        return Failure(error.status_code, error.detail)
    for kind, status in _STATUS:
        if isinstance(error, kind):
            return Failure(status, str(error))
    number = secrets.token_hex(4)
    logger.error("the console failed, number %s", number, exc_info=error)
    return Failure(500, f"{type(error).__name__}; the console's log has it under number {number}")
