"""From plain JSON to the annotated type."""

from __future__ import annotations

import dataclasses
import inspect
import types
import typing
from collections.abc import Callable
from enum import Enum
from typing import Any, Union

import msgspec

from durably.codec.record import is_pydantic
from durably.codec.unfit import describe
from durably.errors import DecodeError

__all__ = ["Converter", "Decoders", "build", "is_untyped", "prepare", "shown"]

Converter = Callable[[Any], Any]

_encode = msgspec.json.Encoder().encode


def is_untyped(hint: Any) -> bool:
    """Does the annotation leave the value as it is?"""
    return hint is Any or hint is inspect.Parameter.empty or hint is object


def shown(hint: Any) -> str:
    """Return an annotation as its user wrote it."""
    return describe(hint) if isinstance(hint, type) and not typing.get_args(hint) else str(hint)


def prepare(hint: Any) -> Any:
    """Return an annotation that msgspec accepts and that means the same.

    What msgspec has no way to read (a union of two dataclasses, a pydantic dataclass, an enum of tuples)
    is replaced by a stand-in class whose `_build` knows how.
    """
    if is_untyped(hint):
        return Any
    hint = _prepare_arguments(hint)
    if _is_special(hint):
        return _stand_in(hint, _by_pydantic(hint))
    problem = _problem(hint)
    if problem is None:
        return hint
    return _stand_in(hint, _by_other_means(hint, problem))


def build(kind: type, value: Any) -> Any:
    """The hook for classes that msgspec does not know."""
    maker = getattr(kind, "_durably_build", None)
    if maker is not None:
        return maker(value)
    if isinstance(value, kind):
        return value
    if is_pydantic(kind):
        return _validate(kind, value)
    raise TypeError(
        f"there is no way to make {describe(kind)} from JSON; annotate with a dataclass, "
        "a msgspec.Struct, a pydantic model or plain types"
    )


def _problem(hint: Any) -> Exception | None:
    try:
        msgspec.json.Decoder(hint)
    except Exception as error:  # whatever msgspec or a lazy annotation inside a class raises
        return error
    return None


def _is_special(hint: Any) -> bool:
    return is_pydantic(hint) and dataclasses.is_dataclass(hint)


def _prepare_arguments(hint: Any) -> Any:
    arguments = typing.get_args(hint)
    if not arguments or typing.get_origin(hint) in (typing.Literal, typing.Annotated):
        return hint
    ready = tuple(argument if argument is Ellipsis else prepare(argument) for argument in arguments)
    if all(a is b for a, b in zip(arguments, ready, strict=True)):
        return hint
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is Union:
        return Union[ready]  # noqa: UP007  (built from a tuple)
    return hint.copy_with(ready) if hasattr(hint, "copy_with") else hint.__origin__[ready]


class _Anything(type):
    """msgspec checks that a hook gives an instance of the class it was asked for: here everything is one."""

    def __instancecheck__(cls, instance: object) -> bool:
        return True


def _stand_in(hint: Any, maker: Converter) -> type:
    return _Anything(shown(hint), (), {"_durably_build": staticmethod(maker)})


def _by_pydantic(kind: type) -> Converter:
    return lambda value: value if isinstance(value, kind) else _validate(kind, value)


def _validate(kind: Any, value: Any) -> Any:
    return kind.__pydantic_validator__.validate_json(_encode(value))


def _by_other_means(hint: Any, problem: Exception) -> Converter:
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is Union:
        return _by_arm(hint)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return lambda value: _member(hint, value)
    if dataclasses.is_dataclass(hint) or hasattr(hint, "__attrs_attrs__"):
        return _by_field(hint, problem)
    return _never(hint, problem)


def _by_field(kind: Any, problem: Exception) -> Converter:
    """A dataclass or attrs class with a field that msgspec refuses: each field on its own."""
    names = _init_names(kind)
    converters: dict[str, Converter] = {}  # made when first needed: a class may hold itself

    def make(value: Any) -> Any:
        if isinstance(value, kind):
            return value
        if not isinstance(value, dict):
            raise TypeError(f"Expected `object`, got `{type(value).__name__}`")
        if not converters:
            converters.update({name: boxed(hint) for name, hint in _init_hints(kind, names, problem).items()})
        return kind(**{names[name]: to(value[name]) for name, to in converters.items() if name in value})

    return make


def _init_names(kind: Any) -> dict[str, str]:
    if dataclasses.is_dataclass(kind):
        return {field.name: field.name for field in dataclasses.fields(kind) if field.init}
    return {attribute.name: attribute.alias for attribute in kind.__attrs_attrs__ if attribute.init}


def _init_hints(kind: Any, names: dict[str, str], problem: Exception) -> dict[str, Any]:
    try:
        hints = typing.get_type_hints(kind, include_extras=True)
    except Exception:  # a name that is nowhere
        raise TypeError(f"{describe(kind)} cannot be read from JSON ({problem})") from None
    return {name: hints.get(name, Any) for name in names}


def _never(hint: Any, problem: Exception) -> Converter:
    def refuse(value: Any) -> Any:
        raise TypeError(f"the annotation {shown(hint)} cannot be read from JSON ({problem})")

    return refuse


def _member(kind: type[Enum], value: Any) -> Any:
    for member in kind:
        if member is value or _jsonable(member.value) == value:
            return member
    for member in kind:  # as a key, which is always text
        if isinstance(value, str) and str(member.value) == value:
            return member
    raise ValueError(f"{value!r} is no value of {describe(kind)}")


def _jsonable(value: Any) -> Any:
    return msgspec.to_builtins(value) if not isinstance(value, tuple) else [_jsonable(v) for v in value]


def _by_arm(hint: Any) -> Converter:
    """A union: the one arm that fits; of several, the one whose members are exactly the value's."""
    arms = [(arm, boxed(arm)) for arm in typing.get_args(hint)]

    def choose(value: Any) -> Any:
        fits = [(arm, made) for arm, convert in arms for made in _attempt(convert, value)]
        exact = [(arm, made) for arm, made in fits if _is_exact(arm, value)]
        for candidates in (fits, exact):
            if len(candidates) == 1:
                return candidates[0][1]
        how = "more than one part" if fits else "no part"
        raise ValueError(f"{how} of {shown(hint)} fits; tell them apart, for example with a Literal field")

    return choose


def _attempt(convert: Converter, value: Any) -> list[Any]:
    try:
        return [convert(value)]
    except (msgspec.ValidationError, ValueError, TypeError):
        return []


def _is_exact(arm: Any, value: Any) -> bool:
    if type(value) is arm:
        return True
    if isinstance(value, str) and not isinstance(arm, type):
        return False
    if isinstance(value, dict):
        return set(_member_names(arm)) == value.keys()
    return arm not in (str, bytes) and isinstance(value, str)


def _member_names(arm: Any) -> list[str]:
    if isinstance(arm, type) and issubclass(arm, msgspec.Struct):
        return list(arm.__struct_encode_fields__)
    if is_pydantic(arm) and hasattr(arm, "model_fields"):
        return list(arm.model_fields)
    return list(getattr(arm, "__annotations__", ()))


def boxed(hint: Any) -> Converter:
    """Return a converter from plain (or already typed) values to the annotation.

    The box makes msgspec look at the annotation once: a bare `convert` does at each call.
    """
    box: Any = msgspec.defstruct("Box", [("value", prepare(hint))], array_like=True)
    convert = msgspec.convert

    def to_type(value: Any) -> Any:
        return convert((value,), box, dec_hook=build, str_keys=True).value

    return to_type


class Decoders:
    """Readers of JSON text, one for each annotation, made when first asked for."""

    def __init__(self) -> None:
        self._by_hint: dict[Any, tuple[Callable[[str], Any], Converter]] = {}

    def decode(self, text: str, hint: Any, plain: Callable[[str], Any], name: str) -> Any:
        """Return the value of a text as the annotation; `plain` reads what only a lenient parser can."""
        try:
            return self.of(hint)[0](text)
        except msgspec.ValidationError as error:
            raise DecodeError(_explain(error, hint), serialization=name) from error
        except (ValueError, RecursionError, msgspec.DecodeError):
            return self.convert(plain(text), hint, name)

    def convert(self, value: Any, hint: Any, name: str) -> Any:
        """Return a plain value as the annotation."""
        if is_untyped(hint):
            return value
        try:
            return self.of(hint)[1](value)
        except (msgspec.ValidationError, ValueError, TypeError, RecursionError) as error:
            raise DecodeError(_explain(error, hint), serialization=name) from error

    def of(self, hint: Any) -> tuple[Callable[[str], Any], Converter]:
        """Return the reader of text and the converter of plain values for an annotation."""
        try:
            found = self._by_hint.get(hint)
        except TypeError:  # an annotation that cannot be hashed
            return self._make(hint)
        if found is None:
            found = self._by_hint[hint] = self._make(hint)
        return found

    @staticmethod
    def _make(hint: Any) -> tuple[Callable[[str], Any], Converter]:
        return msgspec.json.Decoder(prepare(hint), dec_hook=build).decode, boxed(hint)


def _explain(error: Exception, hint: Any) -> str:
    return f"the stored value does not fit {shown(hint)}: {str(error).replace('$[0]', '$', 1)}"
