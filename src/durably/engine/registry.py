"""What an application can run: its workflows by name and class, and its steps."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from durably.codec import Parameters
from durably.errors import ConfigurationError
from durably.types import Retry, Seconds

__all__ = ["Registry", "StepDefinition", "WorkflowDefinition", "seconds"]


def seconds(value: Seconds | None) -> float | None:
    """A duration as seconds."""
    return value if value is None or isinstance(value, int | float) else value.total_seconds()


@dataclass(frozen=True, eq=False)
class WorkflowDefinition:
    """A function registered as a workflow."""

    name: str
    function: Callable[..., Any]
    class_name: str | None = None
    max_recovery_attempts: int | None = None
    serialization: str | None = None
    parameters: Parameters = field(init=False)
    is_async: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", Parameters.of(self.function))
        object.__setattr__(self, "is_async", inspect.iscoroutinefunction(self.function))


@dataclass(frozen=True, eq=False)
class StepDefinition:
    """A function registered as a step."""

    name: str
    function: Callable[..., Any]
    retry: Retry | None = None
    timeout: float | None = None
    result_type: Any = Any
    is_async: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "is_async", inspect.iscoroutinefunction(self.function))


class Registry:
    """Workflows by (name, class name)."""

    def __init__(self) -> None:
        self._workflows: dict[tuple[str, str], WorkflowDefinition] = {}

    def __iter__(self) -> Iterator[WorkflowDefinition]:
        return iter(self._workflows.values())

    def add(self, definition: WorkflowDefinition) -> None:
        """Register; ConfigurationError when the name is taken by another function."""
        key = (definition.name, definition.class_name or "")
        if key in self._workflows:
            raise ConfigurationError(
                f"two workflows are named {definition.name!r}"
                + (f" in class {definition.class_name!r}" if definition.class_name else "")
                + ": give one of them another name"
            )
        self._workflows[key] = definition

    def find(self, name: str, class_name: str | None) -> WorkflowDefinition | None:
        """The workflow of that name; a row without a class finds the only one of its name."""
        exact = self._workflows.get((name, class_name or ""))
        if exact is not None or class_name:
            return exact
        same_name = [d for d in self if d.name == name]
        return same_name[0] if len(same_name) == 1 else None

    def runnable(self) -> list[str]:
        """What a claim asks for: name and class of every workflow that `find` finds, joined by chr(31)."""
        keys = set(self._workflows) | {(d.name, "") for d in self if self.find(d.name, None)}
        return sorted(f"{name}\x1f{class_name}" for name, class_name in keys)
