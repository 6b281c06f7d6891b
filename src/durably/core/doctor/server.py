"""The server: can it be reached, how far is its clock, does it lose commits, does it clean up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from durably.core.doctor.readings import Holder, Link, Readings, Server, Table
from durably.core.doctor.words import ago, counted, size
from durably.types import Finding, Level

__all__ = ["LONG_TRANSACTION", "judge", "unreachable"]

OLDEST_SERVER = 130000
SKEW = 1.0, 30.0  # seconds from which a difference of clocks is a warning, an error
SLOW = 0.2  # seconds for a round trip
LONG_TRANSACTION = 300.0  # seconds from which a transaction is in vacuum's way
VERY_LONG = 3600.0
FEW_LEFT = 0.15, 0.03  # the share of connections that is left
DEAD_ROWS = 10_000, 0.3  # of a table, and as a share of its live ones: 0.2 is where autovacuum begins
WRAPAROUND = 1_000_000_000  # transactions since a table was frozen: at 2 billion the server stops

UNREACHABLE = (
    (
        ("translate host name", "Name or service not known", "nodename nor servname"),
        "DNS: the host's name leads nowhere",
        "check the host's name in the URL, and this machine's DNS",
    ),
    (
        ("Connection refused", "No such file or directory"),
        "refused: nothing listens there",
        "is PostgreSQL running there, and listening on that address and port (or socket directory)?",
    ),
    (
        ("password authentication failed", "no password supplied", "authentication failed", "pg_hba.conf"),
        "auth: the server does not let this role in",
        "check user and password (percent-encoded where special), and the server's pg_hba.conf",
    ),
    (
        ("does not exist",),
        "no database: the server has none of that name, or no such role",
        "check the name: a system database is called like its application's with _dbos_sys appended; "
        "`durably db migrate` makes one",
    ),
    (
        ("too many", "remaining connection slots"),
        "full: the server has no connection left",
        "raise max_connections, put a pooler in front, or close what holds connections",
    ),
    (
        ("timeout", "timed out", "unreachable", "No route to host"),
        "network: nobody answers",
        "is the host up, and reachable from here past its firewall?",
    ),
    (
        ("starting up", "shutting down", "recovery"),
        "the server is starting or stopping",
        "wait for it, then ask again; its log says why it takes long",
    ),
    (("SSL", "certificate"), "TLS: no agreement about encryption", "check sslmode and the certificates"),
)


def unreachable(said: str, place: str) -> Finding:
    """Why there is no connection."""
    for signs, what, advice in UNREACHABLE:
        if any(sign in said for sign in signs):
            return Finding(check="connection", level="error", seen=f"{what} ({said})", advice=advice)
    advice = f"is {place} right, and is PostgreSQL running there?"
    return Finding(check="connection", level="error", seen=said, advice=advice)


def judge(readings: Readings) -> Iterator[Finding]:
    """The findings about the server."""
    server, link = readings.server, readings.link
    if server is not None and link is not None:
        yield _connection(readings.place, server, link)
        yield _version(server)
        yield _clock(server, link)
        yield _notices(server, link)
    if server is not None:
        yield _durability(server, readings.tables or ())
        yield _connections(server)
    if readings.holders is not None:
        yield _transactions(readings.holders)
    if server is not None and readings.tables is not None:
        yield _vacuum(server, readings.tables)


def _connection(place: str, server: Server, link: Link) -> Finding:
    took = link.answered - link.asked
    seen = f"{place} as {server.role}, {took * 1000:.1f} ms for a round trip"
    if server.is_standby or server.is_read_only:
        what = "a standby" if server.is_standby else "read-only"
        advice = "name the primary: here one can look, and do nothing"
        return Finding(check="connection", level="error", seen=f"{seen}; the server is {what}", advice=advice)
    if took > SLOW:
        advice = "each step of a workflow waits for at least one: bring workers and server closer together"
        return Finding(check="connection", level="warning", seen=seen, advice=advice)
    return Finding(check="connection", level="ok", seen=seen)


def _version(server: Server) -> Finding:
    seen = f"PostgreSQL {server.version}"
    if server.version_number < OLDEST_SERVER:
        advice = "PostgreSQL 13 is the oldest that DBOS and durably work on: upgrade the server"
        return Finding(check="server", level="error", seen=seen, advice=advice)
    return Finding(check="server", level="ok", seen=seen)


def _clock(server: Server, link: Link) -> Finding:
    """The server's clock against the middle of the round trip; half of it is not known."""
    skew = server.now - (link.asked + link.answered) / 2
    doubt = (link.answered - link.asked) / 2
    seen = f"the server's clock is {abs(skew):.3f} s {'ahead' if skew >= 0 else 'behind'} (±{doubt:.3f} s)"
    advice = (
        "synchronise this machine and the server with NTP: created_at and the start of delays are by the "
        "clients' clocks, and leases, timers and schedules by the server's"
    )
    sure = abs(skew) - doubt
    if sure <= SKEW[0]:
        return Finding(check="clock", level="ok", seen=seen)
    level: Level = "error" if sure > SKEW[1] else "warning"
    return Finding(check="clock", level=level, seen=seen, advice=advice)


def _notices(server: Server, link: Link) -> Finding:
    has_pooler = link.pid != server.backend_pid
    where = "a pooler is in between" if has_pooler else "no pooler in between"
    if link.heard is not None:
        seen = f"LISTEN works (a notice took {link.heard * 1000:.1f} ms), {where}"
        return Finding(check="notices", level="ok", seen=seen)
    if link.refused is not None:
        seen, advice = f"LISTEN is refused: {link.refused}", "connect to the primary itself"
    elif has_pooler:
        seen = "a pooler in transaction (or statement) mode is in between: LISTEN hears nothing"
        advice = (
            "work goes on, and waits are noticed by polling; for notices within milliseconds give workers "
            "and clients a URL to the server itself, or a pool in session mode"
        )
    else:
        seen, advice = (
            "a notice of our own did not come back within 2 s",
            "waits are noticed by polling; is the server very busy, or is a proxy in between?",
        )
    return Finding(check="notices", level="warning", seen=seen, advice=advice)


def _durability(server: Server, tables: Sequence[Table]) -> Finding:
    unlogged = [table.name for table in tables if table.is_unlogged]
    wrong = [
        (not server.fsync, "fsync is off", "a crash of the server may destroy the database: turn it on"),
        (
            not server.full_page_writes,
            "full_page_writes is off",
            "a crash of the machine may destroy pages, unless its file system writes them whole: turn it on",
        ),
        (
            bool(unlogged),
            f"unlogged tables ({', '.join(unlogged)})",
            "a crash of the server empties them: ALTER TABLE ... SET LOGGED",
        ),
    ]
    if any(bad for bad, _, _ in wrong):
        return Finding(
            check="durability",
            level="error",
            seen=", ".join(what for bad, what, _ in wrong if bad),
            advice="; ".join(todo for bad, _, todo in wrong if bad),
        )
    if server.synchronous_commit == "off":
        advice = (
            "a crash of the server forgets the last commits: steps that ended run again, and what a caller "
            "was told is enqueued may be gone; turn it on for this role or database"
        )
        return Finding(check="durability", level="error", seen="synchronous_commit is off", advice=advice)
    seen = f"fsync on, synchronous_commit {server.synchronous_commit}"
    return Finding(check="durability", level="ok", seen=seen)


def _connections(server: Server) -> Finding:
    most = server.max_connections - server.reserved_connections
    left = most - server.connections
    seen = f"{server.connections} of {most} connections are open (all databases), {max(left, 0)} left"
    for limit, of in ((server.role_connections, "role"), (server.database_connections, "database")):
        if 0 <= limit < most:
            seen += f"; this {of} may have {limit}"
    if left > most * FEW_LEFT[0]:
        return Finding(check="connections", level="ok", seen=seen)
    advice = "raise max_connections, lower pool_size of applications, or put a pooler in front"
    if left <= max(1, most * FEW_LEFT[1]):
        return Finding(check="connections", level="error", seen=seen, advice=advice)
    return Finding(check="connections", level="warning", seen=seen, advice=advice)


def _transactions(holders: Sequence[Holder]) -> Finding:
    held = [row for row in holders if row.kind is not None]
    hidden = holders[0].hidden if holders else 0
    unseen = f"; {counted(hidden, 'session')} of other roles cannot be seen" if hidden else ""
    if not held:
        seen = f"none is older than {ago(LONG_TRANSACTION)}{unseen}"
        advice = "GRANT pg_read_all_stats TO this role shows them" if hidden else None
        return Finding(check="transactions", level="ok", seen=seen, advice=advice)
    oldest = max(row.seconds or 0.0 for row in held)
    return Finding(
        check="transactions",
        level="error" if oldest > VERY_LONG else "warning",
        seen=f"{counted(len(held), 'old transaction')}, the oldest {ago(oldest)}: vacuum cannot remove what "
        f"was deleted or changed since{unseen}",
        advice="end what nobody needs: pg_terminate_backend(pid), ROLLBACK PREPARED 'gid', or "
        "pg_drop_replication_slot('slot'); idle_in_transaction_session_timeout keeps them from coming back",
        examples=tuple(_holder(row) for row in held[:5]),
    )


def _holder(row: Holder) -> str:
    since = f", {ago(row.seconds)}" if row.seconds is not None else ""
    whose = f" of {row.role}" if row.role else ""
    named = f"pid {row.name}" if row.kind == "transaction" else f"{row.kind} {row.name!r}"
    return f"{named}{whose} ({row.state}{since})"


def _vacuum(server: Server, known: Sequence[Table]) -> Finding:
    dead = [each for each in known if each.dead > DEAD_ROWS[0] and each.dead > DEAD_ROWS[1] * each.live]
    old = [each for each in known if each.xid_age > WRAPAROUND]
    off = [each for each in known if each.is_autovacuum_off]
    total = f"{size(sum(each.bytes for each in known))} in {counted(len(known), 'table')}"
    if old:
        names = ", ".join(each.name for each in old)
        advice = f"run VACUUM FREEZE on them; at 2,000,000,000 the server takes no more writes: {names}"
        seen = "tables were not frozen for 1,000,000,000 transactions"
        return Finding(check="vacuum", level="error", seen=seen, advice=advice)
    if not server.autovacuum or not server.track_counts:
        what = "autovacuum" if not server.autovacuum else "track_counts, which autovacuum needs,"
        advice = "turn it on: every status change leaves a dead row, and claims slow down as they gather"
        return Finding(check="vacuum", level="error", seen=f"{what} is off ({total})", advice=advice)
    if off:
        return Finding(
            check="vacuum",
            level="warning",
            seen=f"autovacuum is off for {', '.join(each.name for each in off)} ({total})",
            advice="ALTER TABLE ... RESET (autovacuum_enabled)",
        )
    if dead:
        return Finding(
            check="vacuum",
            level="warning",
            seen=f"many dead rows in {', '.join(each.name for each in dead)} ({total})",
            advice="run VACUUM (ANALYZE) on them; if `transactions` is ok, let autovacuum come earlier: "
            "ALTER TABLE ... SET (autovacuum_vacuum_scale_factor = 0.02)",
            examples=tuple(
                f"{each.name}: {each.dead:,} dead, {each.live:,} live, "
                + (
                    f"vacuumed {ago(each.vacuumed_ago)} ago"
                    if each.vacuumed_ago is not None
                    else "never vacuumed"
                )
                for each in dead[:5]
            ),
        )
    return Finding(check="vacuum", level="ok", seen=f"autovacuum is on, few dead rows ({total})")
