"""Loads the statements: `statement("workflows/claim", schemas)` is the text of `sql/workflows/claim.sql`."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import NamedTuple

__all__ = ["Numbered", "Schemas", "extension_schema", "names", "number", "numbered", "quote", "statement"]

_ROOT = files("durably.store").joinpath("sql")
_PARAMETER = re.compile(rb"%\((\w+)\)s")


class Schemas(NamedTuple):
    """The two schemas of a system database: DBOS's, and ours beside it."""

    system: str = "dbos"

    @property
    def extension(self) -> str:
        """The schema of what DBOS has no table for."""
        return extension_schema(self.system)


def extension_schema(system: str) -> str:
    """`durably` beside `dbos`, `<schema>_durably` beside any other."""
    return "durably" if system == "dbos" else f"{system}_durably"


def quote(identifier: str) -> str:
    """The identifier as SQL text."""
    return '"' + identifier.replace('"', '""') + '"'


@cache
def statement(name: str, schemas: Schemas) -> bytes:
    """The statement of that name with its schema names filled in."""
    code = _code(f"{name}.sql").replace("{conditions}", _code("conditions.sql"))
    for placeholder, schema in (("{schema}", schemas.system), ("{extension}", schemas.extension)):
        code = code.replace(placeholder, quote(schema).replace("%", "%%"))
    return code.strip().encode()


@cache
def _code(path: str) -> str:
    """A file without its comments."""
    text = _ROOT.joinpath(*path.split("/")).read_text("utf-8")
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("--")).strip()


class Numbered(NamedTuple):
    """A statement with PostgreSQL's own `$1`, `$2`, ... for parameters, and the names that these have."""

    text: bytes
    order: tuple[str, ...]


@cache
def numbered(name: str, schemas: Schemas) -> Numbered:
    """The statement of that name, with numbered parameters."""
    return number(statement(name, schemas))


def number(text: bytes) -> Numbered:
    """A statement's text with numbers for names."""
    order = list(dict.fromkeys(_PARAMETER.findall(text)))
    code = _PARAMETER.sub(lambda match: b"$%d" % (order.index(match[1]) + 1), text).replace(b"%%", b"%")
    return Numbered(code, tuple(parameter.decode() for parameter in order))


def names() -> list[str]:
    """Every statement there is."""
    return sorted(
        f"{noun.name}/{verb.name.removesuffix('.sql')}"
        for noun in _ROOT.iterdir()
        if noun.is_dir()
        for verb in noun.iterdir()
        if verb.name.endswith(".sql")
    )
