"""Errors as data: what is written, and what is built again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from durably import errors
from durably.codec import Codec, Codecs, Pickle, PortableJSON, SuperJSON, visible_errors
from durably.errors import DecodeError, InvalidOption, WorkflowFailed

portable = PortableJSON()
FORMATS: list[Codec] = [PortableJSON(), SuperJSON(), Pickle()]


class Declined(Exception):
    def __init__(self, code: str, data: Any = None) -> None:
        super().__init__(f"card declined: {code}")
        self.code = code
        self.data = data


class Plain(Exception):
    pass


class Hostile(Exception):
    def __str__(self) -> str:
        raise RuntimeError

    @property
    def code(self) -> int:
        raise RuntimeError

    data = property(lambda self: object())


def read(error: BaseException, codecs: Codecs | None = None, codec: Codec = portable) -> BaseException:
    return (codecs or Codecs()).decode_error("wf", codec.encode_error(error), codec.name)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("bad value"), '{"name":"ValueError","message":"bad value","code":null}'),
        (
            FileNotFoundError(2, "nofile"),
            '{"name":"FileNotFoundError","message":"[Errno 2] nofile","code":2}',
        ),
        (KeyError("zz"), '{"name":"KeyError","message":"\'zz\'","code":null}'),
        (
            Declined("E1", {"x": 1}),
            '{"name":"Declined","message":"card declined: E1","code":"E1","data":{"x":1}}',
        ),
        (
            WorkflowFailed("w", "not found", name="NotFoundError", code=404, data={"id": 1}),
            '{"name":"NotFoundError","message":"not found","code":404,"data":{"id":1}}',
        ),
        (SystemExit(3), '{"name":"SystemExit","message":"3","code":3}'),
    ],
)
def test_the_text_of_an_error(error: BaseException, text: str) -> None:
    assert portable.encode_error(error) == text


def test_the_text_in_superjson() -> None:
    record = json.loads(SuperJSON().encode_error(Declined("E1", {"x": 1})))
    assert record["__dbos_serializer"] == "superjson"
    assert "meta" not in record
    assert record["json"] == {
        "name": "Declined",
        "message": "card declined: E1",
        "stack": "Declined: card declined: E1",
        "code": "E1",
        "data": {"x": 1},
    }


@pytest.mark.parametrize("codec", FORMATS, ids=lambda c: c.name)
@pytest.mark.parametrize(
    "error",
    [
        Hostile(),
        Declined("\ud800", object()),
        Declined("x", {"deep": float("nan"), 1: "\ud800"}),
        Plain("\ud800" * 3),
        Plain("\0" * 10),
        type("Local", (Exception,), {})("x"),
        ExceptionGroup("g", [ValueError("x")]),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"),
        SystemExit(2**70),
    ],
    ids=lambda e: type(e).__name__.encode("ascii", "replace").decode(),
)
def test_every_error_finds_a_form_that_fits(codec: Codec, error: BaseException) -> None:
    text = codec.encode_error(error)
    text.encode()
    assert isinstance(codec.decode_error(text), BaseException)


@pytest.mark.parametrize("codec", FORMATS, ids=lambda c: c.name)
@pytest.mark.parametrize(
    "error",
    [
        ValueError("bad"),
        KeyError("zz"),
        FileNotFoundError(2, "nofile"),
        TimeoutError(),
        ZeroDivisionError("division by zero"),
        KeyError(("a", 1)),
        errors.WorkflowCancelled("child"),
        errors.StepRetriesExhausted("charge", "gave up", attempts=3),
        errors.Deduplicated("w", queue_name="q", deduplication_id="d"),
    ],
    ids=repr,
)
def test_a_builtin_or_one_of_ours_is_built_again(codec: Codec, error: BaseException) -> None:
    back = read(error, Codecs(allow=["py_pickle"]), codec)
    assert type(back) is type(error)
    if not (isinstance(error, KeyError) and isinstance(error.args[0], tuple)):
        assert str(back) == str(error)
    for name, value in vars(error).items():
        assert getattr(back, name) == value


def test_the_number_of_an_os_error_comes_back() -> None:
    back = read(FileNotFoundError(2, "nofile"))
    assert isinstance(back, FileNotFoundError)
    assert (back.errno, str(back)) == (2, "[Errno 2] nofile")


@pytest.mark.parametrize(
    "name",
    [
        "SystemExit",
        "KeyboardInterrupt",
        "StopIteration",
        "os.system",
        "Exception",
        "RunInterrupted",
        "DatabaseUnavailable",
        "WorkflowFailed",
        "UnicodeDecodeError",
        "eval",
    ],
)
def test_nothing_else_is_built_by_name(name: str) -> None:
    back = Codecs().decode_error("wf", json.dumps({"name": name, "message": "m"}), "portable_json")
    assert type(back) is WorkflowFailed
    assert (back.name, back.message, back.workflow_id) == (name, "m", "wf")


def test_registered_classes_are_built_again_with_their_message() -> None:
    back = read(Declined("E1", {"x": 1}), Codecs(errors=[Declined, Plain]))
    assert isinstance(back, Declined)
    assert (str(back), back.code, back.data) == ("card declined: E1", "E1", {"x": 1})


def test_an_unregistered_class_is_workflow_failed() -> None:
    back = read(Declined("E1", {"x": 1}))
    assert isinstance(back, WorkflowFailed)
    assert (back.name, back.message) == ("Declined", "card declined: E1")
    assert (back.code, back.data) == ("E1", {"x": 1})
    assert back.workflow_id == "wf"


def test_two_classes_of_one_name() -> None:
    other = type("Plain", (Exception,), {})
    with pytest.raises(InvalidOption):
        Codecs(errors=[Plain, other])
    codecs = Codecs(errors=[Plain])
    codecs.add_errors([Plain])
    assert type(read(Plain("x"), codecs)) is Plain
    codecs.add_errors([other])
    assert type(read(Plain("x"), codecs)) is WorkflowFailed
    with pytest.raises(InvalidOption):
        Codecs(errors=[SystemExit])


def test_visible_errors_are_those_that_the_module_names() -> None:
    def workflow() -> None: ...

    seen = visible_errors(workflow)
    assert Declined in seen
    assert DecodeError in seen
    assert ValueError not in seen


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        ("{}", "Error", ""),
        ('{"name":"TypeError2"}', "TypeError2", ""),
        ('{"name":null,"message":{"a":1},"code":[1]}', "Error", "{'a': 1}"),
        ('{"name":"Error","message":"bad value"}', "Error", "bad value"),
    ],
)
def test_members_may_be_missing(text: str, name: str, message: str) -> None:
    back = portable.decode_error(text)
    assert isinstance(back, WorkflowFailed)
    assert (back.name, back.message, back.code) == (name, message, None)


def test_what_typescript_throws() -> None:
    text = (
        '{"json":{"name":"RangeError","message":"m","stack":"RangeError: m\\n at","cause":{"name":"Error"}},'
        '"__dbos_serializer":"superjson"}'
    )
    back = SuperJSON().decode_error(text)
    assert isinstance(back, WorkflowFailed)
    assert (back.name, back.message) == ("RangeError", "m")
    thrown = SuperJSON().decode_error('{"json":"oops","__dbos_serializer":"superjson"}')
    assert isinstance(thrown, WorkflowFailed)
    assert thrown.message == "oops"


def test_a_text_that_is_no_error_is_a_decode_error() -> None:
    for codec in FORMATS:
        with pytest.raises(DecodeError):
            codec.decode_error("[")
    with pytest.raises(DecodeError):
        portable.decode_error("[]")
    with pytest.raises(DecodeError):
        Pickle().decode_error(Pickle().encode(7))
