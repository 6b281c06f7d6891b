"""Using the server: join its users, get its address, leave."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from urllib.parse import parse_qs, quote, urlsplit

from durably.embedded import binaries, cluster, keeper
from durably.embedded.binaries import Binaries
from durably.embedded.locks import Lock, hold, is_locked, try_lock
from durably.embedded.place import PORT, Place, change_lock, home_directory, home_of, locate, make_root
from durably.errors import EmbeddedUnavailable

__all__ = ["EmbeddedPostgres", "join", "start"]

LOCK_TIMEOUT = 90.0  # seconds; whoever holds the change lock is in initdb, a recovery or a shutdown


class EmbeddedPostgres:
    """A running server that this process uses until `stop`.

    Every one counts as a user of its own; the server stops when the last one, in whatever process, has left.
    A forked child does not count: it calls `start` itself.

        with start() as server:
            psycopg.connect(server.url())
    """

    def __init__(self, place: Place, programs: Binaries, seat: Lock) -> None:
        self._place = place
        self._programs = programs
        self._seat = seat

    @property
    def data_directory(self) -> Path:
        """Where the data is."""
        return self._place.data

    @property
    def log(self) -> Path:
        """The server's log."""
        return self._place.log

    @property
    def major(self) -> int:
        """PostgreSQL's major version."""
        return self._programs.major

    def url(self, database: str = "postgres") -> str:
        """A libpq URI of a database; it stays the same when the server is started again.

        The socket's directory is the parameter `host`, which counts; the host before it is there for readers
        that refuse a URL without one, as JavaScript's do.
        """
        host = quote(str(self._place.sockets))
        return f"postgresql://postgres@localhost/{quote(database, safe='')}?host={host}&port={PORT}"

    def bin(self, name: str) -> Path:
        """The path of a PostgreSQL program, `psql` for one; EmbeddedUnavailable if there is none."""
        return self._programs.program(name)

    def stop(self) -> None:
        """Leave; the last user to leave stops the server and waits for it. A second call does nothing."""
        if not self._seat.is_held:
            return
        try:
            with hold(self._place.change_lock, timeout=LOCK_TIMEOUT):
                self._seat.release()
                if not is_locked(self._place.users_lock):
                    cluster.stop(self._place, self._programs)
        except FileNotFoundError:
            pass  # the home was deleted: the server ends by itself, a minute after its pid file
        except TimeoutError as exc:
            raise EmbeddedUnavailable(f"the embedded PostgreSQL is left to its keeper: {exc}") from exc
        finally:
            self._seat.release()

    def __enter__(self) -> EmbeddedPostgres:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start(home: str | Path | None = None, *, durable: bool = True) -> EmbeddedPostgres:
    """Use the embedded PostgreSQL of a home: create it if it is new, start it if it does not run.

    `home` is DURABLY_HOME, or `.durably` in the working directory, unless given. `durable=False` is another
    cluster in the same home, for tests: it is faster and does not survive a crash of the machine.
    It blocks: about a second for a new home, a tenth of one for a start. EmbeddedUnavailable says why there
    is no server; where it was started and failed, with the last lines of its log.

        server = start()
        psycopg.connect(server.url())
        server.stop()
    """
    directory = home_directory(home)
    try:
        return _join(directory, durable=durable)
    except OSError as exc:
        raise EmbeddedUnavailable(f"the embedded PostgreSQL cannot use {directory}: {exc}") from exc


def join(url: str) -> EmbeddedPostgres | None:
    """Use the embedded server that a URL leads to, started if need be; None where it is another server.

    For whoever was given a URL: the environment has what `durably db url` printed, and the server stops when
    its last user leaves. The home is the one that `start` would take, or the one that the socket is in.

        server = join(os.environ["DURABLY_DATABASE_URL"])
    """
    for host in parse_qs(urlsplit(url).query).get("host", ()):
        try:
            home = home_of(Path(host)) if host.startswith("/") else None
        except PermissionError:  # another user's
            home = None
        if home is not None:
            return start(home)
    return None


def _join(directory: Path, *, durable: bool) -> EmbeddedPostgres:
    binaries.find()  # before anything is written
    root = make_root(directory, durable=durable)
    with hold(change_lock(root), timeout=LOCK_TIMEOUT):
        place = locate(root, durable=durable)
        programs = binaries.within_reach(binaries.find(cluster.data_major(place)), place.account)
        seat = _take_seat(place)
        try:
            cluster.create(place, programs)
            keeper.ensure_running(place, programs)
            cluster.ensure_running(place, programs)
        except BaseException:
            seat.release()
            raise
    return EmbeddedPostgres(place, programs, seat)


def _take_seat(place: Place) -> Lock:
    """Always free for sharing: an exclusive holder is one that holds the change lock, and we hold it."""
    seat = try_lock(place.users_lock, shared=True)
    if seat is None:
        raise EmbeddedUnavailable(f"{place.users_lock} is locked by something that is not durably")
    return seat
