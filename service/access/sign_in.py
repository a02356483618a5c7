"""Signing in by name and password: the same words and the same work, whatever was wrong.

Failures are counted in three buckets: an account at one address, one address, and an account over all
addresses. One address is not counted where it is this machine's own: a proxy has it, or everybody.

A device on which somebody has signed in before is told so by a cookie, and has a bucket of its own for that
person at each address: who tries a colleague's name from elsewhere keeps no colleague out (OWASP: device
cookies), with a copy of the cookie neither. After many failures over all addresses it counts as unknown.
"""

import hmac
import re
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from service.access.account import Account, NoSuchAccount
from service.access.accounts import Accounts
from service.access.addresses import counted_as, is_loopback
from service.access.sessions import Sessions
from service.access.throttle import Bucket, Throttle
from service.records.journal import Act, Event
from service.records.site import SiteRecords, Writing

FROM_ONE_ADDRESS, AT_ONE_ADDRESS, OVER_ALL_ADDRESSES = 5, 50, 25
AT_A_KNOWN_DEVICE, BY_COPIES_OF_A_DEVICE = 10, 30
MOST_PEOPLE = 20
NOBODY = "unknown"

_DEVICE = re.compile(rf"[0-9a-f]{{32}}(\.[0-9a-f]{{32}}){{0,{MOST_PEOPLE}}}")


class SignInFailed(Exception):
    """No account of this name, a wrong password, or an account that is disabled: it is not said which."""


@dataclass(frozen=True)
class Attempt:
    """What somebody typed, from which address, and what the browser holds.

    `device` is what it was told when somebody signed in there, `session` the token of a session.
    """

    name: str
    password: str
    address: str
    device: str | None = None
    session: str | None = None

    @property
    def folded(self) -> str:
        """The name as accounts have theirs."""
        return unicodedata.normalize("NFKC", self.name).strip().casefold()


@dataclass(frozen=True)
class SignedIn:
    """Who signed in, the token of the session, and what to tell the device."""

    account: Account
    token: str
    device: str


class SignIn:
    """The door of one site."""

    def __init__(self, records: SiteRecords, accounts: Accounts, sessions: Sessions) -> None:
        self._records, self._accounts, self._sessions = records, accounts, sessions
        self._throttle = Throttle(records)

    def by_password(self, attempt: Attempt, act: Act) -> SignedIn:
        """Let somebody in. Raises SignInFailed, TooManyFailures, StoreUnavailable."""
        with self._records.reading() as connection:
            buckets = self._buckets(connection, attempt, act.at)
            self._throttle.check(connection, buckets.values(), act.at)
        account = self._account(attempt.folded)
        known = self._accounts.knows_password(account, attempt.password)
        with self._records.writing() as writing:
            writing.alone()
            # Once more: of many tries at once, those over the limit have failed meanwhile.
            buckets = self._buckets(writing.connection, attempt, act.at)
            self._throttle.check(writing.connection, buckets.values(), act.at)
            if known and account is not None and account.disabled_at is None:
                self._throttle.succeeded(writing.connection, _own(buckets))
                own = account.principal.act(act.request, act.at)
                token = self._sessions.enter(writing, account, own, "password", attempt.session)
                return SignedIn(account, token, self._told(attempt))
            self._failed(writing, buckets, account, act)
        raise SignInFailed

    def _failed(
        self, writing: Writing, buckets: dict[str, Bucket], account: Account | None, act: Act
    ) -> None:
        self._throttle.failed(writing.connection, buckets.values(), act.at)
        full = [
            name
            for name, bucket in buckets.items()
            if self._throttle.is_full(writing.connection, bucket, act.at)
        ]
        details: dict[str, object] = {"how": "password"}
        if full:
            details["limit_reached"] = full
        if account is not None and account.disabled_at is not None:
            details["disabled"] = True
        # A name that is no account's is not kept: people type passwords where the name belongs.
        writing.enter(act, Event.SIGN_IN_FAILED, account.actor if account else NOBODY, details)

    def _account(self, name: str) -> Account | None:
        """The account of a name; a text that can be no name is sought nowhere."""
        try:
            return self._accounts.by_name(name)
        except NoSuchAccount:
            return None

    def _buckets(self, connection: Connection, attempt: Attempt, now: datetime) -> dict[str, Bucket]:
        name, address, bucket = attempt.folded, counted_as(attempt.address), self._throttle.bucket
        nonce, *tags = _device(attempt)
        if any(hmac.compare_digest(tag, self._tag(nonce, name)) for tag in tags):
            copies = bucket(BY_COPIES_OF_A_DEVICE, "device", nonce, name)
            if not self._throttle.is_full(connection, copies, now):
                here = bucket(AT_A_KNOWN_DEVICE, "device at address", nonce, name, address)
                return {"device at address": here, "device": copies}
        buckets = {
            "account at address": bucket(FROM_ONE_ADDRESS, "account at address", name, address),
            "account": bucket(OVER_ALL_ADDRESSES, "account", name),
        }
        if not is_loopback(attempt.address):
            buckets["address"] = bucket(AT_ONE_ADDRESS, "address", address)
        return buckets

    def _told(self, attempt: Attempt) -> str:
        """What the device is told now: whom it knows, this one first."""
        nonce, *tags = _device(attempt)
        own = self._tag(nonce, attempt.folded)
        return ".".join([nonce, own, *(tag for tag in tags if tag != own)][: MOST_PEOPLE + 1])

    def _tag(self, nonce: str, name: str) -> str:
        """Says that this account has signed in on this device; nobody else can make one."""
        return self._throttle.digest("known device", nonce, name)[:32]


def _device(attempt: Attempt) -> list[str]:
    """A device's own number, and the tags of those it knows."""
    if attempt.device is not None and _DEVICE.fullmatch(attempt.device):
        return attempt.device.split(".")
    return [secrets.token_hex(16)]


def _own(buckets: dict[str, Bucket]) -> list[Bucket]:
    """Those that a success empties: not one that an attacker with an account of his own could then reset."""
    return [bucket for name, bucket in buckets.items() if name.endswith(" at address")]
