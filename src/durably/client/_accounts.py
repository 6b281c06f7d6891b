"""Who may use the console and its HTTP API: accounts, sessions, tokens."""

from __future__ import annotations

import asyncio
import os
import secrets
from typing import Any

from durably.client._base import Part
from durably.core import checks, passwords
from durably.errors import AccountExists, NoSuchAccount, NoSuchToken
from durably.store import accounts
from durably.types import ROLES, Account, ApiToken, NewApiToken, Role, Seconds

__all__ = ["Accounts"]

WORKDAY = 12 * 3600.0  # seconds that a session lasts
NOBODY = "scrypt:16384:8:5:00000000000000000000000000000000:" + 64 * "0"  # no password has this hash
PREFIX = "durably_"  # of a token: scanners for leaked secrets know it by this


class Accounts(Part):
    """What keeps accounts and tokens. Needs durably's own schema: `durably db migrate`."""

    async def create_account(
        self, name: str, *, password: str, role: Role = "viewer", sees_payloads: bool = True
    ) -> Account:
        """Create a person's account for the console; returns it. Raises AccountExists.

        A viewer looks, an operator acts on workflows, queues and schedules, an admin also deletes and manages
        accounts. Only a hash of the password (8 to 1,000 characters) is kept.

            await client.create_account("grace", password="correct horse battery", role="operator")
        """
        who = checks.name("name", name)
        checks.choice("role", role, ROLES)
        kept = await _hashed(passwords.checked(password))
        row = {"name": who, "password": kept, "role": role, "sees_payloads": bool(sees_payloads)}
        if not await self._session.call(lambda open_: accounts.ask(open_, "accounts/create", row)):
            raise AccountExists(who)
        return await self.get_account(who)

    async def get_account(self, name: str) -> Account:
        """Return an account. Raises NoSuchAccount.

        print((await client.get_account("ada")).role)
        """
        return _account((await self._accounts(checks.address("name", name)))[0])

    async def list_accounts(self) -> list[Account]:
        """Return the accounts by name; none in a database that durably has not been migrated to.

        for account in await client.list_accounts(): print(account.name, account.role)
        """
        open_ = await self._session.here()
        return [_account(row) for row in await self._accounts(None)] if accounts.is_kept(open_) else []

    async def update_account(
        self,
        name: str,
        *,
        password: str | None = None,
        role: Role | None = None,
        sees_payloads: bool | None = None,
        disabled: bool | None = None,
    ) -> Account:
        """Change what is given of an account; returns it. Raises NoSuchAccount.

        Another password, or `disabled`, logs the account out everywhere at once.

            await client.update_account("ada", role="viewer", disabled=True)
        """
        who = checks.address("name", name)
        if role is not None:
            checks.choice("role", role, ROLES)
        kept = None if password is None else await _hashed(passwords.checked(password))
        row = {
            "name": who,
            "password": kept,
            "role": role,
            "sees_payloads": sees_payloads,
            "disabled": disabled,
        }
        if not await self._session.call(lambda open_: accounts.ask(open_, "accounts/update", row)):
            raise NoSuchAccount(who)
        return await self.get_account(who)

    async def log_in(self, name: str, password: str, *, lasts: Seconds = WORKDAY) -> str | None:
        """Return the token of a new session of `lasts` seconds; None if name or password are wrong.

        It takes the same time for a name that there is not, and tells nothing more.

            token = await client.log_in("ada", "correct horse battery")
        """
        seconds = checks.duration("lasts", lasts, zero=False)
        who = name.replace("\0", "").encode("utf-8", "replace").decode()
        found = await self._session.call(lambda open_: accounts.ask(open_, "accounts/list", {"name": who}))
        kept = found[0]["password"] if found else NOBODY
        if not await asyncio.to_thread(passwords.is_password, password, kept):
            return None
        token = secrets.token_urlsafe(32)
        row = {"name": who, "token_hash": passwords.digest(token), "seconds": seconds}
        begun = await self._session.call(lambda open_: accounts.ask(open_, "accounts/log_in", row))
        return token if begun else None

    async def account_of_session(self, token: str) -> Account | None:
        """Return whose session it is; None if it is over, or the account is disabled.

        account = await client.account_of_session("...")
        """
        key = {"token_hash": passwords.digest(token)}
        found = await self._session.call(lambda open_: accounts.ask(open_, "accounts/of_session", key))
        return _account(found[0]) if found else None

    async def log_out(self, token: str) -> bool:
        """End a session; returns whether there was one.

        await client.log_out("...")
        """
        key = {"token_hash": passwords.digest(token)}
        return bool(await self._session.call(lambda open_: accounts.ask(open_, "accounts/log_out", key)))

    async def create_token(
        self,
        name: str,
        *,
        role: Role = "viewer",
        sees_payloads: bool = True,
        lasts: Seconds | None = None,
        created_by: str | None = None,
    ) -> NewApiToken:
        """Create a token for a program that calls the HTTP API; returns it with its secret.

        The secret is shown this once: only its hash is kept. `lasts` seconds (None: until it is revoked),
        `created_by` is the role of the database unless given.

            made = await client.create_token("deploy", role="operator", lasts=90 * 86400)
            print(made.secret)
        """
        checks.choice("role", role, ROLES)
        secret = PREFIX + secrets.token_urlsafe(32)
        row = {
            "token_id": secrets.token_hex(6),
            "token_hash": passwords.digest(secret),
            "name": checks.name("name", name),
            "role": role,
            "sees_payloads": bool(sees_payloads),
            "created_by": checks.optional_name("created_by", created_by),
            "seconds": checks.duration("lasts", lasts, zero=False),
        }
        made = await self._session.call(lambda open_: accounts.ask(open_, "tokens/create", row))
        return NewApiToken(token=(await self._tokens(made[0]["token_id"]))[0], secret=secret)

    async def list_tokens(self) -> list[ApiToken]:
        """Return the tokens, the newest first, those that are over or revoked too; never their secrets.

        for token in await client.list_tokens(): print(token.name, token.last_used_at)
        """
        return await self._tokens(None)

    async def revoke_token(self, token_id: str) -> bool:
        """Let a token be valid no more, at once; returns False when it was not. Raises NoSuchToken.

        await client.revoke_token("f00dfeed0001")
        """
        key = {"token_id": checks.address("token_id", token_id)}
        found = await self._session.call(lambda open_: accounts.ask(open_, "tokens/revoke", key))
        if not found:
            raise NoSuchToken(token_id)
        return bool(found[0]["is_changed"])

    async def token_of_secret(self, secret: str) -> ApiToken | None:
        """Return the token of a secret, and note its use; None if it is unknown, over or revoked.

        token = await client.token_of_secret("durably_...")
        """
        key = {"token_hash": passwords.digest(secret)}
        found = await self._session.call(lambda open_: accounts.ask(open_, "tokens/check", key))
        return ApiToken(**found[0]) if found else None

    async def _accounts(self, name: str | None) -> list[dict[str, Any]]:
        found = await self._session.call(lambda open_: accounts.ask(open_, "accounts/list", {"name": name}))
        if name is not None and not found:
            raise NoSuchAccount(name)
        return found

    async def _tokens(self, token_id: str | None) -> list[ApiToken]:
        key = {"token_id": token_id}
        found = await self._session.call(lambda open_: accounts.ask(open_, "tokens/list", key))
        return [ApiToken(**row) for row in found]


async def _hashed(password: str) -> str:
    return await asyncio.to_thread(passwords.hashed, password, os.urandom(passwords.SALT))


def _account(row: dict[str, Any]) -> Account:
    return Account(**{field: value for field, value in row.items() if field != "password"})
