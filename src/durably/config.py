"""Where the system database is, and how connections to it behave.

The system database is on the same server as the application's and named after it (`shop` -> `shop_dbos_sys`),
unless it is named outright.
"""

from __future__ import annotations

import os
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit

from durably.errors import ConfigurationError

__all__ = ["CONNECTION_PARAMETERS", "ENVIRONMENT_URL", "default_url", "redact", "system_database_url"]

ENVIRONMENT_URL = "DURABLY_DATABASE_URL"
SUFFIX = "_dbos_sys"
SCHEMES = ("postgresql", "postgres")

# A silent network must not stop a worker for good (docs/reliability: row 5): libpq gives up on a dead
# connection after 5 + 2 * 2 seconds of unanswered keepalives, or 8 s of unacknowledged data.
CONNECTION_PARAMETERS: dict[str, str | int] = {
    "connect_timeout": 10,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 2,
    "tcp_user_timeout": 8000,
}


def default_url() -> str | None:
    """The URL of the environment, or None: then the embedded PostgreSQL serves."""
    return os.environ.get(ENVIRONMENT_URL) or None


def system_database_url(
    database_url: str | None, system_database: str | None = None, *, outright: str | None = None
) -> str:
    """The URI of the system database that belongs to an application database.

    Raises ConfigurationError when neither is given or the URL is not a PostgreSQL one.

        system_database_url("postgresql://app@db/shop")  # postgresql://app@db/shop_dbos_sys
    """
    if outright is not None:
        _split(outright)
        return outright
    if database_url is None:
        raise ConfigurationError(
            "no database: pass database_url (the application database) or system_database_url, "
            f"or set {ENVIRONMENT_URL}"
        )
    parts = _split(database_url)
    name = unquote(parts.path.removeprefix("/"))
    if not name and system_database is None:
        raise ConfigurationError(
            f"{redact(database_url)} names no database: add one (.../shop), or pass system_database"
        )
    return urlunsplit(parts._replace(path="/" + quote(system_database or name + SUFFIX, safe="")))


def redact(url: str) -> str:
    """The URL without its password, fit for messages and logs."""
    try:
        parts = urlsplit(url)
        userinfo, at, host = parts.netloc.rpartition("@")
        netloc = userinfo.partition(":")[0] + at + host
        query = "&".join(p for p in parts.query.split("&") if p and not p.startswith("password="))
        return urlunsplit(parts._replace(netloc=netloc, query=query))
    except ValueError:
        return "the given URL"


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise ConfigurationError(f"not a URL: {error}") from None
    if parts.scheme not in SCHEMES:
        raise ConfigurationError(
            f"{redact(url)} is not a PostgreSQL URL: it must start with postgresql:// or postgres://"
        )
    return parts
