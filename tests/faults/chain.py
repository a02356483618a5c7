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
    with closing(Database(url)) as database, database.reading() as connection:
        return verify(documents(connection, site, "now"), Keys.read(signing_key()))


def rows(url, table, site):
    """All rows of a table that are of this site."""
    with closing(Database(url)) as database, database.reading() as connection:
        return connection.execute(select(table).where(table.c.site == site)).all()


def sound(url, site="main"):
    """The entries of a chain that has no gap, no fork and no edit, with every checkpoint that was due."""
    entries = sorted(rows(url, journal, site), key=lambda entry: entry.sequence)
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
    [head] = rows(url, chains, site)
    assert (head.sequence, head.digest, head.at) == (len(entries), before, entries[-1].at)
    _signed(url, site, entries, due)
    _opens(url, site, entries)
    assert verified(url, site).faults == []
    return entries


def _signed(url, site, entries, due):
    keys, made = Keys.read(signing_key()), rows(url, checkpoints, site)
    for each in made:
        entry = entries[each.sequence - 1]
        assert (each.digest, each.at) == (entry.digest, entry.at)
        assert keys.verifies({**each._asdict(), "at": moment_text(each.at)})
    assert due <= {each.sequence for each in made} <= due | {1}


def _opens(url, site, entries):
    """Every checklist has one entry that commits to all of it, and no entry is without its checklist."""
    made = {entry.subject: entry for entry in entries if entry.event == "checklist.made"}
    kept = {row.checklist: row for row in rows(url, contents, site)}
    assert made.keys() == kept.keys() == {row.id for row in rows(url, checklists, site)}
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
