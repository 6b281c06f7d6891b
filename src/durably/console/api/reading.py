"""What a request says, as typed values: whatever is not exactly that is refused, by name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, get_args
from urllib.parse import parse_qsl

import msgspec
from msgspec import inspect
from starlette.requests import ClientDisconnect, Request

from durably.console.api.problems import Refused

__all__ = [
    "JSON",
    "LARGEST_BODY",
    "NDJSON",
    "body_of",
    "header_of",
    "lines_of",
    "media_type",
    "options",
    "query_of",
    "text_of",
]

LARGEST_BODY = 16 * 1024 * 1024  # bytes
MOST_PARAMETERS = 1000
MOST_LINES = 10_000

JSON = "application/json"
NDJSON = "application/x-ndjson"

_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,18})", re.ASCII)
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,18})(\.[0-9]{1,400})?([eE][+-]?[0-9]{1,3})?", re.ASCII)
_AT = re.compile(r"^(?P<what>.*?)(?: - at `\$\.?(?P<where>.*)`)?$", re.DOTALL)
_WHOLE_MEANT = re.compile(r"Expected `[^`]*\bint\b[^`]*`, got `float`")
_STEP = re.compile(r"(?:^|\.)([^.\[\]]+)|\[([0-9]+)\]")
_FIELD = re.compile(r"field `(?P<name>[^`]*)`")


def query_of(request: Request, kind: type[Any]) -> Any:
    """The parameters of the URL, as a struct of this kind."""
    types = {field.encode_name: field.type for field in _fields(kind)}
    found: dict[str, Any] = {}
    for name, text in _pairs(request):
        if name not in types:
            known = f"it takes {', '.join(types)}" if types else "it takes none"
            raise Refused("unreadable", f"there is no query parameter {name!r} here", option=name, hint=known)
        _add(found, name, text, types[name])
    try:
        return msgspec.convert(found, kind)
    except msgspec.ValidationError as error:
        raise _mismatch(error, "the query") from None


def header_of(request: Request, name: str, type_: Any) -> Any:
    """A header's value as this type; None where it is not sent."""
    raw = request.headers.get(name)
    if raw is None:
        return None
    try:
        text = raw.encode("latin-1").decode()  # as they are sent by whatever writes UTF-8
        return msgspec.convert(_value(text, inspect.type_info(type_)), type_)
    except UnicodeDecodeError:
        raise Refused("unreadable", f"the header {name} is not UTF-8", option=name) from None
    except msgspec.ValidationError as error:
        raise Refused("unreadable", f"the header {name}: {error}", option=name) from None


async def text_of(request: Request, *accepted: str) -> bytes:
    """The body, in one of the accepted media types; empty where there is none."""
    text = await _read(request)
    if text and (media := media_type(request)) not in accepted:
        hint = f"send Content-Type: {' or '.join(accepted)}"
        said = f"a body of type {media}" if media else "a body without Content-Type"
        raise Refused("wrong-media-type", f"{said} is not taken here", hint=hint)
    return text


def body_of(text: bytes, kind: Any) -> Any:
    """The JSON document of a body; no body is an empty object."""
    return _document(text or b"{}", kind, "the body" if text else "the body, which is missing,")


def lines_of(text: bytes, kind: Any) -> list[Any]:
    """The documents of a body that has one on each line; `kind` is the type of all of them, a list."""
    lines = [(number, line) for number, line in enumerate(text.split(b"\n"), 1) if line.strip()]
    if len(lines) > MOST_LINES:
        raise Refused("unreadable", f"{len(lines):,} lines; {MOST_LINES:,} are the most in one request")
    item = get_args(get_args(kind)[0])[0]
    return [_document(line, item, f"line {number} of the body") for number, line in lines]


def _document(text: bytes, kind: Any, where: str) -> Any:
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.ValidationError as error:
        return _converted(text, kind, where, error)
    except (ValueError, RecursionError) as error:
        raise Refused("unreadable", f"{where} is not JSON: {_why(error)}") from None


def _converted(text: bytes, kind: Any, where: str, error: msgspec.ValidationError) -> Any:
    """The document, with 3.0 where 3 is meant: to JSON they are the same number."""
    document, mended = None, ""
    while _WHOLE_MEANT.search(str(error)) and (place := _place(error)) != mended:
        document = msgspec.json.decode(text) if document is None else document
        mended = place
        if not _make_whole(document, place):
            break
        try:
            return msgspec.convert(document, kind)
        except msgspec.ValidationError as another:
            error = another
    raise _mismatch(error, where) from None


def _make_whole(document: Any, place: str) -> bool:
    """Put a whole number in a place of the document; False where there is none."""
    *path, last = [int(index) if index else name for name, index in _STEP.findall(place)] or [""]
    try:
        for step in path:
            document = document[step]
        value = document[last]
    except (KeyError, IndexError, TypeError):
        return False
    if not isinstance(value, float) or not value.is_integer():
        return False
    document[last] = int(value)
    return True


async def _read(request: Request) -> bytes:
    """The whole body, if it is not too large, whatever length it declared."""
    chunks, size = [], 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > LARGEST_BODY:
                raise Refused("too-large", f"a body of at most {LARGEST_BODY:,} bytes, please")
            chunks.append(chunk)
    except ClientDisconnect:
        raise Refused("unreadable", "the connection ended before the body did") from None
    return b"".join(chunks)


def media_type(request: Request) -> str:
    """The media type; UTF-8 is the only encoding of JSON."""
    media, _, parameters = request.headers.get("content-type", "").partition(";")
    charset = parameters.strip().lower().removeprefix("charset=").strip('"')
    return media.strip().lower() + ("" if charset in ("", "utf-8") else f"; {parameters.strip()}")


def _pairs(request: Request) -> list[tuple[str, str]]:
    raw: bytes = request.scope["query_string"]
    try:
        return parse_qsl(
            raw.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_PARAMETERS
        )
    except UnicodeDecodeError:
        raise Refused("unreadable", "the query is not percent-encoded UTF-8") from None
    except ValueError:
        raise Refused("unreadable", f"more than {MOST_PARAMETERS} query parameters") from None


def _add(found: dict[str, Any], name: str, text: str, type_: inspect.Type) -> None:
    many = _listed(type_)
    if many is not None:
        found.setdefault(name, []).append(_value(text, many))
    elif name in found:
        raise Refused("unreadable", f"the query parameter {name!r} is given twice", option=name)
    else:
        found[name] = _value(text, type_)


def _value(text: str, type_: inspect.Type) -> Any:
    """A text as what it is to be; one that is no such thing stays a text, which the type then refuses."""
    kinds = _kinds(type_)
    if any(isinstance(kind, inspect.IntType) for kind in kinds) and _WHOLE.fullmatch(text):
        return int(text)
    if any(isinstance(kind, inspect.FloatType) for kind in kinds) and _NUMBER.fullmatch(text):
        return float(text)
    if any(isinstance(kind, inspect.BoolType) for kind in kinds):
        return {"true": True, "false": False}.get(text, text)
    if any(isinstance(kind, inspect.DictType) for kind in kinds):
        return _object(text)
    return text


def _object(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return text


def _kinds(type_: inspect.Type) -> list[inspect.Type]:
    """The types that a type is one of."""
    match type_:
        case inspect.Metadata():
            return _kinds(type_.type)
        case inspect.UnionType():
            return [kind for each in type_.types for kind in _kinds(each)]
        case _:
            return [type_]


def _listed(type_: inspect.Type) -> inspect.Type | None:
    """The type of the items, where a parameter may be repeated."""
    for kind in _kinds(type_):
        if isinstance(kind, inspect.ListType | inspect.VarTupleType):
            return kind.item_type
    return None


_known: dict[type[Any], tuple[inspect.Field, ...]] = {}


def _fields(kind: type[Any]) -> tuple[inspect.Field, ...]:
    if kind not in _known:
        described = inspect.type_info(kind)
        assert isinstance(described, inspect.StructType)
        _known[kind] = described.fields
    return _known[kind]


def _place(error: msgspec.ValidationError) -> str:
    said = _AT.match(str(error))
    assert said is not None
    return said["where"] or ""


def _mismatch(error: msgspec.ValidationError, where: str) -> Refused:
    said = _AT.match(str(error))
    assert said is not None
    named = _FIELD.search(said["what"])
    option = ".".join(filter(None, (said["where"], named and named["name"])))
    place = f" at {said['where']}" if said["where"] else ""
    return Refused("unreadable", f"{where} does not fit{place}: {said['what']}", option=option or None)


def _why(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    return str(error)


def options(given: Any, *without: str) -> Mapping[str, Any]:
    """The fields of what was given, as keyword arguments."""
    return {name: getattr(given, name) for name in given.__struct_fields__ if name not in without}
