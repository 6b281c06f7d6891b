"""Which files are where: the names inside a home, and the two things that may have to live elsewhere."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from durably.embedded import account
from durably.embedded.account import ELSEWHERE, Account, make_passable
from durably.errors import EmbeddedUnavailable

__all__ = ["Place", "change_lock", "home_directory", "home_of", "locate", "make_root"]

DEFAULT_HOME = ".durably"
LOCKS = ("change.lock", "users.lock", "server.lock", "keeper.lock")
PORT = 5432  # names the socket; nothing listens on it
LONGEST_SOCKET = 103  # bytes of a path: 107 on Linux, 103 on macOS


@dataclass(frozen=True)
class Place:
    """The paths of one cluster, and the account that it runs as.

    `root` belongs to us: locks and records. `base` holds what belongs to the server's account: the data, and
    `run` with the log and (where the path is short enough) the socket. Mostly they are the same directory.
    """

    root: Path
    base: Path
    sockets: Path
    account: Account
    durable: bool

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.base / "data"

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.base / "run" / "server.log"

    @property
    def socket(self) -> Path:
        """The socket that the server listens on."""
        return self.sockets / f".s.PGSQL.{PORT}"

    @property
    def change_lock(self) -> Path:
        """Held for moments by whoever starts, stops, joins or leaves."""
        return change_lock(self.root)

    @property
    def users_lock(self) -> Path:
        """Held shared by every user of the server; taken exclusively only to ask whether there are any."""
        return self.root / "users.lock"

    @property
    def server_lock(self) -> Path:
        """Held by the server itself: its processes inherited it."""
        return self.root / "server.lock"

    @property
    def keeper_lock(self) -> Path:
        """Held by the keeper."""
        return self.root / "keeper.lock"


def change_lock(root: Path) -> Path:
    """The file of the change lock: it is taken before the rest of the place is known."""
    return root / "change.lock"


def home_directory(home: str | Path | None) -> Path:
    """What was asked for, otherwise DURABLY_HOME, otherwise `.durably` in the working directory."""
    return Path(home or os.environ.get("DURABLY_HOME") or DEFAULT_HOME).expanduser().resolve()


def home_of(sockets: Path) -> Path | None:
    """The home whose server listens in this directory, found without its locks; None if there is none."""
    base = sockets.parent
    for home in (home_directory(None), base.parent, (_recorded(base / "home") or base).parent):
        root = home / "pg"
        known = _recorded(root / "sockets") or (_recorded(root / "elsewhere") or root) / "run"
        if known == sockets and (root / "users.lock").exists():
            return home
    return None


def make_root(home: Path, *, durable: bool) -> Path:
    """The directory of a cluster under `home`, made if it is new."""
    root = home / ("pg" if durable else "pg-test")
    if not home.exists():
        make_passable(home, 0o755)
        (home / ".gitignore").write_text("*\n")
    make_passable(root, 0o711 if os.geteuid() == 0 else 0o700)
    if os.geteuid() not in (0, root.stat().st_uid):
        raise EmbeddedUnavailable(
            f"{root} belongs to another user (uid {root.stat().st_uid}): "
            "set DURABLY_HOME to a directory of your own"
        )
    for lock in LOCKS:  # only here: a keeper must not make them anew in a home that is being deleted
        (root / lock).touch(mode=0o600)
    return root


def locate(root: Path, *, durable: bool) -> Place:
    """Where everything of the cluster in `root` is, made if it is new; with the change lock held."""
    base = _recorded(root / "elsewhere") or root
    if not base.is_dir():
        raise EmbeddedUnavailable(
            f"the data was in {base}, which is gone: "
            f"restore it, or delete {root} to begin with an empty database"
        )
    server = account.choose(base / "data")
    if base is root and not server.reaches(root):
        base = _elsewhere(root, server)
    server.make_private(base / "run")
    return Place(root, base, _sockets(root, base / "run", server), server, durable)


def _elsewhere(root: Path, server: Account) -> Path:
    """A place that the server's account can enter, for homes, below /root say, that it cannot."""
    try:
        make_passable(ELSEWHERE, 0o755)
        _sweep()
        base = Path(tempfile.mkdtemp(prefix=f"{root.name}-", dir=ELSEWHERE))
        base.chmod(0o711)
    except OSError as exc:
        raise EmbeddedUnavailable(
            f"the server cannot run as root, uid {server.uid} cannot enter {root}, and {ELSEWHERE} cannot be "
            f"used ({exc}): set DURABLY_HOME to a directory whose parents everybody may enter (chmod o+x)"
        ) from exc
    _record(root / "elsewhere", base)
    _record(base / "home", root)
    return base


def _sweep() -> None:
    """Delete test clusters that no home knows; never real data, whose home may be on a disk not mounted."""
    for base in ELSEWHERE.glob("pg-test-*"):
        root = _recorded(base / "home")
        if root and _recorded(root / "elsewhere") != base:
            shutil.rmtree(base, ignore_errors=True)


def _sockets(root: Path, run: Path, server: Account) -> Path:
    """`run`, unless a client could not name a socket there: too long, or with libpq's list separator."""
    socket = os.fsencode(run / f".s.PGSQL.{PORT}")
    if len(socket) <= LONGEST_SOCKET and b"," not in socket:
        return run
    known = _recorded(root / "sockets")
    if known and _is_private(known, server):
        return known
    short = Path(tempfile.mkdtemp(prefix="durably-", dir="/tmp"))
    if server.switch:
        os.chown(short, server.uid, server.gid)
    return _record(root / "sockets", short)


def _is_private(directory: Path, server: Account) -> bool:
    """Still there and ours? What was swept away from /tmp may have been made again by a stranger."""
    try:
        seen = directory.lstat()
    except FileNotFoundError:
        return False
    return seen.st_uid == server.uid and seen.st_mode & 0o170777 == 0o040700


def _recorded(record: Path) -> Path | None:
    return Path(record.read_text().rstrip("\n")) if record.exists() else None


def _record(record: Path, where: Path) -> Path:
    record.write_text(f"{where}\n")
    return where
