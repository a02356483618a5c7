"""Passwords and PINs: what one must be, and how it is kept, as an Argon2id hash."""

import functools
import itertools
import re
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LEAST_CHARACTERS, MOST_CHARACTERS = 12, 1024
_PIN = re.compile(r"[0-9]{6,12}")
_SAME_UP_DOWN = (0, 1, 9)  # the steps, modulo ten, between the digits of 777777, 456789 and 321098

# More than the least that OWASP asks for (46 MiB once, or 19 MiB twice). Tests put a cheap one in its place:
# nothing else in the service makes a hasher.
HASHER = PasswordHasher(time_cost=2, memory_cost=46 * 1024, parallelism=1)


def password_fault(password: str, account: str) -> str | None:
    """What keeps this from being the password of the account of that name, or None."""
    if not LEAST_CHARACTERS <= len(password) <= MOST_CHARACTERS:
        return f"must be {LEAST_CHARACTERS} to {MOST_CHARACTERS} characters"
    if account.casefold() in password.casefold():
        return "must not contain the name of the account"
    if not _is_text(password):
        return "must be text that can be typed"
    return None


def pin_fault(pin: str) -> str | None:
    """What keeps this from being a PIN, or None."""
    if not _PIN.fullmatch(pin):
        return "must be 6 to 12 digits"
    steps = {(int(after) - int(before)) % 10 for before, after in itertools.pairwise(pin)}
    if len(steps) == 1 and steps <= {*_SAME_UP_DOWN}:
        return "must not be one digit repeated, or digits in a row"
    return None


def hashed(secret: str) -> str:
    """A password or PIN as it is kept."""
    return HASHER.hash(_bytes(secret))


def verified(kept: str | None, secret: str) -> bool:
    """Whether the secret is the one that is kept; the same work where none is."""
    try:
        HASHER.verify(kept or _nobodys(HASHER), _bytes(secret))
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


def outdated(kept: str) -> bool:
    """Whether a hash was made with other parameters than today's."""
    return HASHER.check_needs_rehash(kept)


@functools.cache
def _nobodys(hasher: PasswordHasher) -> str:
    """A hash that is no account's, as dear to verify as any."""
    return hasher.hash(b"nobody's password")


def _bytes(secret: str) -> bytes:
    """One sequence of bytes for each way to type the same letters (RFC 8265)."""
    return unicodedata.normalize("NFC", secret).encode("utf-8", "surrogatepass")


def _is_text(secret: str) -> bool:
    return all(unicodedata.category(each) not in ("Cc", "Cs") for each in secret)
