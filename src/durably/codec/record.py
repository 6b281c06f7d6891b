"""Opening objects with named fields: dataclass, msgspec.Struct, attrs, pydantic.

attrs and pydantic are never imported: a class that is theirs carries the marks by which it is known.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import msgspec

from durably.codec.unfit import Unfit, describe

__all__ = ["NO_KEYS", "Keys", "Member", "Opener", "is_pydantic", "key_types", "opener_of"]

Keys = frozenset[type]  # the key types, besides str, that come back as what they were
NO_KEYS: Keys = frozenset()

_KEY_TYPES = (int, UUID, Decimal, date, datetime)


Member = tuple[
    str, Any, Keys
]  # name, value, key types of its mappings (a plain tuple: one per field written)
Opener = Callable[[Any], list[Member]]


def opener_of(type_: type) -> Opener | None:
    """Return what lists the members of a record of this type, or None if it is no record."""
    if is_pydantic(type_):
        return _pydantic(type_)
    if issubclass(type_, msgspec.Struct):
        return _struct(type_)
    if dataclasses.is_dataclass(type_):
        return _attributes(type_, [field.name for field in dataclasses.fields(type_)])
    if hasattr(type_, "__attrs_attrs__"):
        return _attributes(type_, [attribute.name for attribute in type_.__attrs_attrs__])
    return None


def is_pydantic(type_: Any) -> bool:
    """Is this a pydantic model or a pydantic dataclass?"""
    return isinstance(type_, type) and hasattr(type_, "__pydantic_serializer__")


def key_types(hint: Any) -> Keys:
    """Return the key types of the mappings in an annotation: `dict[int, str]` gives `{int}`."""
    arguments = typing.get_args(hint)
    if not arguments:
        return NO_KEYS
    found = frozenset[type]().union(*map(key_types, arguments))
    origin = typing.get_origin(hint)
    if isinstance(origin, type) and issubclass(origin, Mapping) and _is_key_type(arguments[0]):
        return found | {arguments[0]}
    return found


def _is_key_type(type_: Any) -> bool:
    return type_ in _KEY_TYPES or (isinstance(type_, type) and issubclass(type_, Enum))


def _keys_by_field(type_: type) -> dict[str, Keys]:
    try:
        hints = typing.get_type_hints(type_)
    except Exception:  # a hint that cannot be resolved only costs its odd keys
        return {}
    return {name: key_types(hint) for name, hint in hints.items()}


def _attributes(type_: type, names: list[str]) -> Opener:
    keys = _keys_by_field(type_)
    plan = [(name, keys.get(name, NO_KEYS)) for name in names]

    def members(value: Any) -> list[Member]:
        return [(name, getattr(value, name), keys) for name, keys in plan]

    return members


def _struct(type_: type[msgspec.Struct]) -> Opener:
    config, keys = type_.__struct_config__, _keys_by_field(type_)
    names = zip(type_.__struct_fields__, type_.__struct_encode_fields__, strict=True)
    plan = [(name, written, keys.get(name, NO_KEYS)) for name, written in names]
    tag = [(config.tag_field, config.tag, NO_KEYS)] if config.tag_field is not None else []

    def members(value: Any) -> list[Member]:
        fields = [(written, getattr(value, name), keys) for name, written, keys in plan]
        return tag + [field for field in fields if field[1] is not msgspec.UNSET]

    return members


def _pydantic(type_: Any) -> Opener:
    serializer = type_.__pydantic_serializer__
    by_alias, is_root = _is_read_by_alias(type_), getattr(type_, "__pydantic_root_model__", False)

    def members(value: Any) -> list[Member]:
        try:
            plain = serializer.to_python(value, mode="json", by_alias=by_alias, round_trip=True)
        except Exception as error:
            raise Unfit(describe(type_), f"pydantic cannot write it as JSON ({error})") from error
        if is_root:
            return [("", plain, NO_KEYS)]
        return [(name, item, NO_KEYS) for name, item in plain.items()]

    return members


def _is_read_by_alias(type_: Any) -> bool:
    fields = getattr(type_, "__pydantic_fields__", {}).values()
    written = [(field.serialization_alias, field.validation_alias) for field in fields]
    return all(alias is None or alias == read for alias, read in written)
