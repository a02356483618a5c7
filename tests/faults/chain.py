"""The chain of a site, checked without the code that made it; what it says was made."""

import hashlib
import hmac
import json
from contextlib import closing

from sqlalchemy import select

from service.records.chain import documents
from service.records.database import Database
from service.records.signing import Keys
from service.records.site import CHECKPOINT_EVERY
from service.records.tables import (
    chains,
    checklists,
    checkpoints,
    contents,
    idempotency,
    journal,
    moment_text,
)
from service.records.verify import verify
from tests.databases import signing_key

COMMITTED = ("patient", "infusion_at", "request", "result", "trace")


def verified(url, site="main"):
    """What the service's own verification says."""
    with closing(Database(url)) as database, database.snapshot() as connection:
        return _verified(connection, site)


def _verified(connection, site):
    return verify(documents(connection, site, "now"), Keys.read(signing_key()))


def _rows(connection, table, site):
    """All rows of a table that are of this site."""
    return connection.execute(select(table).where(table.c.site == site)).all()


def rows(url, table, site):
    """All rows of a table that are of this site."""
    with closing(Database(url)) as database, database.reading() as connection:
        return _rows(connection, table, site)


def sound(url, site="main"):
    """The entries of a chain that has no gap, no fork and no edit, with every checkpoint that was due.

    All is read as it was at one moment: somebody may write meanwhile.
    """
    with closing(Database(url)) as database, database.snapshot() as connection:
        entries = _sound(connection, site)
        _opens(connection, site, entries)
        assert _verified(connection, site).faults == []
    return entries


def _sound(connection, site):
    entries = sorted(_rows(connection, journal, site), key=lambda entry: entry.sequence)
    assert [entry.sequence for entry in entries] == list(range(1, len(entries) + 1))
    before, due = "sha256:" + 64 * "0", set()
    for entry in entries:
        document = {**entry._asdict(), "at": moment_text(entry.at)}
        assert document.pop("previous") == before
        text = json.dumps(
            {**document, "previous": before, "digest": None}, sort_keys=True, separators=(",", ":")
        )
        hashed = text.replace('"digest":null,', "", 1).encode("ascii")
        before = f"sha256:{hashlib.sha256(hashed).hexdigest()}"
        assert document["digest"] == before
        day_began = entry.sequence > 1 and entries[entry.sequence - 2].at.date() != entry.at.date()
        if entry.sequence % CHECKPOINT_EVERY == 0 or day_began:
            due.add(entry.sequence)
    [head] = _rows(connection, chains, site)
    assert (head.sequence, head.digest, head.at) == (len(entries), before, entries[-1].at)
    _signed(connection, site, entries, due)
    return entries


def _signed(connection, site, entries, due):
    keys, made = Keys.read(signing_key()), _rows(connection, checkpoints, site)
    for each in made:
        entry = entries[each.sequence - 1]
        assert (each.digest, each.at) == (entry.digest, entry.at)
        assert keys.verifies({**each._asdict(), "at": moment_text(each.at)})
    assert due <= {each.sequence for each in made} <= due | {1}


def _opens(connection, site, entries):
    """Every checklist has one entry that commits to all of it, and no entry is without its checklist."""
    made = {entry.subject: entry for entry in entries if entry.event == "checklist.made"}
    kept = {row.checklist: row for row in _rows(connection, contents, site)}
    assert made.keys() == kept.keys() == {row.id for row in _rows(connection, checklists, site)}
    for id, row in kept.items():
        for part in COMMITTED:
            value = getattr(row, part)
            content = value if isinstance(value, bytes) else value.encode()
            keyed = hmac.new(row.salt, part.encode() + b"\0" + content, hashlib.sha256)
            assert made[id].commitments[part] == f"hmac-sha256:{keyed.hexdigest()}"


def by_key(url, site="main"):
    """The stored result of each idempotency key."""
    made = select(idempotency.c.key, contents.c.result).join(
        contents, contents.c.checklist == idempotency.c.checklist
    )
    with closing(Database(url)) as database, database.reading() as connection:
        return {row.key: row.result for row in connection.execute(made.where(idempotency.c.site == site))}
