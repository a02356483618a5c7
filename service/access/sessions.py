"""Sessions of people at a browser: a random token in a cookie, kept as a digest; it locks when it is idle."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from service.access.account import COLUMNS, Account, account_of
from service.access.accounts import Accounts, WrongSecret
from service.access.principal import NotSignedIn, SessionLocked
from service.records.journal import Act, Event
from service.records.site import SiteRecords, Writing
from service.records.tables import accounts, sessions

TOKEN_BYTES = 32
IDLE = timedelta(minutes=5)
LIFETIME = timedelta(hours=12)
MOST_WRONG = 5
_NOTED_EVERY = timedelta(seconds=20)


@dataclass(frozen=True)
class Session:
    """A session that has not ended: whose it is, since when, and when it was last used.

    `form_key` is in each form of its pages, and stays the same when it is unlocked.
    """

    account: Account
    created_at: datetime
    seen_at: datetime
    locked: bool
    wrong_pins: int
    form_key: str

    def is_locked(self, now: datetime) -> bool:
        """Whether it was left alone too long. A clock that stepped back further than that locks it too."""
        return self.locked or abs(now - self.seen_at) >= IDLE


class Sessions:
    """The sessions of one site."""

    def __init__(self, records: SiteRecords, accounts: Accounts) -> None:
        self._records, self._accounts = records, accounts

    def begin(self, account: Account, act: Act, how: str = "password", before: str | None = None) -> str:
        """A new session of somebody who has shown who they are; its token. `how` is entered.

        `before` is the token of the session that the browser had: it ends. Raises NotSignedIn where the
        account has been disabled meanwhile, StoreUnavailable.
        """
        with self._records.writing() as writing:
            writing.alone()
            return self.enter(writing, account, act, how, before)

    def enter(self, writing: Writing, account: Account, act: Act, how: str, before: str | None = None) -> str:
        """The same, as the end of a transaction that is alone."""
        enabled = select(accounts.c.id).where(accounts.c.id == account.id, accounts.c.disabled_at.is_(None))
        if writing.connection.execute(enabled).first() is None:
            raise NotSignedIn
        if before is not None:
            self._leave(writing, before, act)
        over = (sessions.c.site == self._records.site, sessions.c.created_at <= act.at - LIFETIME)
        writing.connection.execute(delete(sessions).where(*over))
        token = secrets.token_urlsafe(TOKEN_BYTES)
        row: dict[str, Any] = {"digest": _digest(token), "site": self._records.site, "account": account.id}
        row |= {"created_at": act.at, "seen_at": act.at, "locked": False, "wrong_pins": 0}
        row["form_key"] = secrets.token_urlsafe(TOKEN_BYTES)
        writing.connection.execute(insert(sessions).values(row))
        writing.enter(act, Event.SIGNED_IN, account.actor, {"how": how})
        return token

    def _leave(self, writing: Writing, token: str, act: Act) -> None:
        """Somebody else signs in at the same browser, or the same one anew."""
        try:
            left = self._session(writing.connection, token, act.at).account
        except NotSignedIn:
            return
        writing.connection.execute(delete(sessions).where(*self._found(token)))
        writing.enter(left.principal.act(act.request, act.at), Event.SIGNED_OUT, left.actor)

    def session(self, token: str, now: datetime) -> Session:
        """The session of a token, locked or not. Raises NotSignedIn, StoreUnavailable."""
        with self._records.reading() as connection:
            return self._session(connection, token, now)

    def use(self, token: str, now: datetime) -> Session:
        """The session of a token; it counts as used. Raises NotSignedIn, SessionLocked, StoreUnavailable."""
        session = self.session(token, now)
        found = self._found(token)
        if session.is_locked(now):
            if not session.locked:  # for good, whatever the clock says next
                with self._records.noting() as connection:
                    connection.execute(update(sessions).where(*found).values(locked=True))
            raise SessionLocked
        if abs(now - session.seen_at) >= _NOTED_EVERY:
            with self._records.noting() as connection:
                connection.execute(update(sessions).where(*found).values(seen_at=now))
        return session

    def unlock(self, token: str, secret: str, act: Act) -> str:
        """Go on with a locked session, by PIN or password; its new token. Too many wrong ones end it.

        Raises NotSignedIn, WrongSecret, StoreUnavailable.
        """
        known = self._accounts.knows_secret(self.session(token, act.at).account, secret)
        with self._records.writing() as writing:
            writing.alone()
            session, found = self._session(writing.connection, token, act.at), self._found(token)
            if known:
                renewed = secrets.token_urlsafe(TOKEN_BYTES)
                row = {"digest": _digest(renewed), "seen_at": act.at, "locked": False, "wrong_pins": 0}
                writing.connection.execute(update(sessions).where(*found).values(row))
                writing.enter(act, Event.SESSION_UNLOCKED, session.account.actor)
                return renewed
            wrong = session.wrong_pins + 1
            ended = wrong >= MOST_WRONG
            counted = delete(sessions) if ended else update(sessions).values(wrong_pins=wrong, locked=True)
            writing.connection.execute(counted.where(*found))
            details = {"wrong": wrong, "ended": ended}
            writing.enter(act, Event.UNLOCK_FAILED, session.account.actor, details)
        raise NotSignedIn if ended else WrongSecret

    def lock(self, token: str, act: Act) -> None:
        """Lock a session at once. Raises NotSignedIn, StoreUnavailable."""
        with self._records.writing() as writing:
            writing.alone()
            session = self._session(writing.connection, token, act.at)
            if session.locked:
                writing.wrote_nothing = True
                return
            writing.connection.execute(update(sessions).where(*self._found(token)).values(locked=True))
            writing.enter(act, Event.SESSION_LOCKED, session.account.actor)

    def end(self, token: str, act: Act) -> None:
        """Sign out. Raises NotSignedIn, StoreUnavailable."""
        with self._records.writing() as writing:
            writing.alone()
            session = self._session(writing.connection, token, act.at)
            writing.connection.execute(delete(sessions).where(*self._found(token)))
            writing.enter(act, Event.SIGNED_OUT, session.account.actor)

    def end_all(self, act: Act) -> list[str]:
        """Sign everybody out at once, as after a theft: who it was, as actors. Raises StoreUnavailable."""
        mine = sessions.c.site == self._records.site
        whose = select(*COLUMNS).where(accounts.c.id.in_(select(sessions.c.account).where(mine)))
        with self._records.writing() as writing:
            writing.alone()
            rows = writing.connection.execute(whose.order_by(accounts.c.name)).all()
            signed_out = [account_of(row).actor for row in rows]
            writing.connection.execute(delete(sessions).where(mine))
            for actor in signed_out:
                writing.enter(act, Event.SIGNED_OUT, actor)
            writing.wrote_nothing = not signed_out
        return signed_out

    def _found(self, token: str) -> tuple[Any, ...]:
        return sessions.c.site == self._records.site, sessions.c.digest == _digest(token)

    def _session(self, connection: Connection, token: str, now: datetime) -> Session:
        own = (sessions.c.created_at.label("begun_at"), sessions.c.seen_at, sessions.c.locked)
        wanted = (
            select(*COLUMNS, *own, sessions.c.wrong_pins, sessions.c.form_key)
            .join(accounts, accounts.c.id == sessions.c.account)
            .where(*self._found(token))
        )
        row = connection.execute(wanted).first()
        if row is None or row.disabled_at is not None or abs(now - row.begun_at) >= LIFETIME:
            raise NotSignedIn
        return Session(account_of(row), row.begun_at, row.seen_at, row.locked, row.wrong_pins, row.form_key)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
