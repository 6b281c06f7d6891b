"""What a function takes and gives: prepared once, checked at each call that is read from a row."""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

import msgspec

from durably.codec.record import NO_KEYS, Keys, key_types
from durably.codec.schema import signature
from durably.codec.typed import Converter, boxed, build, is_untyped, prepare
from durably.errors import DecodeError

__all__ = ["Parameters"]

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
_EMPTY: dict[str, Any] = {}


class Parameters:
    """The parameters of a function, as decoders.

        parameters = Parameters.of(purchase_ticket)
        args, kwargs = codec.decode_arguments(text, parameters)

    `result_type` is the annotation of what it returns (`Any` when there is none): pass it to `decode`.
    Annotations that cannot be resolved count as none. Defaults are not filled in.
    """

    def __init__(self, name: str, parameters: Sequence[inspect.Parameter], hints: Mapping[str, Any]) -> None:
        self.function_name = name
        self.result_type: Any = hints.get("return", Any)
        self._parameters = parameters
        self._hints = {p.name: hints.get(p.name, Any) for p in parameters}
        self._positional = [p for p in parameters if p.kind in _POSITIONAL]
        self._named = {p.name: p for p in parameters if p.kind in _NAMED}
        self._rest = next((p.name for p in parameters if p.kind is inspect.Parameter.VAR_POSITIONAL), None)
        self._extra = next((p.name for p in parameters if p.kind is inspect.Parameter.VAR_KEYWORD), None)
        self._required = [p.name for p in parameters if _is_required(p)]
        self._fewest = len([p for p in self._positional if _is_required(p)])
        self._most = len(self._positional)
        self._is_simple = len(self._required) == self._fewest
        self.keys: Keys = NO_KEYS.union(*map(key_types, self._hints.values()))
        self._converters: dict[str, Converter] = {}
        self._rows: dict[int, type[msgspec.Struct] | None] = {}

    @classmethod
    def of(cls, function: Callable[..., Any], *, skip: int = 0) -> Parameters:
        """Return the parameters of a function; `skip` leaves out the first ones (an unbound `self`)."""
        try:
            parameters = list(inspect.signature(function).parameters.values())[skip:]
        except (TypeError, ValueError):  # a builtin without a signature takes anything
            parameters = [
                inspect.Parameter("args", inspect.Parameter.VAR_POSITIONAL),
                inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD),
            ]
        name = getattr(function, "__qualname__", None) or repr(function)
        return cls(name, parameters, _hints_of(function))

    def schema(self) -> dict[str, Any]:
        """Return the parameters with their JSON schemas."""
        return signature(self._parameters, self._hints)

    def bind(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], name: str
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the arguments as annotated, or raise `DecodeError` that names the parameter."""
        if not kwargs and self._is_simple and self._fewest <= len(args) <= self._most:
            return self._convert_row(args, name), {}
        self.check(args, kwargs, name)
        fixed, rest = args[: self._most], args[self._most :]
        return (
            self._convert_row(fixed, name) + tuple(self._convert(self._rest, v, name) for v in rest),
            {key: self._convert(self._owner(key), value, name, key) for key, value in kwargs.items()},
        )

    def check(self, args: Sequence[Any], kwargs: Mapping[str, Any], name: str) -> None:
        """Raise `DecodeError` if the function cannot be called with these."""
        if len(args) > self._most and self._rest is None:
            self._refuse(f"it takes {self._most} positional arguments, {len(args)} are stored", name)
        given = {p.name for p in self._positional[: len(args)]}
        for key in kwargs:
            if key in given and key in self._named:
                self._refuse(f"the parameter {key!r} is stored twice, by position and by name", name)
            if key not in self._named and self._extra is None:
                self._refuse(f"it has no parameter {key!r}", name)
        missing = [key for key in self._required if key not in given and not self._has(key, kwargs)]
        if missing:
            self._refuse(f"the parameter {missing[0]!r} is missing", name)

    def _has(self, key: str, kwargs: Mapping[str, Any]) -> bool:
        return key in kwargs and key in self._named

    def _owner(self, key: str) -> str | None:
        return key if key in self._named else self._extra

    def _convert_row(self, args: Sequence[Any], name: str) -> tuple[Any, ...]:
        count = len(args)
        row = self._rows[count] if count in self._rows else self._make_row(count)
        if row is None:
            return tuple(args)
        try:
            typed = msgspec.convert(args, row, dec_hook=build, str_keys=True)
        except (msgspec.ValidationError, ValueError, TypeError, RecursionError) as error:
            self._refuse(self._explain(error), name, error)
        return msgspec.structs.astuple(typed)

    def _make_row(self, count: int) -> type[msgspec.Struct] | None:
        hints = [self._hints[p.name] for p in self._positional[:count]]
        fields = [(f"p{index}", prepare(hint)) for index, hint in enumerate(hints)]
        untyped = all(map(is_untyped, hints))
        row = None if untyped else msgspec.defstruct("Arguments", fields, array_like=True)
        self._rows[count] = row
        return row

    def _convert(self, owner: str | None, value: Any, name: str, key: str | None = None) -> Any:
        hint = self._hints[owner] if owner is not None else Any
        if is_untyped(hint) or owner is None:
            return value
        converter = self._converters.get(owner)
        if converter is None:
            converter = self._converters[owner] = boxed(hint)
        try:
            return converter(value)
        except (msgspec.ValidationError, ValueError, TypeError, RecursionError) as error:
            self._refuse(f"the parameter {key or owner!r}: {_without_place(error)}", name, error)

    def _explain(self, error: Exception) -> str:
        place = re.search(r"\$\[(\d+)\]", str(error))
        if place is None:
            return _without_place(error)
        parameter = self._positional[int(place[1])].name
        return f"the parameter {parameter!r}: {str(error).replace(place[0], '$', 1)}"

    def _refuse(self, why: str, name: str, cause: Exception | None = None) -> NoReturn:
        message = f"the stored arguments do not fit {self.function_name}(): {why}"
        raise DecodeError(message, serialization=name) from cause


def _is_required(parameter: inspect.Parameter) -> bool:
    return parameter.default is parameter.empty and parameter.kind in (*_POSITIONAL, *_NAMED)


def _without_place(error: Exception) -> str:
    return str(error).replace("$[0]", "$", 1)


def _hints_of(function: Callable[..., Any]) -> dict[str, Any]:
    target = inspect.unwrap(getattr(function, "__func__", function))
    if not hasattr(target, "__annotations__"):  # an object that can be called
        target = getattr(type(target), "__call__", target)  # noqa: B004  (it is looked at, not called)
    try:
        return typing.get_type_hints(target, include_extras=True)
    except Exception:  # one name that only exists for type checkers must not cost the others
        return _resolve_one_by_one(target)


def _resolve_one_by_one(function: Any) -> dict[str, Any]:
    hints = {}
    for name, annotation in getattr(function, "__annotations__", {}).items():
        stand_in = type("Annotated", (), {"__annotations__": {name: annotation}})
        try:
            scope = getattr(function, "__globals__", _EMPTY)
            hints[name] = typing.get_type_hints(stand_in, globalns=scope, include_extras=True)[name]
        except Exception:  # this is the one
            hints[name] = Any
    return hints
