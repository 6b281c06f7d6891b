"""Passwords as hashes that tell how they were made: `scrypt:<n>:<r>:<p>:<salt>:<hash>`; the salt is given."""

from __future__ import annotations

import hashlib
import hmac

from durably.errors import InvalidOption

__all__ = ["SALT", "checked", "digest", "hashed", "is_password"]

SALT = 16  # bytes of salt
SHORTEST, LONGEST = 8, 1000  # characters
N, R, P = 2**14, 8, 5  # 16 MB and about 0.2 s of one core: what OWASP names for scrypt
MEMORY = 64 * 1024 * 1024  # bytes that a check may take


def checked(password: object) -> str:
    """A password that may be set."""
    if not isinstance(password, str) or not SHORTEST <= len(password) <= LONGEST:
        raise InvalidOption("password", "...", f"give a text of {SHORTEST} to {LONGEST} characters")
    return password


def hashed(password: str, salt: bytes, *, n: int = N, r: int = R, p: int = P) -> str:
    """The text to keep for a password; takes a while on purpose.

    hashed("correct horse", os.urandom(SALT))
    """
    return f"scrypt:{n}:{r}:{p}:{salt.hex()}:{_scrypt(password, salt, n, r, p).hex()}"


def is_password(password: str, kept: str) -> bool:
    """Whether this is the password that was hashed; takes as long either way."""
    kind, n, r, p, salt, expected = kept.split(":")
    if kind != "scrypt" or len(password) > LONGEST:
        return False
    found = _scrypt(password, bytes.fromhex(salt), int(n), int(r), int(p))
    return hmac.compare_digest(found, bytes.fromhex(expected))


def digest(secret: str) -> str:
    """The text to keep for a secret that is random, and so needs no salt and no slowness."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    encoded = password.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(encoded, salt=salt, n=n, r=r, p=p, maxmem=MEMORY, dklen=32)
