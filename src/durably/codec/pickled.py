"""`py_pickle`: what DBOS Python writes unless told otherwise. Reading it runs code."""

from __future__ import annotations

import base64
import io
import pickle
import pickletools
from collections.abc import Mapping
from typing import Any

from durably.codec.failure import Failure
from durably.codec.peer import resolve
from durably.codec.signature import Parameters
from durably.errors import CodecError, DecodeError, DurablyError, EncodeError

__all__ = ["Pickle"]

_PROTOCOL = 4  # what DBOS writes on its oldest Python
_SUBSTITUTE = "durably_failure"
_MODULES = ("dbos._error", "dbos._serialization", "dbos._sys_db")


class Pickle:
    """Base64 of Python's pickle.

    Only for a database that nobody untrusted can write to: a row is a program. Values come back as they were,
    so annotations are not applied, only the number and the names of arguments are checked.
    What DBOS pickled of its own classes is read as ours, without the dbos package.
    """

    name = "py_pickle"

    def encode(self, value: object, *, subject: str = "value", type_: Any = Any) -> str:
        """Return the pickled value as base64."""
        try:
            return base64.b64encode(pickle.dumps(value, _PROTOCOL)).decode()
        except Exception as error:  # __reduce__ is user code
            hint = f"pickle refuses it ({error})"
            raise EncodeError("", type(value).__qualname__, hint, subject=subject) from error

    def decode(self, text: str, type_: Any = Any) -> Any:
        """Return the value; this runs what the text says."""
        try:
            raw = base64.b64decode(text, validate=True)
            _check_memo(raw)
            return self._load(raw)
        except Exception as error:  # a pickle can raise anything
            why = f"the stored text cannot be unpickled: {error}"
            raise DecodeError(why, serialization=self.name) from error

    def _load(self, raw: bytes) -> Any:
        return _Unpickler(io.BytesIO(raw)).load()

    def encode_arguments(
        self,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        *,
        subject: str = "arguments",
        parameters: Parameters | None = None,
    ) -> str:
        """Return the pickled `{"args": ..., "kwargs": ...}`."""
        return self.encode({"args": args, "kwargs": dict(kwargs)}, subject=subject)

    def decode_arguments(
        self, text: str, parameters: Parameters | None = None
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the arguments; their number and names are checked, their types are what they are."""
        stored = self.decode(text)
        if not isinstance(stored, dict):
            raise DecodeError("the stored arguments are no dict of args and kwargs", serialization=self.name)
        args, kwargs = tuple(stored.get("args") or ()), dict(stored.get("kwargs") or {})
        if parameters is not None:
            parameters.check(args, kwargs, self.name)
        return args, kwargs

    def encode_error(self, error: BaseException) -> str:
        """Return the pickled error.

        One that would not come back, or is a class of ours, which DBOS does not have, is an `Exception`
        with its text and, for us, what it was.
        """
        try:
            text = self.encode(error)
            if not isinstance(error, DurablyError) and type(self.decode(text)) is type(error):
                return text
        except CodecError:
            pass
        return self._encode_substitute(Failure.of(error))

    def decode_error(self, text: str) -> BaseException:
        """Return the error itself."""
        error = self.decode(text)
        if not isinstance(error, BaseException):
            raise DecodeError("the stored error is no exception", serialization=self.name)
        failure = getattr(error, _SUBSTITUTE, None)
        return Failure.read(failure).exception() if isinstance(failure, dict) else error

    def _encode_substitute(self, failure: Failure) -> str:
        error = Exception(f"{failure.name}: {failure.message}")
        record = {
            "name": failure.name,
            "message": failure.message,
            "code": failure.code,
            "data": failure.data,
        }
        try:
            setattr(error, _SUBSTITUTE, record)
            return self.encode(error)
        except EncodeError:
            setattr(error, _SUBSTITUTE, {**record, "data": None})
            return self.encode(error)


class _Unpickler(pickle.Unpickler):
    """Finds DBOS's own names among ours."""

    def find_class(self, module: str, name: str) -> Any:
        if module in _MODULES:
            return resolve(name)
        return super().find_class(module, name)


def _check_memo(raw: bytes) -> None:
    """Refuse memo indexes that no honest pickle has: nine bytes can ask for gigabytes of memo."""
    if b"r" not in raw and b"p" not in raw:
        return
    for opcode, argument, _ in pickletools.genops(raw):
        if opcode.name in ("LONG_BINPUT", "PUT") and isinstance(argument, int) and argument > len(raw):
            raise ValueError(f"memo index {argument} in {len(raw)} bytes")
