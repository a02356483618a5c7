"""The key that signs the journal, and how far the journal is signed."""

import stat
from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import select

from service.commands.checks.finding import CannotTell, Finding, ok, warning, wrong
from service.commands.checks.installation import Installation
from service.records.journal import NOTHING_BEFORE
from service.records.signing import BadKeyFile, Checkpoint, Keys, as_head
from service.records.site import CHECKPOINT_EVERY
from service.records.tables import chains, journal
from service.settings import KEYS, SITE
from service.webhooks.figures import figures

_LONG = timedelta(days=7)
_VERIFY = "dosegate verify tells what was altered; then restore a backup (docs/upkeep.md)"


def signing_key(here: Installation) -> Iterator[Finding]:
    """Whether there is a key that signs, and nobody else can read it."""
    path = here.value(KEYS)
    if not path.exists():
        yield _no_key(here)
        return
    open_to = path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    if open_to:
        yield wrong(
            f"others than its owner can use {path}: whoever reads it can sign a journal of their own making",
            f"chmod 600 {path}",
        )
    try:
        keys = Keys.read(path)
        signed = keys.head("doctor", 0, here.clock(), NOTHING_BEFORE)
    except BadKeyFile as error:
        yield wrong(str(error), f"put the file back from where it is kept safe, then chmod 600 {path}")
        return
    if not Keys(keys.public).verifies(as_head(signed.document())):
        yield wrong(f"what {path} signs does not verify", "put the file back from where it is kept safe")
    elif not open_to:
        yield ok(f"key {keys.signer} signs, and only its owner can read it")


def _no_key(here: Installation) -> Finding:
    path = here.value(KEYS)
    try:
        begun = here.records is not None
    except CannotTell:
        begun = False
    if begun:
        return wrong(
            f"{path} is gone, and the journal is signed with what it held: the service does not start",
            f"put it back from where it is kept safe, then chmod 600 {path}",
        )
    return warning("there is no signing key yet", "dosegate serve makes it: keep a copy in a safe place then")


def head(here: Installation) -> Iterator[Finding]:
    """Whether the site has a chain, and its end is what one of the keys signed."""
    if (site := here.value(SITE)) not in here.sites:
        yield _not_begun(site, here.sites)
        return
    records, keys = here.records, here.keys
    with records.reading() as connection:
        row = connection.execute(select(chains).where(chains.c.site == records.site)).one()
    found = Checkpoint(**row._mapping)
    if keys.signed_head(found):
        yield ok(f"the journal ends with entry {found.sequence}, signed by key {found.key}")
    elif found.key in keys.public:
        yield wrong(f"the end of the journal is not what key {found.key} signed", _VERIFY)
    else:
        yield wrong(
            f"the end of the journal is signed by key {found.key}, which is not in {here.value(KEYS)}: "
            "nothing can be recorded",
            f"add the public key {found.key} to {here.value(KEYS)}",
        )


def _not_begun(site: str, others: list[str]) -> Finding:
    if others:
        return wrong(
            f"the site {site} has no journal here; there is one of {', '.join(others)}",
            f"set {SITE}={others[0]} where that is meant; for another site: dosegate serve begins its own",
        )
    return warning(f"the site {site} has no journal yet", "dosegate serve begins it")


def checkpoint(here: Installation) -> Iterator[Finding]:
    """Whether what was entered is signed for good: with each 100th entry, and the first one of a day."""
    now, records = here.clock(), here.records
    found = figures(records, now)
    last = found.checkpoint_at
    with records.reading() as connection:
        own = (journal.c.site == records.site, journal.c.sequence == 1)
        first = connection.scalar(select(journal.c.at).where(*own)) or found.head_at
    if last is None and found.entries < CHECKPOINT_EVERY and first.date() == found.head_at.date():
        yield ok(f"no checkpoint is due yet: the journal has {found.entries} entries, of one day")
    elif last is None or last.date() < found.head_at.date():
        yield wrong("the last checkpoint of the journal is missing", _VERIFY)
    elif now - last > _LONG:
        yield warning(
            f"the last checkpoint is {(now - last).days} days old: nothing was entered on any day since",
            "see that the service is used and is this one; dosegate journal checkpoint prints a new one",
        )
    else:
        yield ok(f"the last checkpoint is of {last:%Y-%m-%d %H:%M}Z")
