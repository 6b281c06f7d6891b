"""As whom the server runs: PostgreSQL refuses root, so root hands the server to an account without rights.

Not root: as you. Root: as the owner of the data, if there is data; for new data as the account `durably` if
the machine has one, otherwise `nobody`. Peer authentication would compare the client's account (root) with
the name of a database role, so it cannot tell who may come in; the directory of the socket does that: it
belongs to the server's account and only this account, and root, can enter it.
"""

from __future__ import annotations

import os
import stat
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

with suppress(ImportError):  # Windows has none, and `binaries.find` says so before it is missed
    import pwd

__all__ = ["ELSEWHERE", "Account", "choose", "make_passable"]

NOBODY = 65534
ELSEWHERE = Path("/var/lib/durably")  # of root, for what the server's account could not reach where it is


@dataclass(frozen=True)
class Account:
    """The account of the server; `switch` says whether that is another user than we are."""

    uid: int
    gid: int
    switch: bool

    def run(
        self, *command: str | Path, cwd: Path, pass_fds: tuple[int, ...] = ()
    ) -> subprocess.CompletedProcess[str]:
        """Run a PostgreSQL program as this account, in a bare environment, and return what it said."""
        return subprocess.run(
            command,
            cwd=cwd,
            env=_environment(),
            pass_fds=pass_fds,
            user=self.uid if self.switch else None,
            group=self.gid if self.switch else None,
            extra_groups=[] if self.switch else None,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )

    def make_private(self, directory: Path) -> None:
        """Create a directory that only this account (and root) can enter."""
        directory.mkdir(mode=0o700, exist_ok=True)
        if self.switch and directory.stat().st_uid != self.uid:
            os.chown(directory, self.uid, self.gid, follow_symlinks=False)

    def reaches(self, path: Path) -> bool:
        """Can this account enter every parent of `path` and use `path`? By permission bits, without ACLs."""
        return not self.switch or all(self._enters(part) for part in (path, *path.parents))

    def _enters(self, path: Path) -> bool:
        seen = path.stat()
        shift = 6 if seen.st_uid == self.uid else 3 if seen.st_gid == self.gid else 0
        needed = stat.S_IXOTH | (stat.S_IROTH if stat.S_ISREG(seen.st_mode) else 0)
        return (seen.st_mode >> shift) & needed == needed


def make_passable(directory: Path, mode: int) -> None:
    """Create a directory with this mode, whatever the umask is; one that exists is left as it is."""
    if not directory.exists():
        directory.mkdir(parents=True, exist_ok=True)
        directory.chmod(mode)


def choose(data: Path) -> Account:
    """The account for the data directory `data`, which may not exist yet."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), switch=False)
    owner = data.stat() if data.exists() else None
    if owner and owner.st_uid != 0:
        return Account(owner.st_uid, owner.st_gid, switch=True)
    return _unprivileged()


def _unprivileged() -> Account:
    for name in ("durably", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid, switch=True)
    return Account(NOBODY, NOBODY, switch=True)


def _environment() -> dict[str, str]:
    """No PG* and no LD_LIBRARY_PATH of ours may reach the server, which outlives us."""
    kept = {name: os.environ[name] for name in ("PATH", "TZ") if name in os.environ}
    return {**kept, "LC_ALL": "C"}
