# Generated from src/durably/aio/_steps.py; do not edit: `make generate`.
"""Steps of any function, with or without options."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec, TypeVar, overload

from durably.core import checks, ops
from durably.engine.context import current_run
from durably.types import Retry, Seconds

__all__ = ["StepOptions", "run_step", "step_options"]

P = ParamSpec("P")
T = TypeVar("T")


class StepOptions:
    """How steps of any function are run: see `step_options`.

    careful = sync.step_options(retry=Retry(attempts=5))
    """

    def __init__(
        self, retry: Retry | None, timeout: Seconds | None, heartbeat_timeout: Seconds | None
    ) -> None:
        self._retry = retry
        self._timeout = timeout
        self._heartbeat_timeout = heartbeat_timeout

    @overload
    def run_step(
        self,
        name: str,
        function: Callable[P, Awaitable[T]],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T: ...

    @overload
    def run_step(self, name: str, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T: ...

    def run_step(self, name: str, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Run any function as a step under a name; a blocking one runs on a thread.

        sync.step_options(timeout=10).run_step("charge", charge, "4242", cents=100)
        """
        step: ops.RunStep[Any] = ops.RunStep(
            name,
            function,
            args,
            kwargs,
            self._retry,
            self._timeout,
            heartbeat_timeout=self._heartbeat_timeout,
        )
        return current_run().perform_blocking(step)


def step_options(
    *,
    retry: Retry | None = None,
    timeout: Seconds | None = None,
    heartbeat_timeout: Seconds | None = None,
) -> StepOptions:
    """Options for steps of any function, beside the function's own arguments; each as in `@app.step`.

    `timeout` is for each attempt and `heartbeat_timeout` from heartbeat to heartbeat, in seconds or
    `timedelta`. InvalidOption for what cannot be.

        careful = sync.step_options(retry=Retry(attempts=5), timeout=10)
        receipt = careful.run_step("charge", charge, "4242", cents=100)
    """
    return StepOptions(
        checks.rule("retry", retry),
        checks.duration("timeout", timeout, zero=False),
        checks.duration("heartbeat_timeout", heartbeat_timeout, zero=False),
    )


@overload
def run_step(
    name: str,
    function: Callable[P, Awaitable[T]],
    /,
    *args: P.args,
    **kwargs: P.kwargs,
) -> T: ...


@overload
def run_step(name: str, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T: ...


def run_step(name: str, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """Run any function as a step under a name; a blocking one runs on a thread. For options: `step_options`.

    total = sync.run_step("total", add, 1, 2)
    """
    return current_run().perform_blocking(ops.RunStep(name, function, args, kwargs))
