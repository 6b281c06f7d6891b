"""Loads the statements: `statement("workflows/claim", schemas)` is the text of `sql/workflows/claim.sql`."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import NamedTuple

__all__ = ["Schemas", "extension_schema", "names", "quote", "statement"]

_ROOT = files("durably.store").joinpath("sql")


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
    text = _ROOT.joinpath(*f"{name}.sql".split("/")).read_text("utf-8")
    code = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("--"))
    for placeholder, schema in (("{schema}", schemas.system), ("{extension}", schemas.extension)):
        code = code.replace(placeholder, quote(schema).replace("%", "%%"))
    return code.strip().encode()


def names() -> list[str]:
    """Every statement there is."""
    return sorted(
        f"{noun.name}/{verb.name.removesuffix('.sql')}"
        for noun in _ROOT.iterdir()
        if noun.is_dir()
        for verb in noun.iterdir()
        if verb.name.endswith(".sql")
    )
