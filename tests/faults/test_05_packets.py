"""Row 5, in the kernel: packets between a worker and its server are lost, some of them, or all."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.faults import history
from tests.faults.cluster import Cluster
from tests.faults.fleet import Fleet
from tests.faults.ledger import Ledger
from tests.faults.network import Namespace, why_not
from tests.faults.table import Table
from tests.support.databases import Databases
from tests.support.server import Server

LEASE = 3.0
LOSS = 0.2
REFUSED = why_not()
pytestmark = pytest.mark.skipif(REFUSED is not None, reason=f"platform: no network namespaces: {REFUSED}")


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    with Namespace() as namespace:
        yield namespace


@pytest.fixture
def fleet(namespace: Namespace, ledger: Ledger) -> Iterator[Fleet]:
    """Its server is on this machine; a worker launched with `away` is in the namespace."""
    with Cluster(listen_addresses="*") as cluster:
        cluster.trust("10.0.0.0/8")
        fleet = Fleet(Databases(Server(cluster.url, is_embedded=False)).migrated(), ledger)
        yield fleet
        fleet.stop()


def away(fleet: Fleet, namespace: Namespace) -> str:
    """The server's address in the namespace."""
    return fleet.url.replace("127.0.0.1", namespace.gateway)


@pytest.mark.timeout(120)
def test_some_packets_are_lost(fleet: Fleet, namespace: Namespace, is_full: bool, table: Table) -> None:
    """One in five, both ways: what TCP repeats, nobody notices."""
    many = 200 if is_full else 40
    fleet.launch(url=away(fleet, namespace), prefix=namespace.prefix, host="away")
    namespace.lose(LOSS)
    with fleet.client() as client:
        for number in range(many):
            fleet.ask_with(client, "ladder", 5, id=f"w{number}")
    took = fleet.wait_until_idle(90)
    dropped = namespace.dropped()
    report = history.check(history.read(fleet.url, fleet.ledger.events()))
    table.add(
        5,
        f"packet loss of {LOSS:.0%} in the kernel",
        goal="work goes on <= 15 s, 0 lost",
        figures=f"{dropped} packets lost: {many} workflows ended after {took:.1f} s, "
        f"{len(report.problems)} problems",
    )
    assert dropped > 0
    assert report.problems == []


@pytest.mark.timeout(120)
def test_packets_of_old_connections_are_lost(fleet: Fleet, namespace: Namespace, table: Table) -> None:
    """As behind a firewall that forgot them; the kernel sends again what nobody acknowledges."""
    fleet.launch(url=away(fleet, namespace), prefix=namespace.prefix, host="away", lease=15.0)
    fleet.ask("climb", 3, 0.3, id="running")
    fleet.begun("running")
    began = time.monotonic()
    lost = namespace.lose_connections()
    fleet.ask("ladder", id="new")
    fleet.wait_until_idle(60)
    took = time.monotonic() - began
    report = history.check(history.read(fleet.url, fleet.ledger.events()))
    table.add(
        5,
        "every packet of old connections lost in the kernel, lease 15 s",
        goal="work goes on <= 15 s, 0 lost",
        figures=f"{lost} connections: all work was done after {took:.1f} s, {len(report.problems)} problems",
    )
    assert report.problems == []
    assert took <= 15


@pytest.mark.timeout(120)
def test_a_partition(fleet: Fleet, namespace: Namespace, table: Table) -> None:
    """The worker's machine is cut off; another one goes on; the first comes back, and writes nothing."""
    fleet.launch(url=away(fleet, namespace), prefix=namespace.prefix, host="away")
    with fleet.client() as client:
        for number in range(5):
            fleet.ask_with(client, "climb", 3, 0.5, id=f"w{number}")
    fleet.begun("w0")
    began = time.monotonic()
    namespace.lose(1)
    fleet.launch(host="here")
    fleet.wait_until_idle(30)
    ended = time.monotonic() - began
    namespace.heal()
    fleet.ask("ladder", id="after")
    fleet.wait_until_idle(15)
    report = history.check(history.read(fleet.url, fleet.ledger.events()))
    table.add(
        5,
        f"partition of a worker, lease {LEASE:g} s",
        goal="work goes on <= 15 s, 0 lost, 0 bad",
        figures=f"another went on, all done after {ended:.1f} s; {len(report.problems)} problems",
    )
    assert report.problems == []
    assert ended <= 15
