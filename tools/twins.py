"""Makes blocking classes that delegate to async ones, from the async classes' source.

Every public method becomes one with the same name, signature and docstring and a body of one line, which runs
the async method through a portal:

    def cancel(self, workflow_id: str) -> None:
        return self._portal.call(self._async.cancel, workflow_id)

What is itself a twin (a handle, say) is wrapped on its way out and unwrapped on its way in. What this cannot
do (a tuple of a handle and a number, an async context manager) is refused with the method's name.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tools.unasync import AWAITED, BLOCKING_NAMES, blocking_prose

__all__ = ["Source", "Unsupported", "render_twins"]

CLOSERS = frozenset({"destroy", "close", "aclose"})
STREAMS = frozenset({"AsyncIterator", "AsyncIterable", "AsyncGenerator"})
PLAIN_BASES = frozenset({"Generic", "Protocol", "object"})
LISTS = frozenset({"list", "Sequence", "Iterable", "Collection"})
HEADER_IMPORTS: Mapping[str, str] = {
    "Any": "typing",
    "Self": "typing",
    "cast": "typing",
    "overload": "typing",
    "Iterator": "collections.abc",
    "Iterable": "collections.abc",
    "Generator": "collections.abc",
    "suppress": "contextlib",
    "NotRunning": "durably.errors",
    "Portal": "durably.concurrency.portal",
}

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


class Unsupported(ValueError):
    """A method has a shape that no twin can be made of."""


@dataclass(frozen=True)
class Source:
    """A module of async classes: its dotted name and its text."""

    module: str
    text: str
    tree: ast.Module = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tree", ast.parse(self.text))


def render_twins(
    sources: Sequence[Source],
    classes: Mapping[str, str],
    *,
    doc: str,
    awaitables: frozenset[str] = frozenset(),
) -> str:
    """Return the text of a module with one blocking class for each async one that `classes` maps.

    `awaitables` names generic classes that are awaited for their argument, as `Awaitable` is.
    """
    found = {
        node.name: (source, node)
        for source in sources
        for node in source.tree.body
        if isinstance(node, ast.ClassDef)
    }
    bodies = [_Twin(name, found, classes, AWAITED | awaitables).render() for name in classes]
    code = "\n\n\n".join(bodies)
    exported = sorted(classes.values())
    return "\n\n".join(
        [f'"""{doc}"""', _imports(code, sources, classes), f"__all__ = {exported!r}", "\n" + code]
    )


# --- one class ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Twin:
    """One async class on its way to becoming a blocking one."""

    name: str
    found: Mapping[str, tuple[Source, ast.ClassDef]]
    classes: Mapping[str, str]
    awaited: frozenset[str]

    def render(self) -> str:
        source, node = self._class(self.name)
        blocking = self.classes[self.name]
        generic = [ast.unparse(base) for base in node.bases if _outer_name(base) == "Generic"]
        parameters = generic[0].removeprefix("Generic") if generic else ""
        head = f"class {blocking}({generic[0]}):" if generic else f"class {blocking}:"
        init = (
            f"    def __init__(self, twin: {self.name}{parameters}, portal: Portal) -> None:\n"
            "        self._async = twin\n"
            "        self._portal = portal"
        )
        return "\n\n".join([f"{head}\n{_docstring(source, node, self.classes, 4)}", init, *self._members()])

    def _class(self, name: str) -> tuple[Source, ast.ClassDef]:
        if name not in self.found:
            raise Unsupported(f"class {name} is in none of the sources")
        return self.found[name]

    def _members(self) -> Iterator[str]:
        seen: set[str] = set()
        for source, node in self._lineage(self.name):
            fields = [*_fields(node), *_assigned_in_init(node)]
            members = {name: _property(name, annotation, self.classes) for name, annotation in fields}
            methods = [member for member in node.body if isinstance(member, FunctionNode)]
            members |= {name: self._method(source, group) for name, group in _by_name(methods).items()}
            yield from (text for name, text in members.items() if name not in seen and text)
            seen |= members.keys()

    def _lineage(self, name: str) -> Iterator[tuple[Source, ast.ClassDef]]:
        """Yield a class and its bases that the sources define, nearest first."""
        source, node = self._class(name)
        yield source, node
        for base in node.bases:
            if _outer_name(base) not in PLAIN_BASES:
                yield from self._lineage(_outer_name(base))

    def _method(self, source: Source, group: Sequence[FunctionNode]) -> str:
        """Render a method: the one definition, or overloads followed by their implementation."""
        overloaded = len(group) > 1 and any("overload" in _decorators(node) for node in group)
        parts = [
            _Method(self, source, node, overloaded=overloaded).render()
            for node in (group if overloaded else group[-1:])
        ]
        return "\n\n".join(part for part in parts if part)


def _by_name(methods: Sequence[FunctionNode]) -> dict[str, list[FunctionNode]]:
    groups: dict[str, list[FunctionNode]] = {}
    for method in methods:
        groups.setdefault(method.name, []).append(method)
    return groups


def _fields(node: ast.ClassDef) -> list[tuple[str, ast.expr]]:
    """Return the public annotated attributes of a class body, as those of a dataclass."""
    return [
        (member.target.id, member.annotation)
        for member in node.body
        if isinstance(member, ast.AnnAssign) and isinstance(member.target, ast.Name)
        if not member.target.id.startswith("_")
    ]


def _assigned_in_init(node: ast.ClassDef) -> list[tuple[str, ast.expr]]:
    """Return the public attributes that `__init__` sets: annotated there, or from an annotated parameter."""
    inits = [
        member for member in node.body if isinstance(member, ast.FunctionDef) and member.name == "__init__"
    ]
    found: list[tuple[str, ast.expr]] = []
    for init in inits:
        annotations = {arg.arg: arg.annotation for arg in [*init.args.args, *init.args.kwonlyargs]}
        for statement in init.body:
            target, annotation = _self_assignment(statement, annotations)
            if target and annotation is not None and not target.startswith("_"):
                found.append((target, annotation))
    return found


def _self_assignment(
    statement: ast.stmt, parameters: Mapping[str, ast.expr | None]
) -> tuple[str | None, ast.expr | None]:
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Attribute):
        return statement.target.attr, statement.annotation
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Attribute):
        value = statement.value
        annotation = parameters.get(value.id) if isinstance(value, ast.Name) else None
        return statement.targets[0].attr, annotation
    return None, None


def _property(name: str, annotation: ast.expr, classes: Mapping[str, str]) -> str:
    value = _wrapped(annotation, f"self._async.{name}", classes)
    return (
        f"    @property\n    def {name}(self) -> {_annotation(annotation, classes)}:\n        return {value}"
    )


# --- one method ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Method:
    """One definition of a method on its way to becoming a blocking one."""

    twin: _Twin
    source: Source
    node: FunctionNode
    overloaded: bool

    @property
    def classes(self) -> Mapping[str, str]:
        return self.twin.classes

    @property
    def blocking_class(self) -> str:
        return self.classes[self.twin.name]

    def render(self) -> str:
        """Return the method's text, or nothing for a private one."""
        name = self.node.name
        if name in _DUNDERS:
            return _DUNDERS[name].format(cls=self.blocking_class, asynchronous=self.twin.name)
        if name == "__aexit__":
            return _exit(self.twin.found[self.twin.name][1], self.twin.name)
        if name.startswith("_") and name not in _DELEGATED_DUNDERS:
            return ""
        return "\n".join([*self._decorators(), self._signature(), *self._doc(), *self._body()])

    def _decorators(self) -> list[str]:
        kept = {"overload", "property", "classmethod", "staticmethod", "deprecated", "override"}
        unknown = [name for name in _decorators(self.node) if name not in kept]
        if unknown:
            raise Unsupported(f"{self.twin.name}.{self.node.name}: decorator {unknown[0]}")
        return [f"    @{ast.unparse(decorator)}" for decorator in self.node.decorator_list]

    def _signature(self) -> str:
        arguments = ast.unparse(_Rename(self.classes).visit(_copy(self.node.args)))
        name = BLOCKING_NAMES.get(self.node.name, self.node.name)
        return f"    def {name}({arguments}) -> {_annotation(self._returns, self.classes)}:"

    @property
    def _returns(self) -> ast.expr:
        """Return what the blocking method returns, still in the async names."""
        annotation = self.node.returns
        if annotation is None:
            raise Unsupported(f"{self.twin.name}.{self.node.name}: no return annotation")
        if isinstance(annotation, ast.Subscript) and _outer_name(annotation) in self.twin.awaited:
            inner = annotation.slice
            return inner.elts[-1] if isinstance(inner, ast.Tuple) else inner
        if isinstance(annotation, ast.Subscript) and _outer_name(annotation) == "AsyncGenerator":
            yielded = (
                annotation.slice.elts[0] if isinstance(annotation.slice, ast.Tuple) else annotation.slice
            )
            return ast.parse(f"AsyncIterator[{ast.unparse(yielded)}]", mode="eval").body
        return annotation

    def _doc(self) -> list[str]:
        text = _docstring(self.source, self.node, self.classes, 8)
        return [text] if text else []

    def _body(self) -> list[str]:
        if "overload" in _decorators(self.node):
            return ["        ..."]
        if self.node.name in CLOSERS and self._is_awaited:
            return _CLOSE.format(call=self._call("self._portal", "self._async")).splitlines()
        if "classmethod" in _decorators(self.node) and self._is_awaited:
            return _OPEN.format(call=self._call("portal", self.twin.name)).splitlines()
        return [f"        return {self._result()}"]

    def _result(self) -> str:
        decorators = _decorators(self.node)
        owner = self.twin.name if {"classmethod", "staticmethod"} & decorators else "self._async"
        if "property" in decorators:
            value = f"{owner}.{self.node.name}"
        elif self._is_stream:
            value = self._run("self._portal.iterate", owner)
        elif self._is_awaited:
            value = self._call("self._portal", owner)
        else:
            value = f"{self._target(owner)}({', '.join(self._arguments())})"
        wrapped = _wrapped(self._returns, value, self.classes, where=f"{self.twin.name}.{self.node.name}")
        return self._narrowed(wrapped) if wrapped == value else wrapped

    def _narrowed(self, value: str) -> str:
        """A call through `Any` says so no further than here."""
        returns = _annotation(self._returns, self.classes)
        uncertain = self._is_loosely_called and returns not in {"Any", "None"}
        return f'cast("{returns}", {value})' if uncertain else value

    def _call(self, portal: str, owner: str) -> str:
        return self._run(f"{portal}.call", owner)

    def _run(self, runner: str, owner: str) -> str:
        return f"{runner}({', '.join([self._target(owner), *self._arguments()])})"

    def _target(self, owner: str) -> str:
        target = f"{owner}.{self.node.name}"
        return f'cast("Any", {target})' if self._is_loosely_called else target

    @property
    def _is_loosely_called(self) -> bool:
        """Checkers lose an overloaded method, and one with its own ParamSpec, in a call of a callable."""
        variadic = self.node.args.vararg
        annotation = variadic.annotation if variadic else None
        return self.overloaded or (isinstance(annotation, ast.Attribute) and annotation.attr == "args")

    @property
    def _is_stream(self) -> bool:
        streams = self.node.returns is not None and _outer_name(self.node.returns) in STREAMS
        if streams and isinstance(self.node, ast.AsyncFunctionDef) and not _yields(self.node):
            raise Unsupported(f"{self.twin.name}.{self.node.name}: a coroutine that returns an iterator")
        return streams

    @property
    def _is_awaited(self) -> bool:
        if isinstance(self.node, ast.AsyncFunctionDef):
            return not self._is_stream
        return self.node.returns is not None and _outer_name(self.node.returns) in self.twin.awaited

    def _arguments(self) -> list[str]:
        """Return the parameters as the arguments of the same call on the async twin."""
        parameters = self.node.args
        positional = [*parameters.posonlyargs, *parameters.args]
        bound = 0 if "staticmethod" in _decorators(self.node) else 1
        passed = [self._unwrapped(arg.annotation, arg.arg) for arg in positional[bound:]]
        if parameters.vararg:
            rest = self._unwrapped(_sequence_of(parameters.vararg.annotation), parameters.vararg.arg)
            passed.append(f"*{rest}")
        passed += [f"{arg.arg}={self._unwrapped(arg.annotation, arg.arg)}" for arg in parameters.kwonlyargs]
        if parameters.kwarg:
            passed.append(f"**{parameters.kwarg.arg}")
        return passed

    def _unwrapped(self, annotation: ast.expr | None, name: str) -> str:
        return _unwrapped(annotation, name, self.classes, where=f"{self.twin.name}.{self.node.name}")


_DELEGATED_DUNDERS = frozenset({"__len__", "__contains__", "__getitem__", "__str__", "__bool__"})
_DUNDERS = {
    "__aenter__": "    def __enter__(self) -> Self:\n        return self",
    "__eq__": (
        "    def __eq__(self, other: object) -> bool:\n"
        "        return isinstance(other, {cls}) and self._async == other._async"
    ),
    "__hash__": "    def __hash__(self) -> int:\n        return hash(self._async)",
    "__repr__": (
        "    def __repr__(self) -> str:\n"
        '        return repr(self._async).replace("{asynchronous}", "{cls}", 1)'
    ),
}
_CLOSE = """\
        try:
            with suppress(NotRunning):  # closed before
                {call}
        finally:
            self._portal.close()"""
_OPEN = """\
        portal = Portal.start("durably-client")
        try:
            return cls({call}, portal)
        except BaseException:
            portal.close()
            raise"""


def _exit(node: ast.ClassDef, name: str) -> str:
    closers = [
        member.name for member in node.body if isinstance(member, FunctionNode) and member.name in CLOSERS
    ]
    if not closers:
        raise Unsupported(f"{name}.__aexit__: the class has none of {sorted(CLOSERS)}")
    closer = BLOCKING_NAMES.get(closers[0], closers[0])
    return f"    def __exit__(self, *exc_info: object) -> None:\n        self.{closer}()"


def _decorators(node: FunctionNode) -> frozenset[str]:
    return frozenset(_outer_name(decorator) for decorator in node.decorator_list)


def _yields(node: ast.AsyncFunctionDef) -> bool:
    return any(isinstance(child, ast.Yield | ast.YieldFrom) for child in ast.walk(node))


# --- annotations and values ---------------------------------------------------------------------------


class _Rename(ast.NodeTransformer):
    """Map names, wherever they stand."""

    def __init__(self, classes: Mapping[str, str]) -> None:
        self._names = {**BLOCKING_NAMES, **classes}

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(self._names.get(node.id, node.id), node.ctx)


def _copy(node: ast.arguments) -> ast.arguments:
    lambda_ = ast.parse(f"def _({ast.unparse(node)}): ...").body[0]
    assert isinstance(lambda_, ast.FunctionDef)
    return lambda_.args


def _annotation(node: ast.expr, classes: Mapping[str, str]) -> str:
    return ast.unparse(_Rename(classes).visit(ast.parse(ast.unparse(node), mode="eval").body))


def _outer_name(node: ast.expr) -> str:
    """Return `list` of `list[int]`, `Any` of `typing.Any`, `deprecated` of `deprecated("...")`."""
    match node:
        case ast.Subscript(value=inner) | ast.Call(func=inner):
            return _outer_name(inner)
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case _:
            return ""


def _mentions_twin(node: ast.expr, classes: Mapping[str, str]) -> bool:
    return any(isinstance(child, ast.Name) and child.id in classes for child in ast.walk(node))


def _sequence_of(annotation: ast.expr | None) -> ast.expr | None:
    if annotation is None:
        return None
    return ast.parse(f"Sequence[{ast.unparse(annotation)}]", mode="eval").body


def _wrapped(annotation: ast.expr, value: str, classes: Mapping[str, str], *, where: str = "") -> str:
    """Return the expression of a value on its way out: async twins become blocking ones."""
    if not _mentions_twin(annotation, classes):
        return value
    name = _outer_name(annotation)
    if name in classes:
        return f"{classes[name]}({value}, self._portal)"
    match annotation:
        case ast.BinOp(left=twin, op=ast.BitOr(), right=ast.Constant(value=None)):
            return f"None if (found := {value}) is None else {_wrapped(twin, 'found', classes, where=where)}"
        case ast.Subscript(slice=ast.Tuple(elts=[_, twin])) if name in {"dict", "Mapping"}:
            return f"{{key: {_wrapped(twin, 'item', classes, where=where)} for key, item in {value}.items()}}"
        case ast.Subscript(slice=ast.Tuple(elts=[twin, ast.Constant(value=x)])) if (
            name == "tuple" and x is ...
        ):
            return f"tuple({_wrapped(twin, 'item', classes, where=where)} for item in {value})"
        case ast.Subscript(slice=twin) if name in LISTS:
            return f"[{_wrapped(twin, 'item', classes, where=where)} for item in {value}]"
        case ast.Subscript(slice=twin) if name in STREAMS:
            return f"({_wrapped(twin, 'item', classes, where=where)} for item in {value})"
        case _:
            raise Unsupported(f"{where}: returns {ast.unparse(annotation)}")


def _unwrapped(annotation: ast.expr | None, value: str, classes: Mapping[str, str], *, where: str) -> str:
    """Return the expression of an argument on its way in: blocking twins become async ones."""
    if annotation is None or not _mentions_twin(annotation, classes):
        return value
    name = _outer_name(annotation)
    if name in classes:
        return f"{value}._async"
    match annotation:
        case ast.BinOp(op=ast.BitOr()):
            twins = [
                classes[twin] for part in _members_of(annotation) if (twin := _outer_name(part)) in classes
            ]
            if twins:
                return f"({value}._async if isinstance({value}, {' | '.join(twins)}) else {value})"
        case ast.Subscript(slice=twin) if name in LISTS:
            return f"[{_unwrapped(twin, 'item', classes, where=where)} for item in {value}]"
    raise Unsupported(f"{where}: takes {value}: {ast.unparse(annotation)}")


def _members_of(union: ast.expr) -> Iterator[ast.expr]:
    if isinstance(union, ast.BinOp):
        yield from _members_of(union.left)
        yield from _members_of(union.right)
    else:
        yield union


def _docstring(
    source: Source, node: FunctionNode | ast.ClassDef, classes: Mapping[str, str], indent: int
) -> str:
    if ast.get_docstring(node, clean=False) is None:
        return ""
    literal = ast.get_source_segment(source.text, node.body[0])
    assert literal is not None
    return " " * indent + blocking_prose(literal, classes)


# --- imports ------------------------------------------------------------------------------------------


def _imports(code: str, sources: Sequence[Source], classes: Mapping[str, str]) -> str:
    """Return the import lines of a module with this code: what it names, from where the sources have it."""
    tree = ast.parse(code)
    local = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    origins = {**_origins(sources), **HEADER_IMPORTS}
    used = {name for name in _names(tree) if name not in local and not hasattr(builtins, name)}
    unknown = sorted(used - origins.keys() - _bound(tree))
    if unknown:
        raise Unsupported(f"no source imports or defines {unknown}")
    lines = [_import_line(name, origins[name]) for name in sorted(used & origins.keys())]
    return "\n".join(["from __future__ import annotations", "", *sorted(lines)])


def _import_line(name: str, origin: str) -> str:
    module, _, alias = origin.partition(" as ")
    if not alias:
        return f"from {module} import {name}"
    return f"import {module}" if alias == module else f"import {module} as {name}"


def _origins(sources: Sequence[Source]) -> dict[str, str]:
    """Return where each name that the sources import or define comes from."""
    origins: dict[str, str] = {}
    for source in sources:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.ImportFrom):
                origins |= {alias.asname or alias.name: _absolute(source, node) for alias in node.names}
            elif isinstance(node, ast.Import):
                origins |= {a.asname or a.name: f"{a.name} as {a.asname or a.name}" for a in node.names}
    for source in sources:
        origins |= dict.fromkeys(_defined(source), source.module)
    return origins


def _absolute(source: Source, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    package = source.module.split(".")[: -node.level]
    return ".".join([*package, *([node.module] if node.module else [])])


def _defined(source: Source) -> Iterator[str]:
    for node in source.tree.body:
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                yield name


def _names(tree: ast.AST) -> Iterator[str]:
    """Yield every name that code uses, those inside the strings of `cast` too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "cast":
            assert isinstance(node.args[0], ast.Constant)
            yield from _names(ast.parse(str(node.args[0].value)))


def _bound(tree: ast.AST) -> set[str]:
    """Return the names that functions bind: parameters and targets."""
    stored = {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    return stored | {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
