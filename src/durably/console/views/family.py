"""The family of a run: a tree of nested nodes, and a picture of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from durably.console.words import state
from durably.types import FamilyMember

__all__ = ["Node", "Tree", "tree"]

INDENT = 28  # pixels
LINE = 30
DRAWN = 60  # nodes in the picture
LETTERS = 30  # of a name in it


@dataclass
class Node:
    """A run and its children; `is_full` where it has more of them than are shown."""

    run: FamilyMember
    children: list[Node] = field(default_factory=list)
    is_full: bool = False


@dataclass(frozen=True)
class Dot:
    """A run in the picture: where it is, its colour, its words."""

    x: int
    y: int
    kind: str
    run: FamilyMember
    word: str
    edge: str  # the path from its parent


@dataclass(frozen=True)
class Tree:
    """The root, how many there are, whether more are not shown, and the picture."""

    root: Node
    size: int
    is_cut: bool
    dots: tuple[Dot, ...]
    width: int
    height: int


def tree(members: Sequence[FamilyMember], *, breadth: int, limit: int) -> Tree:
    """Members by depth, ancestors first; more than `breadth` children, or `limit` descendants, are cut."""
    nodes = {member.workflow_id: Node(member) for member in members}
    root = nodes[members[0].workflow_id]
    for member in members[1:]:
        parent = nodes.get(member.parent_workflow_id or "")
        if parent is None:
            continue
        if len(parent.children) < breadth:
            parent.children.append(nodes[member.workflow_id])
        else:
            parent.is_full = True
    dots = tuple(_dots(root))
    width = max(dot.x for dot in dots) + 340
    below = sum(member.depth > 0 for member in members)
    return Tree(root, len(members), below >= limit, dots, width, len(dots) * LINE + 8)


def _dots(root: Node) -> Iterator[Dot]:
    waiting: list[tuple[Node, int, tuple[int, int] | None]] = [(root, 0, None)]
    for row in range(DRAWN):
        if not waiting:
            return
        node, depth, parent = waiting.pop()
        x, y = 12 + depth * INDENT, 18 + row * LINE
        edge = "" if parent is None else f"M{parent[0]} {parent[1] + 7}V{y}H{x - 7}"
        word, kind = state(node.run.status)
        yield Dot(x, y, kind, node.run, f"{node.run.name[:LETTERS]} · {word.lower()}", edge)
        waiting += [(child, depth + 1, (x, y)) for child in reversed(node.children)]
