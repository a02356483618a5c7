"""What a look at one thing found: how it stands, what that means, and what to type to mend it."""

from dataclasses import dataclass
from enum import StrEnum


class Health(StrEnum):
    """How one thing stands, the worst last. What could not be looked at is unknown, and never well."""

    OK = "ok"
    WARNING = "warning"
    UNKNOWN = "unknown"
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """One thing that was found: `says` what it means, and `mend` what to do, down to what to type."""

    health: Health
    says: str
    mend: str | None = None


class CannotTell(Exception):
    """Something that another check tells of stands in the way of this one; the message says what."""


def ok(says: str) -> Finding:
    """As it should be."""
    return Finding(Health.OK, says)


def warning(says: str, mend: str) -> Finding:
    """It works, and not as well or as safely as it should."""
    return Finding(Health.WARNING, says, mend)


def wrong(says: str, mend: str) -> Finding:
    """It does not work, or is not safe."""
    return Finding(Health.WRONG, says, mend)
