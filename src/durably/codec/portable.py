"""`portable_json`: the format that every DBOS SDK reads and writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from durably.codec.failure import Failure, clean
from durably.codec.fast import encode_plain, plain_text
from durably.codec.record import NO_KEYS, Keys, key_types
from durably.codec.reduce import Reducer
from durably.codec.signature import Parameters
from durably.codec.text import malformed, read_json
from durably.codec.typed import Decoders, is_untyped
from durably.errors import EncodeError

__all__ = ["PortableJSON"]


class _Arguments(msgspec.Struct):
    positional: list[Any] | None = msgspec.field(default=None, name="positionalArgs")
    named: dict[str, Any] | None = msgspec.field(default=None, name="namedArgs")


_read_arguments = msgspec.json.Decoder(_Arguments).decode


class PortableJSON:
    """Strict JSON, typed on both ends.

        codec = PortableJSON()
        codec.encode({"at": datetime(2025, 5, 1)})          # '{"at":"2025-05-01T00:00:00.000Z"}'
        codec.decode('"2025-05-01T00:00:00.000Z"', datetime)

    Written: dataclasses, msgspec Structs, attrs and pydantic objects, TypedDicts, NamedTuples, datetimes
    (UTC; a naive one is taken as UTC), dates, times, timedeltas, UUIDs, Decimals, Enums, bytes (base64),
    sets, tuples. They come back as what they were where the reader's annotation says so, else as plain
    JSON types.
    Refused: NaN, infinities, lone surrogates, keys that would not come back, cycles, more than 200 levels,
    and integers beyond 2**53, which `big_integers=True` writes all the same.
    """

    name = "portable_json"

    def __init__(self, *, big_integers: bool = False) -> None:
        self._reducer = Reducer(big_integers=big_integers)
        self._decoders = Decoders()

    def encode(self, value: object, *, subject: str = "value", type_: Any = Any) -> str:
        """Return the JSON text of a value."""
        return self._encode(value, subject, NO_KEYS if type_ is Any else key_types(type_))

    def decode(self, text: str, type_: Any = Any) -> Any:
        """Return the value of a JSON text."""
        if is_untyped(type_):
            return read_json(text, self.name)
        return self._decoders.decode(text, type_, lambda text: read_json(text, self.name), self.name)

    def encode_arguments(
        self,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        *,
        subject: str = "arguments",
        parameters: Parameters | None = None,
    ) -> str:
        """Return `{"namedArgs":{...},"positionalArgs":[...]}`."""
        keys = NO_KEYS if parameters is None else parameters.keys
        named = self._encode(kwargs, subject, keys) if kwargs else "{}"
        positional = self._encode(args, subject, keys)
        return f'{{"namedArgs":{named},"positionalArgs":{positional}}}'

    def decode_arguments(
        self, text: str, parameters: Parameters | None = None
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the arguments; a missing or null member means none."""
        try:
            read = _read_arguments(text)
        except Exception:  # not the usual form: say what is wrong, or read it leniently
            read = self._read_leniently(text)
        positional, named = read.positional or [], read.named or {}
        if parameters is None:
            return tuple(positional), named
        return parameters.bind(positional, named, self.name)

    def encode_error(self, error: BaseException) -> str:
        """Return `{"name","message","code","data"?}`."""
        failure = Failure.of(error)
        head = {"name": failure.name, "message": failure.message, "code": failure.code}
        if failure.data is None:
            return encode_plain(head).decode()
        return f'{encode_plain(head).decode()[:-1]},"data":{self._data_text(failure.data)}}}'

    def decode_error(self, text: str) -> BaseException:
        """Return the error; `WorkflowFailed` (of workflow '') unless its class is a builtin or ours."""
        record = read_json(text, self.name)
        if not isinstance(record, dict):
            raise malformed("an error is an object", self.name)
        return Failure.read(record).exception()

    def _encode(self, value: object, subject: str, keys: Keys) -> str:
        try:
            return plain_text(value)
        except Exception:  # not plain, or not encodable: the exact way tells
            return encode_plain(self._reducer.run(value, subject, keys)).decode()

    def _data_text(self, data: Any) -> str:
        try:
            return self.encode(data)
        except EncodeError:
            return encode_plain(_text_of(data)).decode()

    def _read_leniently(self, text: str) -> _Arguments:
        try:
            return msgspec.convert(read_json(text, self.name), _Arguments)
        except (msgspec.ValidationError, UnicodeEncodeError) as error:
            why = f"arguments are an object with positionalArgs and namedArgs ({error})"
            raise malformed(why, self.name) from None


def _text_of(data: Any) -> str:
    try:
        return clean(str(data))
    except Exception:  # a __str__ that fails
        return f"<{type(data).__name__}>"
