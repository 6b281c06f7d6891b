"""Workflows of other programs, declared: an address that type checkers understand."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, NoReturn, Protocol, cast, overload

from typing_extensions import ParamSpec, TypeVar

from durably.codec import Parameters
from durably.errors import InvalidOption, WrongContext
from durably.types import Arguments, EnqueueOptions

__all__ = ["DeclaredOptions", "DeclaredWorkflow", "declare_workflow"]

P = ParamSpec("P", default=...)
R = TypeVar("R", default=Any)
R_co = TypeVar("R_co", covariant=True, default=Any)


@dataclass(frozen=True, kw_only=True)
class DeclaredOptions(EnqueueOptions[P, R_co]):
    """EnqueueOptions that know the parameters of the workflow."""

    parameters: Parameters = field(repr=False)
    signature: inspect.Signature = field(repr=False)

    def bound(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
        """The arguments by position where they can be: TypeScript does not see named ones.

        Raises InvalidOption when the workflow does not take them.
        """
        try:
            given = self.signature.bind(*args, **kwargs)
        except TypeError as error:
            hint = f"{self.workflow_name}{self.signature} does not take them: {error}"
            raise InvalidOption("arguments", (*args, *kwargs.items()), hint) from None
        return given.args, given.kwargs


class DeclaredWorkflow(Generic[P, R_co]):
    """A workflow that some application runs: pass it, or its `options(...)`, to `enqueue`.

    handle = client.enqueue(purchase_ticket, "Stonebraker", ["a1"], date)
    """

    def __init__(self, function: Callable[P, Any], base: Mapping[str, Any]) -> None:
        parameters = Parameters.of(function)
        self._options: DeclaredOptions[P, R_co] = DeclaredOptions(
            **base,
            result_type=parameters.result_type,
            parameters=parameters,
            signature=inspect.signature(function),
        )
        self.workflow_name: str = self._options.workflow_name
        self.__doc__ = function.__doc__
        self.__name__: str = function.__name__
        self.__qualname__: str = function.__qualname__
        self.__module__ = function.__module__
        self.__wrapped__ = function

    def options(self, **overrides: Any) -> EnqueueOptions[P, R_co]:
        """The options to enqueue it with; `overrides` are fields of EnqueueOptions.

        client.enqueue(purchase_ticket.options(workflow_id="order-19"), "Stonebraker", ["a1"], date)
        """
        unknown = sorted(overrides.keys() - _FIELDS)
        if unknown:
            hint = f"there is no such option; there are {', '.join(sorted(_FIELDS))}"
            raise InvalidOption(unknown[0], overrides[unknown[0]], hint)
        return dataclasses.replace(self._options, **overrides)

    def arguments(self, *args: P.args, **kwargs: P.kwargs) -> Arguments:
        """Its arguments, for a fork or a rewind with others.

        client.fork_workflow("order-17", arguments=purchase_ticket.arguments("Stonebraker", ["a2"], date))
        """
        return Arguments(*self._options.bound(args, kwargs), self._options.parameters)

    @property
    def result_type(self) -> Any:
        """What its results are decoded to.

        print(purchase_ticket.result_type)
        """
        return self._options.result_type

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> NoReturn:
        """A declared workflow runs elsewhere: raises WrongContext."""
        raise WrongContext(
            f"{self.__name__}() is only declared here, an application runs it: "
            f"client.enqueue({self.__name__}, ...) starts it there"
        )

    def __repr__(self) -> str:
        return f"<declared workflow {self.workflow_name!r} on queue {self._options.queue_name!r}>"


class _Declare(Protocol):
    @overload
    def __call__(self, function: Callable[P, Coroutine[Any, Any, R]], /) -> DeclaredWorkflow[P, R]: ...
    @overload
    def __call__(self, function: Callable[P, R], /) -> DeclaredWorkflow[P, R]: ...


def declare_workflow(
    *,
    queue_name: str,
    name: str | None = None,
    class_name: str | None = None,
    **options: Any,
) -> _Declare:
    """Declare a workflow that an application runs, in any language, by the signature of a function.

    `name` left out is the function's. Its results are decoded to its annotation, and type checkers know its
    arguments. `options` are further fields of EnqueueOptions (`serialization`, `timeout`, ...) that every
    call starts from. The function's body never runs.

        @declare_workflow(name="purchaseTicket", class_name="DBOSTicketAuthority", queue_name="ticketQueue")
        def purchase_ticket(event: str, seats: list[str], date: datetime) -> TicketInfo: ...

        handle = client.enqueue(purchase_ticket, "Stonebraker", ["a1"], datetime(2025, 5, 1, tzinfo=UTC))
    """
    unknown = sorted(options.keys() - _FIELDS)
    if unknown:
        raise InvalidOption(unknown[0], options[unknown[0]], f"there are {', '.join(sorted(_FIELDS))}")

    def declare(function: Callable[..., Any], /) -> DeclaredWorkflow[..., Any]:
        base = {
            **options,
            "workflow_name": function.__name__ if name is None else name,
            "workflow_class_name": class_name,
            "queue_name": queue_name,
        }
        return DeclaredWorkflow(function, base)

    return cast("_Declare", declare)


_FIELDS = frozenset(f.name for f in dataclasses.fields(EnqueueOptions)) - {"result_type"}
