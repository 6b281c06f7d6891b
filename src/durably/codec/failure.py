"""Errors as data: what is written of an exception, and which exceptions are built again."""

from __future__ import annotations

import ast
import builtins
import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from durably import errors
from durably.errors import InvalidOption, WorkflowFailed

__all__ = ["ErrorTable", "Failure", "rebuild", "visible_errors"]

_CODES = ("code", "error_code", "errno", "status", "status_code")
_DATA = ("data", "details", "payload", "extra", "meta", "metadata")

# Not built again: what ends a process or an iteration, and what a message alone cannot make.
_NEVER = (
    StopIteration,
    StopAsyncIteration,
    SyntaxError,
    UnicodeDecodeError,
    UnicodeEncodeError,
    UnicodeTranslateError,
    BaseExceptionGroup,
    Warning,
)

BUILTIN: Mapping[str, type[Exception]] = {
    name: kind
    for name, kind in vars(builtins).items()
    if isinstance(kind, type)
    and issubclass(kind, Exception)
    and not issubclass(kind, _NEVER)
    and kind is not Exception
    and kind.__name__ == name
}

# Of ours, those that tell about a workflow, a step or a value; `DatabaseUnavailable` from a row would read
# as if the caller's own database were away.
OWN: Mapping[str, type[errors.DurablyError]] = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type)
    and issubclass(kind, (errors.WorkflowError, errors.StepError, errors.CodecError))
    and kind is not WorkflowFailed
}


@dataclass(frozen=True, slots=True)
class Failure:
    """What is written of an error: `name`, `message`, `code`, `data`."""

    name: str = "Error"
    message: str = ""
    code: int | str | None = None
    data: Any = None

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        """Return what is worth keeping of an exception; never raises."""
        if isinstance(error, WorkflowFailed):
            return cls(clean(error.name), clean(error.message), _safe_code(error.code), error.data)
        return cls(clean(type(error).__name__), _message_of(error), _code_of(error), _data_of(error))

    @classmethod
    def read(cls, record: Mapping[str, Any]) -> Failure:
        """Return the failure in a decoded row; members that are missing or odd become their defaults."""
        name, message = record.get("name"), record.get("message")
        return cls(
            name if isinstance(name, str) and name else "Error",
            message if isinstance(message, str) else "" if message is None else str(message),
            _safe_code(record.get("code")),
            record.get("data"),
        )

    def exception(self, workflow_id: str = "") -> BaseException:
        """Return the exception: a builtin or one of ours where that is safe, else `WorkflowFailed`."""
        kind = BUILTIN.get(self.name) or OWN.get(self.name)
        if kind is not None:
            return rebuild(kind, self)
        return self.failed(workflow_id)

    def failed(self, workflow_id: str) -> WorkflowFailed:
        """Return the form that has no class of its own here."""
        return WorkflowFailed(workflow_id, self.message, name=self.name, code=self.code, data=self.data)


class ErrorTable:
    """The user's exception classes, by name: what may be built again besides builtins and ours."""

    def __init__(self, classes: Iterable[type[BaseException]] = ()) -> None:
        self._by_name: dict[str, type[BaseException] | None] = {}
        for kind in classes:
            if not (isinstance(kind, type) and issubclass(kind, Exception)):
                raise InvalidOption("errors", kind, "only classes of exceptions can be registered")
            if self._by_name.setdefault(kind.__name__, kind) is not kind:
                raise InvalidOption("errors", kind, f"another class is registered as {kind.__name__!r}")

    def add(self, classes: Iterable[type[BaseException]]) -> None:
        """Add classes; a name that two classes share belongs to neither."""
        for kind in classes:
            known = self._by_name.setdefault(kind.__name__, kind)
            if known is not kind:
                self._by_name[kind.__name__] = None

    def exception(self, failure: Failure, workflow_id: str) -> BaseException:
        """Return the exception of a failure that is neither builtin nor ours."""
        kind = self._by_name.get(failure.name)
        return failure.failed(workflow_id) if kind is None else rebuild(kind, failure)


def visible_errors(function: Any) -> tuple[type[BaseException], ...]:
    """Return the exception classes that a function's module can name: a table made without importing.

    An `except PaymentDeclined` in a workflow can only match a class of these.
    """
    scope = getattr(inspect.unwrap(function), "__globals__", {})
    return tuple(
        {
            kind: None
            for kind in list(scope.values())
            if isinstance(kind, type) and issubclass(kind, Exception) and kind.__name__ not in BUILTIN
        }
    )


def rebuild(kind: type[BaseException], failure: Failure) -> BaseException:
    """Return an exception of a class with the message kept, and `code` and `data` where the row had them."""
    error = _own(kind, failure) if kind.__name__ in OWN else _with_message(kind, failure.message)
    for name, value in (("code", failure.code), ("data", failure.data)):
        if value is not None:
            _set(error, name, value)
    if isinstance(error, OSError) and isinstance(failure.code, int):
        error.errno = failure.code
    return error


def clean(text: str) -> str:
    """Return a text that every encoding takes: lone surrogates become escapes."""
    return str.__str__(text) if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _with_message(kind: type[BaseException], message: str) -> BaseException:
    if kind is KeyError:  # str(KeyError('a')) is "'a'"
        return KeyError(_unquoted(message))
    return _made(kind, message) or _made_without_init(kind, message)


def _made(kind: type[BaseException], message: str) -> BaseException | None:
    try:
        error = kind(message)
        return error if str(error) == message else None
    except Exception:  # a class whose __init__ wants something else
        return None


def _made_without_init(kind: type[BaseException], message: str) -> BaseException:
    error = kind.__new__(kind, message)
    error.args = (message,)
    return error


def _unquoted(message: str) -> str:
    if message[:1] not in ("'", '"') or len(message) > 10_000:
        return message
    try:
        key = ast.literal_eval(message)
    except (ValueError, SyntaxError):
        return message
    return key if isinstance(key, str) and repr(key) == message else message


def _own(kind: type[BaseException], failure: Failure) -> BaseException:
    error = _made_without_init(kind, failure.message)
    data = failure.data if isinstance(failure.data, dict) else {}
    for name in _own_members(kind):
        setattr(error, name, data.get(name))
    return error


def _own_members(kind: type[BaseException]) -> list[str]:
    return [name for name in inspect.signature(kind).parameters if name != "message"]


def _set(error: BaseException, name: str, value: Any) -> None:
    try:
        setattr(error, name, value)
    except (AttributeError, TypeError):  # a class with a property of that name
        return


def _message_of(error: BaseException) -> str:
    try:
        return clean(str(error))
    except Exception:  # a __str__ that fails must not hide the error
        return ""


def _code_of(error: BaseException) -> int | str | None:
    for name in _CODES:
        value = _get(error, name)
        if isinstance(value, (int, str)):
            return _safe_code(value)
    return None


def _safe_code(value: Any) -> int | str | None:
    if isinstance(value, str):
        return clean(value)
    if not isinstance(value, int):
        return None
    if -(2**53) <= value <= 2**53:
        return int(value)
    return f"{value:#x}"


def _data_of(error: BaseException) -> Any:
    if type(error).__name__ in OWN and type(error) is OWN[type(error).__name__]:
        return {name: _get(error, name) for name in _own_members(type(error))} or None
    for name in _DATA:
        value = _get(error, name)
        if value is not None and not callable(value):
            return value
    return None


def _get(error: BaseException, name: str) -> Any:
    try:
        return getattr(error, name, None)
    except Exception:  # a property that fails
        return None
