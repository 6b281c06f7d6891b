"""Which formats a process reads, and which one it writes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from durably.codec.failure import ErrorTable, Failure
from durably.codec.pickled import Pickle
from durably.codec.plain import PLAIN
from durably.codec.portable import PortableJSON
from durably.codec.protocol import Codec
from durably.codec.superjson import SuperJSON
from durably.errors import DecodeError, InvalidOption, WorkflowFailed

__all__ = ["Codecs"]

_BUILT_IN: dict[str, Callable[[], Codec]] = {
    "portable_json": PortableJSON,
    "js_superjson": SuperJSON,
    "py_pickle": Pickle,
}
_ALWAYS = ("portable_json", "js_superjson")
_PICKLED = ("gAR", "gAS", "gAU")  # base64 of the first two bytes of pickle protocols 4 and 5


class Codecs:
    """The codecs of a process, by the name in a row's `serialization` column.

        codecs = Codecs(allow=["py_pickle"], errors=[PaymentDeclined])
        codec = codecs.get(row.serialization)

    `portable_json` and `js_superjson` can always be read. `py_pickle` executes code when it is read, so
    only those who name it get it. `allow` also takes codecs of your own; so does `default`.
    `errors` are exception classes that are built again from their name in a row.
    """

    def __init__(
        self,
        default: str | Codec = "portable_json",
        *,
        allow: Iterable[str | Codec] = (),
        errors: Iterable[type[BaseException]] = (),
    ) -> None:
        self.default: Codec = _codec("default", default)
        named = [_codec("allow", each) for each in ([allow] if isinstance(allow, str) else allow)]
        always = [_BUILT_IN[name]() for name in _ALWAYS]
        self._by_name: dict[str, Codec] = {codec.name: codec for codec in [*always, *named, self.default]}
        self.readable: tuple[str, ...] = tuple(self._by_name)
        self._errors = ErrorTable(errors)

    def get(self, name: str | None) -> Codec:
        """Return the codec of a name; None is the default. `DecodeError` if it is not read here."""
        if name is None:
            return self.default
        codec = self._by_name.get(name)
        if codec is None:
            raise DecodeError(_not_readable(name, self.readable), serialization=name)
        return codec

    def reader(self, name: str | None, text: str) -> Codec:
        """Return the codec that reads a text; one whose row names no format is told by its form.

        DBOS leaves the name out where it means its own format, which for another process is not the default.
        Of its pickles, plain values are read by everybody.
        """
        if name is None and '"__dbos_serializer":"superjson"' in text:
            return self.get("js_superjson")
        if name is None and text.startswith(_PICKLED):
            return self._by_name.get("py_pickle", PLAIN)
        return self.get(name)

    def decode(self, text: str, name: str | None, type_: Any = Any) -> Any:
        """Return the value of a row's text, as `type_`."""
        return self.reader(name, text).decode(text, type_)

    def decode_scheduled(self, text: str) -> Any:
        """Return a schedule's context; DecodeError unless DBOS Python, or we, have written it."""
        if text.startswith(_PICKLED):
            return self.decode(text, None)
        raise DecodeError(_foreign(text))

    def add_errors(self, classes: Iterable[type[BaseException]]) -> None:
        """Register exception classes; a name that two classes share is not built again."""
        self._errors.add(classes)

    def decode_error(self, workflow_id: str, text: str, name: str | None) -> BaseException:
        """Return the error that a workflow ended with, as the caller should get it raised."""
        error = self.reader(name, text).decode_error(text)
        if type(error) is not WorkflowFailed or error.workflow_id:
            return error
        failure = Failure(error.name, error.message, error.code, error.data)
        return self._errors.exception(failure, workflow_id)


def _codec(option: str, given: Any) -> Codec:
    if not isinstance(given, str):
        return _checked(option, given)
    make = _BUILT_IN.get(given)
    if make is None:
        raise InvalidOption(option, given, f"use one of {', '.join(_BUILT_IN)}, or a codec of your own")
    return make()


def _checked(option: str, given: Any) -> Codec:
    if isinstance(given, type) or not isinstance(given, Codec):
        raise InvalidOption(option, given, "it is no codec: see durably.codec.Codec for what it needs")
    return given


def _not_readable(name: str, readable: tuple[str, ...]) -> str:
    if name == "py_pickle":
        return (
            "the row is written as py_pickle, which runs code when it is read; if you trust everybody who "
            "can write to this database, allow it by name: allow_serializations=['py_pickle']"
        )
    return (
        f"the row is written as {name!r}, and this process reads {', '.join(readable)}; "
        "pass a codec of that name in allow_serializations=[...]"
    )


def _foreign(text: str) -> str:
    if '"__dbos_serializer":"superjson"' in text:
        return (
            "DBOS TypeScript wrote it, whose ids of runs and rules for days are others: only its own "
            "processes fire this schedule; anybody may trigger it"
        )
    return "it is not pickled, as DBOS Python and durably write it: create the schedule anew"
