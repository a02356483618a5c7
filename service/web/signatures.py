"""Signatures: what each meaning asks of a role, and who is there shown again by PIN or password."""

from collections.abc import Mapping

from service.access.roles import Permission
from service.records.record import Meaning
from service.web.parts import act, parts, principal

SIGNS: Mapping[Meaning, Permission] = {
    Meaning.PERFORMED: Permission.ATTEST_PERFORMED,
    Meaning.DOUBLE_CHECK: Permission.DOUBLE_CHECK,
    Meaning.REVIEWED: Permission.ATTEST_REVIEWED,
}


def sign(secret: str) -> None:
    """Return where whoever asks enters the own PIN or password. Raises WrongSecret, TooManyFailures."""
    parts().accounts.sign(principal(), secret, act())
