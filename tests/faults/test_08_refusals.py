"""Row 8: a server that answers and refuses: read-only, full, closed to logins, locked; and a pooler."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.faults import history
from tests.faults.cluster import Cluster, free_port
from tests.faults.fleet import Fleet, eventually
from tests.faults.ledger import Ledger
from tests.faults.load import Load
from tests.faults.table import Table
from tests.support.databases import Databases
from tests.support.server import Server

GOAL = "0 failed, 0 stranded"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster(max_connections="25") as cluster:
        yield cluster


@pytest.fixture
def fleet(cluster: Cluster, ledger: Ledger) -> Iterator[Fleet]:
    fleet = Fleet(Databases(Server(cluster.url, is_embedded=False)).migrated(), ledger)
    yield fleet
    fleet.stop()


@contextlib.contextmanager
def read_only(cluster: Cluster, fleet: Fleet) -> Iterator[None]:
    """As after a switch to a standby."""
    cluster.configure(default_transaction_read_only="on")
    yield
    cluster.execute(
        "SET default_transaction_read_only = off",
        "ALTER SYSTEM RESET default_transaction_read_only",
        "SELECT pg_reload_conf()",
    )


@contextlib.contextmanager
def full(cluster: Cluster, fleet: Fleet) -> Iterator[None]:
    """Every place is taken by somebody else."""
    with contextlib.ExitStack() as held:
        kicker = held.enter_context(psycopg.connect(cluster.url(), autocommit=True))
        hangers = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND application_name LIKE 'durably%'"
        )
        refused = 0
        while refused < 5:
            kicker.execute(hangers)
            try:
                held.enter_context(psycopg.connect(cluster.url(), autocommit=True))
            except psycopg.OperationalError:
                refused += 1
        yield


@contextlib.contextmanager
def closed(cluster: Cluster, fleet: Fleet) -> Iterator[None]:
    """Nobody may connect to the database, and who was is thrown out."""
    database = fleet.url.rpartition("/")[2].partition("?")[0]
    cluster.execute(
        f'ALTER DATABASE "{database}" ALLOW_CONNECTIONS false',
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'",
    )
    yield
    cluster.execute(f'ALTER DATABASE "{database}" ALLOW_CONNECTIONS true')


@contextlib.contextmanager
def locked(cluster: Cluster, fleet: Fleet) -> Iterator[None]:
    """As a migration of somebody's may hold the table."""
    with psycopg.connect(fleet.url) as connection:
        connection.execute("LOCK TABLE dbos.workflow_status")
        yield


@pytest.mark.parametrize("refuse", [read_only, full, closed, locked], ids=lambda refuse: refuse.__name__)
def test_a_refusal_becomes_nobodys_outcome(
    refuse: type[contextlib.AbstractContextManager[None]],
    cluster: Cluster,
    fleet: Fleet,
    is_full: bool,
    table: Table,
) -> None:
    """Workflows wait; a client's call waits too, and no driver's error reaches anybody."""
    seconds = 15.0 if is_full else 3.0
    for _ in range(2):
        fleet.launch()
    with Load(fleet, "climb", 5, 0.1, pace=0.03) as load:
        fleet.until(lambda: fleet.ledger.count("end") > 20, 20)
        with refuse(cluster, fleet):  # type: ignore[call-arg]
            pass_time(seconds)
        ended = fleet.ledger.count("end")
        seconds_on = fleet.until(lambda: fleet.ledger.count("end") > ended + 5, 20)
    fleet.wait_until_idle(20)
    statuses = dict(fleet.rows("SELECT status, count(*)::int FROM dbos.workflow_status GROUP BY 1"))
    report = history.check(history.read(fleet.url, fleet.ledger.events()))
    table.add(
        8,
        f"server is {refuse.__name__} for {seconds:g} s",
        goal=GOAL,
        figures=f"{statuses}, {len(report.problems)} problems, {report.repeated} bodies repeated; on again "
        f"after {seconds_on:.1f} s",
    )
    assert list(statuses) == ["SUCCESS"]
    assert report.problems == []
    assert load.errors == []


@pytest.fixture
def pooler(cluster: Cluster) -> Iterator[str]:
    """A PgBouncer in transaction mode, with few connections for many clients; its host and port."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("there is no pgbouncer: apt-get install pgbouncer")
    port = free_port()
    settings = Path(cluster.base, "pgbouncer.ini")
    settings.write_text(
        f"[databases]\n* = host=127.0.0.1 port={cluster.port} user=postgres\n[pgbouncer]\n"
        f"listen_addr=127.0.0.1\nlisten_port={port}\nunix_socket_dir=\nauth_type=any\npool_mode=transaction\n"
        "default_pool_size=5\nmax_client_conn=200\nlogfile=pgbouncer.log\npidfile=pgbouncer.pid\n"
        "ignore_startup_parameters=extra_float_digits\n"
    )
    started = cluster.account.run(program, "-d", settings.name, cwd=cluster.base)
    assert started.returncode == 0, started.stdout
    pidfile = cluster.base / "pgbouncer.pid"
    eventually(lambda: pidfile.exists() and pidfile.read_text().strip(), 10)
    pid = int(pidfile.read_text())
    yield f"127.0.0.1:{port}"
    os.kill(pid, 15)
    eventually(lambda: not Path(f"/proc/{pid}").exists(), 10)


def test_a_pooler_in_transaction_mode_works(
    fleet: Fleet, cluster: Cluster, pooler: str, is_full: bool, table: Table
) -> None:
    """Each transaction is on another connection of the server's; what was prepared may not be there."""
    workflows = 200 if is_full else 60
    url = fleet.url.replace(f"127.0.0.1:{cluster.port}", pooler)
    for _ in range(2):
        fleet.launch(url=url)
    with fleet.client(url) as client:
        for number in range(workflows):
            fleet.ask_with(client, "everything", id=f"w{number}")
        seconds = fleet.wait_until_idle(60)
    counted = "SELECT status, count(*)::int FROM dbos.workflow_status WHERE name = 'everything' GROUP BY 1"
    statuses = dict(fleet.rows(counted))
    report = history.check(history.read(fleet.url, fleet.ledger.events()))
    table.add(
        8,
        "PgBouncer in transaction mode",
        goal="works, or start is refused with one sentence",
        figures=f"{statuses} of {workflows} in {seconds:.1f} s, {len(report.problems)} problems",
    )
    assert statuses == {"SUCCESS": workflows}
    assert report.problems == []


def pass_time(seconds: float) -> None:
    """How long a fault lasts."""
    threading.Event().wait(seconds)
