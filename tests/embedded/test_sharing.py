"""Several processes use one server, in good order: it starts with the first and stops with the last."""

from __future__ import annotations

import os
import time
import warnings
from pathlib import Path

import psycopg
import pytest

from durably.embedded import start
from tests.embedded.house import House

ONE_SERVER = "select pg_postmaster_start_time()::text"


def ask(url: str, query: str) -> str:
    with psycopg.connect(url, connect_timeout=10) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return str(row[0])


def test_a_first_start_takes_less_than_five_seconds(empty: House, capsys: pytest.CaptureFixture[str]) -> None:
    begin = time.monotonic()
    server = start(empty.home)
    first = time.monotonic() - begin
    assert ask(server.url(), "select 1") == "1"
    server.stop()

    begin = time.monotonic()
    server = start(empty.home)
    second = time.monotonic() - begin
    begin = time.monotonic()
    server.stop()
    with capsys.disabled():
        print(f"\n  first start {first:.3f} s, second {second:.3f} s, stop {time.monotonic() - begin:.3f} s")
    assert first < 5
    assert second < first


def test_the_server_is_durable_unless_asked_otherwise(empty: House, house: House) -> None:
    with start(empty.home) as durable, start(empty.home, durable=False) as volatile:
        assert ask(durable.url(), "show fsync") == "on"
        assert ask(volatile.url(), "show fsync") == "off"
        assert durable.data_directory != volatile.data_directory


def test_settings(house: House) -> None:
    with start(house.home, durable=False) as server:
        assert ask(server.url(), "show max_connections") == "200"
        assert ask(server.url(), "show shared_buffers") == "128MB"
        assert ask(server.url(), "show server_encoding") == "UTF8"
        assert ask(server.url(), "select datlocale from pg_database where datname = 'postgres'") == "C.UTF-8"
        assert ask(server.url(), "select lower('ÀÉ')") == "àé"
        assert server.log.read_text().count("ready to accept connections") >= 1


def test_a_second_process_shares_the_server(house: House) -> None:
    first, second = house.enter(), house.enter()
    assert ask(first.url, ONE_SERVER) == ask(second.url, ONE_SERVER)
    assert first.url == second.url


def test_the_last_to_leave_stops_the_server(house: House) -> None:
    first, second = house.enter(), house.enter()
    assert first.url == second.url
    first.leave()
    assert ask(second.url, "select 1") == "1"
    second.leave()
    assert not house.runs()
    assert not (house.base / "data/postmaster.pid").exists()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(second.url)


def test_every_start_in_a_process_is_a_user_of_its_own(house: House) -> None:
    one, two = (start(house.home, durable=False) for _ in range(2))
    one.stop()
    one.stop()
    assert ask(two.url(), "select 1") == "1"
    two.stop()
    assert not house.runs()


def test_four_processes_that_start_at_the_same_moment_make_one_server(empty: House) -> None:
    users = [empty.enter() for _ in range(4)]
    assert len({ask(user.url, ONE_SERVER) for user in users}) == 1
    for user in users:
        user.leave()
    assert not empty.runs()


def test_nothing_listens_on_tcp(house: House) -> None:
    with start(house.home, durable=False) as server:
        assert ask(server.url(), "show listen_addresses") == ""
        ours = {
            os.readlink(f"/proc/{house.postmaster}/fd/{fd}")
            for fd in os.listdir(f"/proc/{house.postmaster}/fd")
        }
        table = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
        on_tcp = {f"socket:[{line.split()[9]}]" for line in table.splitlines() if ":" in line.split()[0]}
        assert any(one.startswith("socket:") for one in ours)
        assert not ours & on_tcp


def test_the_environment_of_the_first_user_does_not_leak_into_the_server(house: House) -> None:
    user = house.enter(env={"PGPORT": "6000", "PGDATA": "/nowhere", "LC_ALL": "tlh_QX", "PGOPTIONS": "-c x"})
    assert ask(user.url, "show port") == "5432"


def test_a_fork_is_not_a_user(house: House) -> None:
    server = start(house.home, durable=False)
    hold_on, let_go = os.pipe()
    with warnings.catch_warnings(action="ignore"):  # Python 3.12 warns of the threads of a test runner
        child = os.fork()
    if child == 0:
        os.close(let_go)
        server.stop()  # does nothing here
        os.read(hold_on, 1)
        os._exit(0)
    assert ask(server.url(), "select 1") == "1"
    server.stop()
    assert not house.runs(), "the child kept it alive"
    os.close(let_go)
    os.waitpid(child, 0)
    os.close(hold_on)


@pytest.mark.parametrize(
    "name",
    ["long-" * 24, "with, comma", "with space and 100% ? & @ 'quotes' \"too\"", "ünï-cødé"],
    ids=["long", "comma", "odd", "unicode"],
)
def test_a_path_that_a_socket_or_a_uri_cannot_carry(house: House, name: str) -> None:
    house.home = house.home.rename(house.home.with_name(name))
    with start(house.home, durable=False) as server:
        assert ask(server.url(), "show data_directory") == str(house.base / "data")
        assert ask(server.url(), ONE_SERVER) == ask(house.enter().url, ONE_SERVER)
        sockets = Path(ask(server.url(), "show unix_socket_directories").strip('"').replace('""', '"'))
        assert sockets.stat().st_mode & 0o777 == 0o700
    house.users.pop().leave()
    if sockets.parent == Path("/tmp"):
        assert not sockets.exists()
