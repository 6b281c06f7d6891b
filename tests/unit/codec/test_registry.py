"""Which formats may be read, and the one that runs code."""

from __future__ import annotations

import base64
from typing import Any

import pytest

import durably.codec
from durably.codec import Codec, Codecs, Pickle, PortableJSON
from durably.errors import (
    DecodeError,
    EncodeError,
    InvalidOption,
    NoSuchWorkflow,
    WorkflowCancelled,
    WorkflowFailed,
)


class Reversed(PortableJSON):
    name = "reversed"


def test_the_default_is_portable() -> None:
    codecs = Codecs()
    assert codecs.default.name == "portable_json"
    assert codecs.get(None) is codecs.default
    assert codecs.get("portable_json") is codecs.default
    assert set(codecs.readable) == {"portable_json", "js_superjson"}


@pytest.mark.parametrize(
    "make",
    [lambda: Codecs(allow=["py_pickle"]), lambda: Codecs("py_pickle"), lambda: Codecs(allow="py_pickle")],
)
def test_pickle_is_read_only_where_it_is_named(make: Any) -> None:
    with pytest.raises(DecodeError, match="allow it by name") as caught:
        Codecs().get("py_pickle")
    assert caught.value.serialization == "py_pickle"
    assert make().get("py_pickle").decode("gARLBy4=") == 7
    assert "py_pickle" in make().readable


def test_an_unknown_format_is_named_with_what_is_read() -> None:
    with pytest.raises(DecodeError, match=r"'DBOS_JSON'.*portable_json"):
        Codecs().get("DBOS_JSON")


def test_codecs_of_your_own() -> None:
    assert isinstance(Reversed(), Codec)
    codecs = Codecs(Reversed(), allow=[Pickle()])
    assert codecs.default.name == "reversed"
    assert set(codecs.readable) == {"portable_json", "js_superjson", "py_pickle", "reversed"}


@pytest.mark.parametrize("wrong", ["json", 3, PortableJSON, None])
def test_what_is_no_codec_is_refused(wrong: Any) -> None:
    with pytest.raises(InvalidOption):
        Codecs(wrong)
    with pytest.raises(InvalidOption):
        Codecs(allow=[wrong])


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "gAROLg=="), (7, "gARLBy4="), ("x", "gASVBQAAAAAAAACMAXiULg==")],
)
def test_the_texts_of_dbos_python(value: object, text: str) -> None:
    assert Pickle().encode(value) == text
    assert Pickle().decode(text) == value


def test_an_error_of_dbos_python() -> None:
    back = Pickle().decode_error("gASVKwAAAAAAAACMCGJ1aWx0aW5zlIwKVmFsdWVFcnJvcpSTlIwJYmFkIHZhbHVllIWUUpQu")
    assert isinstance(back, ValueError)
    assert str(back) == "bad value"


def plain_pickle(module: str, name: str, args: str, state: str = "") -> str:
    raw = f"c{module}\n{name}\n({args}tR{state}.".encode()
    return base64.b64encode(raw).decode()


def test_classes_of_dbos_are_read_as_ours() -> None:
    cancelled = Pickle().decode_error(
        plain_pickle("dbos._error", "DBOSAwaitedWorkflowCancelledError", "S'w1'\n")
    )
    assert isinstance(cancelled, WorkflowCancelled)
    assert cancelled.workflow_id == "w1"
    missing = Pickle().decode_error(
        plain_pickle("dbos._error", "DBOSNonExistentWorkflowError", "S'target'\nS'w1'\n")
    )
    assert isinstance(missing, NoSuchWorkflow)
    other = Pickle().decode_error(plain_pickle("dbos._error", "DBOSStreamTimeoutError", "S'w'\nS'k'\nF1.5\n"))
    assert isinstance(other, WorkflowFailed)
    assert (other.name, other.message) == ("DBOSStreamTimeoutError", "w, k, 1.5")


def test_a_portable_error_in_a_pickle_keeps_its_members() -> None:
    state = "(S'message'\nS'm'\nS'name'\nS'N'\nS'code'\nI4\ndb"
    text = plain_pickle("dbos._serialization", "PortableWorkflowError", "S'm'\n", state)
    back = Codecs(allow=["py_pickle"]).decode_error("wf", text, "py_pickle")
    assert isinstance(back, WorkflowFailed)
    assert (back.name, back.message, back.code, back.workflow_id) == ("N", "m", 4, "wf")


def test_a_pickle_that_breaks_is_a_decode_error() -> None:
    for text in ("", "!", "gAROLg", "AAAA", base64.b64encode(b"cnowhere\nThing\n.").decode()):
        with pytest.raises(DecodeError):
            Pickle().decode(text)


def test_a_memo_index_that_asks_for_gigabytes_is_refused() -> None:
    with pytest.raises(DecodeError, match="memo"):
        Pickle().decode(base64.b64encode(b"\x80\x04Nr\xff\xff\xff\x1f.").decode())


def test_what_cannot_be_pickled_is_refused() -> None:
    with pytest.raises(EncodeError, match="result"):
        Pickle().encode(lambda: 1, subject="result")


def test_public_names() -> None:
    assert durably.codec.__all__ == sorted(durably.codec.__all__)
    for name in durably.codec.__all__:
        assert hasattr(durably.codec, name)
