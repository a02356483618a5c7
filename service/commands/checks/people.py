"""Who may use the service, and who is told of what happens in it."""

from collections.abc import Iterator
from datetime import timedelta
from shlex import quote

from sqlalchemy import select

from service.access.keys import ApiKeys
from service.access.roles import Role
from service.commands.checks.finding import Finding, ok, warning, wrong
from service.commands.checks.installation import Installation
from service.records.tables import accounts as accounts_table
from service.terminal.words import counted
from service.webhooks.figures import Figures, figures

_SOON = timedelta(days=30)
_LATE = timedelta(minutes=15)


def accounts(here: Installation) -> Iterator[Finding]:
    """Whether anybody can sign in, and somebody can let others in."""
    records = here.records
    may_sign_in = (accounts_table.c.site == records.site, accounts_table.c.disabled_at.is_(None))
    with records.reading() as connection:
        roles = connection.scalars(select(accounts_table.c.role).where(*may_sign_in)).all()
    if not roles:
        yield warning("nobody has an account that lets them in", "dosegate users add NAME --role admin")
    elif Role.ADMIN.value not in roles:
        yield warning("nobody here is an admin, who lets others in", "dosegate users role NAME admin")
    else:
        yield ok(f"{counted(len(roles), 'person', 'people')} may sign in")


def api_keys(here: Installation) -> Iterator[Finding]:
    """Whether a machine client is about to be shut out, or was."""
    now, late = here.clock(), False
    for key in ApiKeys(here.records).all():
        if key.revoked_at is not None or key.expires_at > now + _SOON or key.expires_at < now - _SOON:
            continue
        late = True
        ends = "expired" if key.expires_at <= now else "expires"
        scopes = " ".join(f"--scope {scope}" for scope in key.scopes)
        yield warning(
            f"the API key {key.prefix} {ends} on {key.expires_at:%Y-%m-%d}: whoever uses it is refused then",
            f"dosegate keys add {quote(key.name)} {scopes}; give its token to the client, then "
            f"dosegate keys revoke {key.prefix}",
        )
    if not late:
        yield ok(f"no API key expires within {_SOON.days} days")


def deliveries(here: Installation) -> Iterator[Finding]:
    """Whether whoever is to be told of events is told."""
    now = here.clock()
    found = figures(here.records, now)
    if not found.told + found.paused:
        yield ok("nobody is to be told of events")
        return
    if found.told and not found.couriers:
        yield wrong(
            f"nobody delivers: {counted(found.told, 'endpoint')} will hear of nothing",
            "dosegate deliver, as a service of its own beside dosegate serve",
        )
    since = found.waiting_since
    late = since is not None and now - since > _LATE
    if late:
        yield warning(
            f"{counted(found.waiting, 'message')} waiting, the oldest since {since:%Y-%m-%d %H:%M}Z",
            "dosegate webhooks deliveries --state due says what the endpoints answered",
        )
    yield from _stopped(found)
    if found.couriers and not (late or found.dead or found.paused):
        by = counted(found.couriers, "process", "processes")
        yield ok(f"{counted(found.told, 'endpoint')} told of events, by {by}")


def _stopped(found: Figures) -> Iterator[Finding]:
    if found.dead:
        yield warning(
            f"{counted(found.dead, 'message')} given up",
            "dosegate webhooks deliveries --state dead; then dosegate webhooks replay --since TIME",
        )
    if found.paused:
        yield warning(
            f"{counted(found.paused, 'endpoint')} paused: what happens meanwhile waits for them",
            "dosegate webhooks list; then dosegate webhooks resume ID",
        )
