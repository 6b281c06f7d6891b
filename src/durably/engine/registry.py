"""What an application can run: its workflows by name and class, and its steps."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import msgspec

from durably.codec import Parameters
from durably.core.ops import RunStep
from durably.errors import ConfigurationError, WrongContext
from durably.types import Retry, Seconds

__all__ = [
    "DEFINITION",
    "Registry",
    "StepDefinition",
    "WorkflowDefinition",
    "published",
    "seconds",
    "step_operation",
]

DEFINITION = "__durably_step__"  # the attribute of a step's function that has its definition

Key: TypeAlias = tuple[str, str, str]  # name, class name, config name; '' for none


def seconds(value: Seconds | None) -> float | None:
    """A duration as seconds."""
    return value if value is None or isinstance(value, int | float) else value.total_seconds()


@dataclass(frozen=True, eq=False)
class WorkflowDefinition:
    """A function registered as a workflow; of a method, `config_name` tells for which instance."""

    name: str
    function: Callable[..., Any]
    class_name: str | None = None
    config_name: str | None = None
    takes_self: bool = False  # a method that no instance is bound to yet
    takes_class: bool = False  # a class method that its class is not bound to yet
    max_recovery_attempts: int | None = None
    serialization: str | None = None
    required_roles: Sequence[str] = ()
    retry: Retry | None = None
    parameters: Parameters = field(init=False)
    is_async: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", Parameters.of(self.function))
        object.__setattr__(self, "is_async", inspect.iscoroutinefunction(self.function))

    @property
    def key(self) -> Key:
        """What names it in a row."""
        return self.name, self.class_name or "", self.config_name or ""

    def bound(self, instance: object, config_name: str | None = None) -> WorkflowDefinition:
        """The workflow as a method of an instance, or of a class."""
        return replace(
            self,
            function=self.function.__get__(instance),
            config_name=config_name,
            takes_self=False,
            takes_class=False,
        )


@dataclass(frozen=True, eq=False)
class StepDefinition:
    """A function registered as a step."""

    name: str
    function: Callable[..., Any]
    retry: Retry | None = None
    timeout: float | None = None
    heartbeat_timeout: float | None = None
    result_type: Any = Any
    is_async: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "is_async", inspect.iscoroutinefunction(self.function))

    def operation(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> RunStep[Any]:
        """One call of it."""
        return RunStep(
            self.name,
            self.function,
            args,
            kwargs,
            self.retry,
            self.timeout,
            self.result_type,
            self.heartbeat_timeout,
        )


def step_operation(function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> RunStep[Any]:
    """A call of a step, by the function that its name is bound to; WrongContext for another function."""
    step: StepDefinition | None = getattr(function, DEFINITION, None)
    if step is None:
        name = getattr(function, "__name__", repr(function))
        raise WrongContext(f"{name} is not a step: decorate it with @app.step")
    bound = (function.__self__,) if inspect.ismethod(function) else ()
    return step.operation((*bound, *args), kwargs)


class Registry:
    """Workflows by name, class name and, of a configured instance, its name."""

    def __init__(self) -> None:
        self._workflows: dict[Key, WorkflowDefinition] = {}
        self._runnable: list[str] | None = None

    def __iter__(self) -> Iterator[WorkflowDefinition]:
        return iter(self._workflows.values())

    def add(self, definition: WorkflowDefinition) -> None:
        """Register; ConfigurationError when the name is taken by another function."""
        if definition.key in self._workflows:
            name, class_name, config_name = definition.key
            raise ConfigurationError(
                f"two workflows are named {name!r}"
                + (f" in class {class_name!r}" if class_name else "")
                + (
                    f": its instance {config_name!r} is registered already"
                    if config_name
                    else ": give one of them another name"
                )
            )
        self._workflows[definition.key] = definition
        self._runnable = None

    def find(
        self, name: str, class_name: str | None, config_name: str | None = None
    ) -> WorkflowDefinition | None:
        """The workflow of that name; a row without a class finds the only one of its name and instance."""
        exact = self._workflows.get((name, class_name or "", config_name or ""))
        if exact is not None or class_name:
            return exact
        alike = [d for d in self if d.name == name and d.key[2] == (config_name or "")]
        return alike[0] if len(alike) == 1 else None

    def runnable(self) -> list[str]:
        """What a claim asks for: the keys that `find` finds a workflow by, their parts joined by chr(31)."""
        if self._runnable is None:
            keys = set(self._workflows)
            keys |= {(name, "", config) for name, _, config in keys if self.find(name, None, config)}
            self._runnable = sorted(map("\x1f".join, keys))
        return self._runnable


def published(registry: Registry) -> list[dict[str, str]]:
    """What an application tells of its workflows: those of several instances of a class once."""
    told = {
        (each.name, each.class_name or ""): msgspec.json.encode(each.parameters.schema()).decode()
        for each in registry
    }
    return [
        {"name": name, "class_name": class_name, "parameters": text}
        for (name, class_name), text in told.items()
    ]
