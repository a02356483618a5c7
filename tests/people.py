"""People who are signed in, for tests: each an account of its own, with a session in a test client."""

import uuid

from argon2 import PasswordHasher

from service.access import passwords
from service.access.roles import Role
from service.records.journal import Act
from service.web.guard import COOKIE

PASSWORD = "wisteria over the old porch"
PIN = "271828"
BROWSER = {"HTTP_SEC_FETCH_SITE": "same-origin", "HTTP_ACCEPT": "text/html,application/xhtml+xml,*/*;q=0.8"}

passwords.HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def an_account(app, role, name=None):
    """A new account of that role, with PASSWORD and PIN."""
    parts, name = app.extensions["dosegate"], name or f"{Role(role)}-{uuid.uuid4().hex[:8]}"
    act = Act("cli:setup", "operator", "setup", parts.clock())
    return parts.accounts.add(name, f"{name.title()} of the Test", Role(role), PASSWORD, act, pin=PIN)


def signed_in(app, role, name=None):
    """A client with a session of a new account of that role; `client.account` is the account."""
    parts, account = app.extensions["dosegate"], an_account(app, role, name)
    act = account.principal.act("signing-in", parts.clock())
    return browser(app, account, parts.sessions.begin(account, act))


def browser(app, account=None, token=None):
    """A client that sends what a browser sends from a page of ours, and a session's cookie."""
    client = app.test_client()
    client.environ_base.update(BROWSER)
    client.account = account
    if token is not None:
        client.set_cookie(COOKIE, token, secure=True, httponly=True, samesite="Strict")
    return client
