"""What the engine and the client ask of a codec."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from durably.codec.signature import Parameters

__all__ = ["Codec"]


@runtime_checkable
class Codec(Protocol):
    """Turns values into the text of a column, and back.

    `name` goes into the row's `serialization` column and picks the codec of whoever reads it.
    Encoding raises `EncodeError` before anything is written; decoding raises `DecodeError`,
    whatever the text is. Codecs are stateless and safe to share between threads.

    `type_` and `parameters` are what the value is annotated with, where that is known.
    """

    @property
    def name(self) -> str:
        """The text for the `serialization` column."""

    def encode(self, value: object, *, subject: str = "value", type_: Any = Any) -> str:
        """Return the text of a value; `subject` names it in the error."""

    def decode(self, text: str, type_: Any = Any) -> Any:
        """Return the value of a text, as `type_` (`Any` or none: plain JSON types)."""

    def encode_arguments(
        self,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        *,
        subject: str = "arguments",
        parameters: Parameters | None = None,
    ) -> str:
        """Return the text of a call's arguments."""

    def decode_arguments(
        self, text: str, parameters: Parameters | None = None
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the arguments of a call, checked and typed by `parameters`."""

    def encode_error(self, error: BaseException) -> str:
        """Return the text of an error; whatever the error holds, this finds a form that fits."""

    def decode_error(self, text: str) -> BaseException:
        """Return the error of a text: a class that is safe to rebuild, else `WorkflowFailed`."""
