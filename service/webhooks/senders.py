"""Senders: who may tell us of infusions. Each signs with a secret that both sides keep."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, update

from service.access.account import NAME
from service.access.principal import Principal
from service.intake.errors import BadInput, FieldError
from service.records.journal import Act, Event
from service.records.registered import secret_digest
from service.records.site import SiteRecords, Writing
from service.records.tables import moment_text, senders
from service.webhooks.signing import ROTATION, BadSignature, check_may_rotate, new_secret, verified

_OVER = {"secret": "", "older_secret": None, "older_until": None}


class NoSuchSender(Exception):
    """No sender has this name."""


@dataclass(frozen=True)
class Sender:
    """A sender as it is shown: never its secrets. Until `older_until` the secret before is good too."""

    id: str
    name: str
    created_at: datetime
    older_until: datetime | None
    revoked_at: datetime | None

    @property
    def principal(self) -> Principal:
        """The sender as one who asks; it is let in nowhere else."""
        return Principal(f"sender:{self.name}", "client", self.name, frozenset())


_COLUMNS = tuple(senders.c[name] for name in Sender.__dataclass_fields__)


class Senders:
    """The senders of one site. All of it raises StoreUnavailable, and NoSuchSender where one is named."""

    def __init__(self, records: SiteRecords) -> None:
        self._records, self._mine = records, senders.c.site == records.site

    def add(self, name: str, act: Act) -> tuple[Sender, str]:
        """A new sender, and its secret, which is shown this once. Raises BadInput."""
        if not NAME.fullmatch(name):
            says = "must be 2 to 64 small letters, digits, dots, dashes, underscores and @"
            raise BadInput([FieldError("name", says)])
        sender, secret = Sender(str(uuid.uuid4()), name, act.at, None, None), new_secret()
        with self._records.writing() as writing:
            writing.alone()
            if writing.connection.execute(select(senders.c.id).where(*self._named(name))).first():
                says = "is, or was, another sender's: the journal knows that one by it"
                raise BadInput([FieldError("name", says)])
            row = {**vars(sender), "site": self._records.site, "secret": secret}
            writing.connection.execute(insert(senders).values(row))
            told = {"name": name, "secret_digest": secret_digest(secret)}
            writing.enter(act, Event.SENDER_ADDED, sender.id, told)
        return sender, secret

    def rotate(self, name: str, act: Act, *, at_once: bool = False) -> tuple[Sender, str]:
        """Another secret, shown this once; for 24 hours the one before is good too. Raises BadInput.

        `at_once`, where a secret has leaked: no older one is good any more. Else raises OlderSecretGood.
        """
        secret, until = new_secret(), None if at_once else act.at + ROTATION
        with self._records.writing() as writing:
            row = self._locked(writing, name)
            if not at_once:
                check_may_rotate(row.older_until, act.at)
            older = None if at_once else row.secret
            changed = {"secret": secret, "older_secret": older, "older_until": until}
            writing.connection.execute(update(senders).where(*self._named(name)).values(changed))
            digest, older_until = secret_digest(secret), moment_text(until) if until else None
            told = {"name": name, "rotated": True, "secret_digest": digest, "older_until": older_until}
            writing.enter(act, Event.SENDER_CHANGED, row.id, told)
        return self._by_name(name), secret

    def revoke(self, name: str, act: Act) -> Sender:
        """Believe a sender no more, for good; its secrets are deleted. Raises BadInput."""
        with self._records.writing() as writing:
            row = self._locked(writing, name)
            gone = {**_OVER, "revoked_at": act.at}
            writing.connection.execute(update(senders).where(*self._named(name)).values(gone))
            writing.enter(act, Event.SENDER_REVOKED, row.id, {"name": name})
        return self._by_name(name)

    def all(self) -> list[Sender]:
        """Every sender by name, those revoked too."""
        wanted = select(*_COLUMNS).where(self._mine).order_by(senders.c.name)
        with self._records.reading() as connection:
            return [Sender(**row._mapping) for row in connection.execute(wanted)]

    def sender_of(self, headers: Mapping[str, str], body: bytes, now: datetime) -> tuple[Sender, str]:
        """Whose message this is, and its id. Raises BadSignature."""
        wanted = select(senders).where(self._mine, senders.c.revoked_at.is_(None))
        with self._records.reading() as connection:
            rows = connection.execute(wanted.order_by(senders.c.name)).all()
        refused = BadSignature("there is no sender")
        for row in rows:
            try:
                id = verified(_good(row, now), headers, body, now)
            except BadSignature as bad:
                refused = bad
            else:
                return _sender(row), id
        raise refused

    def _named(self, name: str) -> tuple[Any, ...]:
        return self._mine, senders.c.name == name

    def _by_name(self, name: str) -> Sender:
        with self._records.reading() as connection:
            return Sender(**connection.execute(select(*_COLUMNS).where(*self._named(name))).one()._mapping)

    def _locked(self, writing: Writing, name: str) -> Row[Any]:
        """A sender that is not revoked, and stays so. Raises NoSuchSender, BadInput."""
        if not NAME.fullmatch(name):
            raise NoSuchSender
        writing.alone()
        row = writing.connection.execute(select(senders).where(*self._named(name))).first()
        if row is None:
            raise NoSuchSender
        if row.revoked_at is not None:
            raise BadInput([FieldError("name", f"{name} is revoked already")])
        return row


def _good(row: Row[Any], now: datetime) -> list[str]:
    """The secrets that are good now."""
    older = row.older_until is not None and now < row.older_until
    return [row.secret, row.older_secret] if older else [row.secret]


def _sender(row: Row[Any]) -> Sender:
    return Sender(**{name: getattr(row, name) for name in Sender.__dataclass_fields__})
