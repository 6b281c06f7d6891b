"""Accounts, sessions, tokens and the audit, by a client."""

from __future__ import annotations

from collections.abc import AsyncIterator

import psycopg
import pytest

from durably import AsyncDBOSClient, errors
from tests.engine.support import rows

PASSWORD = "correct horse battery"


@pytest.fixture
async def client(database_url: str) -> AsyncIterator[AsyncDBOSClient]:
    async with AsyncDBOSClient.create(system_database_url=database_url) as client:
        yield client


async def test_a_password_is_kept_as_a_hash_of_its_own(client: AsyncDBOSClient, database_url: str) -> None:
    for name in ("ada", "grace"):
        await client.create_account(name, password=PASSWORD, role="operator")
    kept = [row[0] for row in rows(database_url, "SELECT password FROM durably.console_accounts")]
    assert all(text.startswith("scrypt:16384:8:5:") for text in kept)
    assert len(set(kept)) == 2
    assert await client.log_in("ada", PASSWORD)


async def test_a_name_is_taken_once(client: AsyncDBOSClient) -> None:
    await client.create_account("ada", password=PASSWORD)
    with pytest.raises(errors.AccountExists, match="'ada' already"):
        await client.create_account("ada", password="another one")
    with pytest.raises(errors.InvalidOption, match="8 to 1000") as refused:
        await client.create_account("grace", password="short")
    assert "short" not in str(refused.value)


async def test_a_session_is_somebodys_until_it_is_over(client: AsyncDBOSClient, database_url: str) -> None:
    await client.create_account("ada", password=PASSWORD, role="admin", sees_payloads=False)
    token = await client.log_in("ada", PASSWORD)
    assert token is not None
    account = await client.account_of_session(token)
    assert account is not None
    assert (account.name, account.role, account.sees_payloads) == ("ada", "admin", False)
    assert token not in str(rows(database_url, "SELECT * FROM durably.console_sessions"))
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("UPDATE durably.console_sessions SET expires_at = now() - interval '1 second'")
    assert await client.account_of_session(token) is None


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("ada", "wrong"),
        ("nobody", PASSWORD),
        ("", ""),
        ("ada\0", "x"),
        ("ada", "x" * 100_000),
        ("\ud800", ""),
    ],
)
async def test_nobody_gets_in_without_the_password(client: AsyncDBOSClient, name: str, password: str) -> None:
    await client.create_account("ada", password=PASSWORD)
    assert await client.log_in(name, password) is None


async def test_another_password_or_a_disabled_account_is_logged_out(client: AsyncDBOSClient) -> None:
    await client.create_account("ada", password=PASSWORD)
    token = await client.log_in("ada", PASSWORD) or ""
    await client.update_account("ada", role="operator")
    assert await client.account_of_session(token) is not None
    await client.update_account("ada", password="another password")
    assert await client.account_of_session(token) is None
    assert await client.log_in("ada", PASSWORD) is None
    token = await client.log_in("ada", "another password") or ""
    await client.update_account("ada", disabled=True)
    assert await client.account_of_session(token) is None
    assert await client.log_in("ada", "another password") is None
    await client.update_account("ada", disabled=False)
    assert await client.log_in("ada", "another password")
    with pytest.raises(errors.NoSuchAccount, match="'bob'"):
        await client.update_account("bob", role="admin")


async def test_logging_out_ends_one_session(client: AsyncDBOSClient) -> None:
    await client.create_account("ada", password=PASSWORD)
    here, there = [await client.log_in("ada", PASSWORD) or "" for _ in range(2)]
    assert await client.log_out(here)
    assert not await client.log_out(here)
    assert await client.account_of_session(here) is None
    assert await client.account_of_session(there) is not None


async def test_a_token_is_valid_until_it_is_over_or_revoked(
    client: AsyncDBOSClient, database_url: str
) -> None:
    made = await client.create_token("deploy", role="operator", lasts=60, created_by="ada")
    assert made.secret not in repr(made)
    assert made.secret not in str(rows(database_url, "SELECT * FROM durably.api_tokens"))
    assert await client.token_of_secret(made.secret) is not None
    assert (await client.list_tokens())[0].last_used_at is not None
    assert await client.token_of_secret(made.secret + "x") is None
    assert await client.revoke_token(made.token.token_id)
    assert not await client.revoke_token(made.token.token_id)
    assert await client.token_of_secret(made.secret) is None
    short = await client.create_token("short", lasts=0.001)
    while await client.token_of_secret(short.secret) is not None:
        pass  # a millisecond is not over yet
    with pytest.raises(errors.NoSuchToken, match="'none'"):
        await client.revoke_token("none")


async def test_the_audit_says_who_began_what_and_how_it_ended(client: AsyncDBOSClient) -> None:
    for number in range(5):
        entry = await client.begin_audit("ada", "pause", kind="queue", target=f"q{number}", source="console")
        if number:
            await client.end_audit(entry, "done", f"{number} rested")
    begun = (await client.list_audit())[-1]
    assert (begun.outcome, begun.ended_at, begun.targets) == ("began", None, ("q0",))
    first = await client.list_audit(limit=2)
    assert [entry.targets for entry in first] == [("q4",), ("q3",)]
    assert [e.targets for e in await client.list_audit(before=first[-1].audit_id, limit=2)] == [
        ("q2",),
        ("q1",),
    ]
    assert [entry.did for entry in await client.list_audit(target="q3")] == ["3 rested"]
    assert await client.list_audit(who="grace") == []
    assert len(await client.list_audit(outcome="done", verb="pause", kind="queue", source="console")) == 4


async def test_the_audit_keeps_what_is_hostile_as_text(client: AsyncDBOSClient) -> None:
    targets = [f"<script>{number}" for number in range(1500)]
    entry = await client.begin_audit(
        "a\0b", "ca\ud800ncel", kind="workflow", target=targets, detail={"why": "\0 \ud800"}, source="api"
    )
    await client.end_audit(entry, "failed", "x" * 10_000_000)
    kept = (await client.list_audit())[0]
    assert (kept.who, len(kept.targets), kept.detail["targets"]) == ("ab", 1000, 1500)
    assert kept.did is not None and len(kept.did) == 2000


async def test_a_database_of_dbos_alone_keeps_neither(client: AsyncDBOSClient, database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA durably CASCADE")
    async with AsyncDBOSClient.create(system_database_url=database_url) as client:
        assert await client.list_accounts() == []
        assert not await client.keeps_audit()
        assert await client.begin_audit("ada", "pause", kind="queue", target="emails") is None
        await client.end_audit(None, "done")
        for call in (client.list_audit(), client.create_account("ada", password=PASSWORD)):
            with pytest.raises(errors.DatabaseError, match="durably db migrate"):
                await call
