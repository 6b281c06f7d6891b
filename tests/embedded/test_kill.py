"""kill -9 of everything that can be killed, at bad moments."""

from __future__ import annotations

import os
import subprocess

import psycopg

from durably.embedded import start
from tests.embedded.house import House, User, kill, until
from tests.embedded.test_sharing import ONE_SERVER, ask


def test_a_killed_user_does_not_disturb_another(house: House) -> None:
    first, second = house.enter(), house.enter()
    with psycopg.connect(second.url) as connection:
        assert first.url == second.url
        first.kill()
        assert connection.execute("select 1").fetchone() == (1,)
    second.leave()
    assert not house.runs()


def test_the_keeper_stops_a_server_whose_users_were_all_killed(house: House) -> None:
    users = [house.enter() for _ in range(2)]
    assert all(user.url for user in users)
    for user in users:
        user.kill()
    until(lambda: not house.runs())
    until(lambda: not house.is_kept())


def test_without_a_keeper_the_next_user_finds_the_server_running(house: House) -> None:
    user = house.enter()
    server = ask(user.url, ONE_SERVER)
    kill(house.keeper)
    user.kill()
    assert house.runs()
    following = house.enter()
    assert ask(following.url, ONE_SERVER) == server
    assert house.is_kept()
    following.leave()
    assert not house.runs()


def test_a_user_who_leaves_does_not_need_the_keeper(house: House) -> None:
    user = house.enter()
    assert user.url
    kill(house.keeper)
    user.leave()
    assert not house.runs()


def test_a_killed_server_is_started_again_for_its_users(house: House) -> None:
    user = house.enter()
    with psycopg.connect(user.url) as connection:
        connection.execute("create table kept as select 42 as answer")
    before = house.postmaster
    kill(before)
    until(lambda: answers(user, "select answer from kept") == "42")
    assert house.postmaster != before


def test_the_next_start_does_not_wait_for_the_keeper(house: House) -> None:
    user = house.enter()
    with psycopg.connect(user.url) as connection:
        connection.execute("create table kept as select 42 as answer")
    kill(house.keeper)
    kill(house.postmaster)
    with start(house.home, durable=False) as server:
        assert server.url() == user.url
        assert ask(server.url(), "select answer from kept") == "42"


def test_a_stale_pid_file_with_the_number_of_a_living_process(house: House) -> None:
    user = house.enter()
    assert user.url
    pid_file = house.base / "data/postmaster.pid"
    stale = pid_file.read_text().splitlines()
    owner = pid_file.stat().st_uid
    user.leave()
    with subprocess.Popen(["sleep", "1000"], user=owner) as stranger:
        try:
            pid_file.write_text("\n".join([str(stranger.pid), *stale[1:]]) + "\n")
            os.chown(pid_file, owner, -1)
            following = house.enter()
            assert ask(following.url, "select 1") == "1"
            following.leave()
            assert not house.runs()
            assert stranger.poll() is None
        finally:
            stranger.kill()


def test_a_half_done_initdb_is_thrown_away(empty: House) -> None:
    interrupted = empty.enter()
    until(lambda: (empty.root / "data.new/base").exists())
    interrupted.kill()
    following = empty.enter()
    assert ask(following.url, "select count(*) >= 3 from pg_database") == "True"
    assert not (empty.root / "data.new").exists()


def answers(user: User, query: str) -> str | None:
    try:
        return ask(user.url, query)
    except psycopg.OperationalError:
        return None
