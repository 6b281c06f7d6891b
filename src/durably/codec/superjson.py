"""`js_superjson`: what DBOS TypeScript writes unless told otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from durably.codec.failure import Failure, clean
from durably.codec.fast import encode_plain, plain_text
from durably.codec.record import NO_KEYS
from durably.codec.revive import equate, revive
from durably.codec.signature import Parameters
from durably.codec.tagged import TaggingReducer, split
from durably.codec.text import malformed, read_json
from durably.codec.typed import Decoders
from durably.errors import EncodeError

__all__ = ["SuperJSON"]

_MARK = '"__dbos_serializer":"superjson"'


class _Envelope(msgspec.Struct):
    marker: str = msgspec.field(name="__dbos_serializer")
    json: Any
    meta: dict[str, Any] | None = None


_read_envelope = msgspec.json.Decoder(_Envelope).decode


class SuperJSON:
    """superjson 1.13 with DBOS's marker: JSON plus notes about what is a Date, a Set, a bigint.

        codec = SuperJSON()
        codec.encode({"at": datetime(2025, 5, 1)})     # a Date in TypeScript
        codec.decode(text, TicketInfo)

    datetime is a Date (to the millisecond), set a Set, bytes a Uint8Array, an integer beyond 2**53 a
    bigint, a dict with keys that are not text a Map. What Python has no type for comes back plain:
    undefined is None, a RegExp or a URL is its text, an instance of a class is a dict.
    Arguments are positional only.
    """

    name = "js_superjson"

    def __init__(self) -> None:
        self._reducer = TaggingReducer()
        self._decoders = Decoders()

    def encode(self, value: object, *, subject: str = "value", type_: Any = Any) -> str:
        """Return the text of a value."""
        try:
            return f'{{"json":{plain_text(value)},{_MARK}}}'
        except Exception:  # not plain: it needs notes, or is refused
            return self._encode_with_notes(value, subject)

    def decode(self, text: str, type_: Any = Any) -> Any:
        """Return the value of a text."""
        return self._decoders.convert(self._read(text), type_, self.name)

    def encode_arguments(
        self,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        *,
        subject: str = "arguments",
        parameters: Parameters | None = None,
    ) -> str:
        """Return the positional arguments as an array; keyword arguments are refused."""
        if kwargs:
            hint = "js_superjson has positional arguments only; pass it by position, or use portable_json"
            raise EncodeError(f".{next(iter(kwargs))}", "a keyword argument", hint, subject=subject)
        return self.encode(args, subject=subject)

    def decode_arguments(
        self, text: str, parameters: Parameters | None = None
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the arguments."""
        args = self._read(text)
        if not isinstance(args, list):
            raise malformed("arguments are an array", self.name)
        return (tuple(args), {}) if parameters is None else parameters.bind(args, {}, self.name)

    def encode_error(self, error: BaseException) -> str:
        """Return `{"name","message","stack","code"?,"data"?}` without notes."""
        failure = Failure.of(error)
        record: dict[str, Any] = {"name": failure.name, "message": failure.message}
        record["stack"] = f"{failure.name}: {failure.message}"
        if failure.code is not None:
            record["code"] = failure.code
        if failure.data is not None:
            record["data"] = msgspec.Raw(_plain_or_text(failure.data).encode())
        return f'{{"json":{encode_plain(record).decode()},{_MARK}}}'

    def decode_error(self, text: str) -> BaseException:
        """Return the error; what is thrown need not be one."""
        thrown = self._read(text)
        if isinstance(thrown, dict):
            return Failure.read(thrown).exception()
        return Failure(message=thrown if isinstance(thrown, str) else str(thrown)).exception()

    def _encode_with_notes(self, value: object, subject: str) -> str:
        json, notes = split(self._reducer.run(value, subject, NO_KEYS))
        meta = f'"meta":{{"values":{encode_plain(notes).decode()}}},' if notes else ""
        return f'{{"json":{encode_plain(json).decode()},{meta}{_MARK}}}'

    def _read(self, text: str) -> Any:
        try:
            envelope = _read_envelope(text)
        except Exception:  # not the usual form: say what is wrong, or read it leniently
            envelope = self._read_leniently(text)
        if envelope.marker != "superjson":
            raise malformed("it carries another marker", self.name)
        return self._revive(envelope) if envelope.meta else envelope.json

    def _read_leniently(self, text: str) -> _Envelope:
        try:
            return msgspec.convert(read_json(text, self.name), _Envelope)
        except (msgspec.ValidationError, UnicodeEncodeError) as error:
            raise malformed(f"it has no json, or lacks DBOS's marker ({error})", self.name) from None

    def _revive(self, envelope: _Envelope) -> Any:
        meta = envelope.meta or {}
        try:
            value = revive(envelope.json, meta.get("values"))
            return equate(value, meta.get("referentialEqualities"))
        except (ValueError, TypeError, LookupError, ArithmeticError, RecursionError) as error:
            raise malformed(f"its notes do not fit its values ({error})", self.name) from error


def _plain_or_text(data: Any) -> str:
    try:
        return plain_text(data)
    except Exception:  # an error has no notes, so only plain data keeps its form
        return encode_plain(_text_of(data)).decode()


def _text_of(data: Any) -> str:
    try:
        return clean(str(data))
    except Exception:  # a __str__ that fails
        return f"<{type(data).__name__}>"
