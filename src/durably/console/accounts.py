"""People who log in with a name and a password, which the database keeps (`durably account add`)."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from durably.console.access import Access, ReadOnly, User, client_of

__all__ = ["SESSION_COOKIE", "Accounts", "Attempts", "TooManyAttempts", "accounts_of"]

SESSION_COOKIE = "durably_session"
LASTS = 12 * 3600.0  # seconds that somebody stays logged in
AT_ONCE = 4  # passwords that are checked at a time: each takes memory and a core

WINDOW = 15 * 60.0  # seconds that a wrong password counts
MOST_OF_PAIR = 5  # wrong passwords for an account from an address
MOST_OF_ADDRESS = 30  # from an address, whatever the accounts
MOST_OF_ACCOUNT = 100  # for an account, wherever from
MOST_KEYS = 20_000  # that are remembered


class TooManyAttempts(Exception):
    """Too many wrong passwords: nothing is checked for `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class Attempts:
    """Counts wrong passwords by account, by address, and by both; the oldest keys are forgotten."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._wrong: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()

    def seconds_left(self, account: str, address: str) -> float:
        """How long nothing may be tried; 0 where it may."""
        now = self._clock()
        return max(self._left(key, most, now) for key, most in _keys(account, address))

    def count(self, account: str, address: str) -> None:
        """Count an attempt as wrong, before it is known to be: many at once are many."""
        now = self._clock()
        for key, most in _keys(account, address):
            self._wrong.setdefault(key, deque(maxlen=most)).append(now)
            self._wrong.move_to_end(key)
        while len(self._wrong) > MOST_KEYS:
            self._wrong.popitem(last=False)

    def forgive(self, account: str, address: str) -> None:
        """It was right, or was not looked at: it does not count."""
        for key, _most in _keys(account, address):
            if times := self._wrong.get(key):
                times.pop()

    def succeeded(self, account: str, address: str) -> None:
        """Forget the wrong ones of this account from this address."""
        self.forgive(account, address)
        self._wrong.pop((account, address), None)

    def _left(self, key: tuple[str, str], most: int, now: float) -> float:
        wrong = self._wrong.get(key)
        return max(0.0, wrong[0] + WINDOW - now) if wrong and len(wrong) == most else 0.0


def _keys(account: str, address: str) -> tuple[tuple[tuple[str, str], int], ...]:
    return (
        ((account, address), MOST_OF_PAIR),
        (("", address), MOST_OF_ADDRESS),
        ((account, ""), MOST_OF_ACCOUNT),
    )


class Accounts:
    """The accounts of the system database; whoever is not logged in goes to the login page.

    app.mount("/durably", Console(database_url, access=Accounts()))
    """

    def __init__(self, *, lasts: float = LASTS) -> None:
        self._lasts = lasts
        self._attempts = Attempts()
        self._checking = asyncio.Semaphore(AT_ONCE)

    @property
    def login_path(self) -> str | None:
        """The console's own page."""
        return "/login"

    async def user(self, request: Request) -> User | None:
        """The account of the session that the browser has."""
        token = request.cookies.get(SESSION_COOKIE)
        if not token:
            return None
        account = await (await client_of(request)).account_of_session(token)
        if account is None:
            return None
        return User(name=account.name, role=account.role, sees_payloads=account.sees_payloads)

    async def log_in(self, request: Request, name: str, password: str) -> str | None:
        """The token of a new session; None where name or password are wrong. Raises TooManyAttempts."""
        address = request.client.host if request.client else ""
        if left := self._attempts.seconds_left(name, address):
            raise TooManyAttempts(left)
        self._attempts.count(name, address)
        try:
            client = await client_of(request)
            async with self._checking:
                token = await client.log_in(name, password, lasts=self._lasts)
        except BaseException:
            self._attempts.forgive(name, address)
            raise
        if token is not None:
            self._attempts.succeeded(name, address)
        return token

    def keep(self, request: Request, response: Response, token: str) -> None:
        """Give the browser its session."""
        response.set_cookie(
            SESSION_COOKIE,
            token,
            max_age=round(self._lasts),
            path=_path(request),
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )

    async def log_out(self, request: Request, response: Response) -> None:
        """End the session, here and in the database."""
        if token := request.cookies.get(SESSION_COOKIE):
            await (await client_of(request)).log_out(token)
        response.delete_cookie(SESSION_COOKIE, path=_path(request))


def accounts_of(access: Access) -> Accounts | None:
    """The accounts behind an access, if it has any."""
    inner = access.access if isinstance(access, ReadOnly) else access
    return inner if isinstance(inner, Accounts) else None


def _path(request: Request) -> str:
    return str(request.scope.get("root_path", "")).rstrip("/") or "/"
