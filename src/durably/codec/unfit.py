"""The way an unencodable value travels up to become an `EncodeError`."""

from __future__ import annotations

from durably.errors import EncodeError

__all__ = ["DEPTH", "Unfit", "describe", "item_step", "key_step"]

DEPTH = 200  # containers inside each other


class Unfit(Exception):
    """A value that cannot be encoded; each level that it passes adds its step to the path.

    Building the path only on the way up makes it free for the values that fit.
    """

    def __init__(self, type_name: str, hint: str, *, too_deep: bool = False) -> None:
        super().__init__(hint)
        self.type_name = type_name
        self.hint = hint
        self.too_deep = too_deep
        self.steps: list[str] = []
        self.parents: list[int] = []

    def under(self, step: str, parent: object) -> Unfit:
        """Return self, one level further up."""
        self.steps.append(step)
        self.parents.append(id(parent))
        return self

    def error(self, subject: str) -> EncodeError:
        """Return the error for the user."""
        steps, hint = self.steps[::-1], self.hint
        if self.too_deep:
            steps, hint = self._why_too_deep(steps, self.parents[::-1])
        return EncodeError("".join(steps), self.type_name, hint, subject=subject)

    @staticmethod
    def _why_too_deep(steps: list[str], parents: list[int]) -> tuple[list[str], str]:
        seen: set[int] = set()
        for depth, parent in enumerate(parents):
            if parent in seen:
                return steps[:depth], "it contains itself; break the cycle, for example with an id"
            seen.add(parent)
        hint = f"it is nested deeper than {DEPTH} levels; flatten it, or keep it elsewhere and pass its id"
        return [*steps[:3], "..."], hint


def describe(type_: type) -> str:
    """Return a type's name as its user knows it."""
    if type_.__module__ == "builtins":
        return type_.__qualname__
    return f"{type_.__module__}.{type_.__qualname__}"


def item_step(index: int) -> str:
    """Return the path step to an element: `[1]`."""
    return f"[{index}]"


def key_step(key: object) -> str:
    """Return the path step to a member: `.items`, or `['a b']`."""
    if isinstance(key, str) and key.isidentifier():
        return f".{key}"
    shown = repr(key)
    return f"[{shown[:60]}...]" if len(shown) > 63 else f"[{shown}]"
