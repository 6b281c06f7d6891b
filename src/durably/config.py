"""Where the system database is, and how connections to it behave.

The system database is on the same server as the application's and named after it (`shop` -> `shop_dbos_sys`),
unless it is named outright.
"""

from __future__ import annotations

import os
import re
from urllib.parse import SplitResult, quote, unquote, urlsplit

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

    Any libpq URI serves: several hosts, sockets, percent-encoded parts; so does SQLAlchemy's form with a
    driver (`postgresql+psycopg://`), whose driver is dropped. Raises ConfigurationError when neither is given
    or the URL is not a PostgreSQL one.

        system_database_url("postgresql://app@db/shop")  # postgresql://app@db/shop_dbos_sys
    """
    if outright is not None:
        return _joined(_split(outright))
    if database_url is None:
        raise ConfigurationError(
            "no database: pass database_url (the application database) or system_database_url, "
            f"or set {ENVIRONMENT_URL} (for the embedded PostgreSQL: to what `durably db url` prints)"
        )
    parts = _split(database_url)
    options = [option for option in parts.query.split("&") if option]
    given = [option.removeprefix("dbname=") for option in options if option.startswith("dbname=")]
    name = unquote(given[-1] if given else parts.path.removeprefix("/"))
    if not name and not system_database:
        raise ConfigurationError(
            f"{redact(database_url)} names no database: add one (.../shop), or pass system_database"
        )
    path = "/" + quote(system_database or name + SUFFIX, safe="")
    query = "&".join(option for option in options if not option.startswith("dbname="))
    return _joined(parts._replace(path=path, query=query))


def plain_url(url: str) -> str:
    """The URI for libpq: without the name of SQLAlchemy's driver.

    plain_url("postgresql+psycopg://localhost/shop")  # postgresql://localhost/shop
    """
    return _joined(_split(url))


def redact(url: str) -> str:
    """The URL without its passwords, fit for messages and logs."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return "the given URL"
    before, at, after = rest.rpartition("@")  # the last one: a password may hold others, wrongly
    if at:
        rest = before.partition(":")[0] + at + after
    return f"{scheme}://" + re.sub(r"(?<=[?&])((?:ssl)?password=)[^&]*", r"\1***", rest)


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ConfigurationError(f"{redact(url)} is not a URL") from None
    scheme = parts.scheme.partition("+")[0]
    if scheme not in SCHEMES or "://" not in url:
        raise ConfigurationError(
            f"{redact(url)} is not a PostgreSQL URL: it must start with postgresql:// or postgres://"
        )
    if "@" in parts.path or parts.fragment or parts.netloc.count("@") > 1:
        raise ConfigurationError(
            f"{redact(url)} cannot be read: percent-encode what is special in its user and password "
            "(/ as %2F, @ as %40, # as %23, ? as %3F)"
        )
    return parts._replace(scheme=scheme)


def _joined(parts: SplitResult) -> str:
    """The URI; unlike `urlunsplit` it keeps the `//` of one that names no host."""
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{parts.netloc}{parts.path}{query}"
