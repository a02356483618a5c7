"""Kinds of tampering, done in a transaction by somebody who owns the database, and undone again."""

import base64
import json
from contextlib import contextmanager
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from service.records.chain import documents
from service.records.export import line
from service.records.journal import digest_of
from service.records.signing import Keys, key_id, signed_bytes
from service.records.tables import metadata
from tests.databases import signing_key

SITE, OTHER = "main", "north"
_NEW = "'00000000-0000-4000-8000-000000000000'"
_AT = "2026-10-08T00:00:00.000000Z"


class Tampering:
    """The records in the hands of somebody who may do anything but sign."""

    def __init__(self, connection):
        self.connection = connection

    def run(self, statement, **values):
        return self.connection.execute(text(statement), values)

    def lines(self, site=SITE):
        """The lines of an export of what stands there now."""
        return [line(each) for each in documents(self.connection, site, _AT)]

    def entries(self):
        return [each["entry"] for each in map(json.loads, self.lines()) if "entry" in each]

    def checkpoint(self):
        [found] = [each["checkpoint"] for each in map(json.loads, self.lines()) if "checkpoint" in each]
        return found

    def write(self, entry, place=None):
        """Write an entry over the one that has its number, or the number `place`."""
        row = {**entry, "place": entry["sequence"] if place is None else place}
        row |= {name: json.dumps(entry[name]) for name in ("details", "commitments")}
        columns = ", ".join(f"{name} = :{name}" for name in entry if name != "site")
        self.run(f"UPDATE journal SET {columns} WHERE site = :site AND sequence = :place", **row)

    def add(self, before, number):
        """Add an entry behind another one, with a digest that fits it."""
        said = {"event": "checklist.viewed", "details": {}, "commitments": {}}
        entry = {**before, **said, "sequence": number, "previous": before["digest"]}
        entry["digest"] = digest_of(entry)
        row = {**entry, **{name: json.dumps(entry[name]) for name in ("details", "commitments")}}
        self.run(
            f"INSERT INTO journal ({', '.join(row)}) VALUES ({', '.join(f':{name}' for name in row)})", **row
        )

    def renumber(self, first, by, far=1000):
        """Give other numbers to the entries from `first` on, the head with them."""
        move = f"UPDATE journal SET sequence = sequence + :by WHERE {_SITE} AND sequence >= :first"
        self.run(move, by=far, first=first)
        self.run(move, by=by - far, first=far)
        self.run(f"UPDATE chains SET sequence = sequence + {by} WHERE {_SITE}")

    def exchange(self, one, other):
        """Let two entries change places."""
        for old, new in ((one, 0), (other, one), (0, other)):
            self.run(f"UPDATE journal SET sequence = {new} WHERE site = 'main' AND sequence = {old}")

    def cut(self, last, *, head):
        """Cut off what is behind an entry, and with `head` let the head say so."""
        self.run(f"DELETE FROM journal WHERE {_SITE} AND sequence > :last", last=last)
        if head:
            end = {name: self.entries()[-1][name] for name in ("sequence", "at", "digest")}
            self.run(
                f"UPDATE chains SET sequence = :sequence, at = :at, digest = :digest WHERE {_SITE}", **end
            )

    def rewrite(self, actor="user:eve"):
        """Write the whole chain again under another name; it is sound in itself. The entries by number."""
        previous, written = "sha256:" + 64 * "0", {}
        for entry in self.entries():
            changed = {**entry, "actor": actor if entry["event"] != "checklist.made" else entry["actor"]}
            changed |= {"previous": previous}
            changed["digest"] = previous = digest_of(changed)
            self.write(changed)
            written[entry["sequence"]] = changed
        self.run("UPDATE chains SET digest = :digest WHERE site = 'main'", digest=previous)
        return written

    def sign_again(self, written, private=None):
        """Let the checkpoint fit a rewritten chain, signed with another key where there is one."""
        signed = self.checkpoint()
        signed["digest"] = written[signed["sequence"]]["digest"]
        if private:
            signed["key"] = key_id(private.public_key().public_bytes_raw())
            signed["signature"] = base64.b64encode(private.sign(signed_bytes(signed))).decode()
        changed = {name: signed[name] for name in ("digest", "key", "signature")}
        to = ", ".join(f"{name} = :{name}" for name in changed)
        self.run(f"UPDATE checkpoints SET {to} WHERE {_SITE}", **changed)

    def swap_sites(self):
        """Let two sites change names, in all that is theirs."""
        for table in ("chains", "journal", "checkpoints", "checklists", "contents", "remarks"):
            for old, new in ((SITE, "x"), (OTHER, SITE), ("x", OTHER)):
                self.run(f"UPDATE {table} SET site = :new WHERE site = :old", old=old, new=new)


@contextmanager
def tampering(database):
    """The records without guards, for a while: afterwards they are as they were."""
    with database.engine.connect() as connection, connection.begin() as all_of_it:
        if database.is_sqlite:
            connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
            names = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            for (name,) in names.all():
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
        else:
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        yield Tampering(connection)
        all_of_it.rollback()


def sql(statement):
    return lambda t: t.run(statement)


def set_column(table, column, value, where):
    return sql(f'UPDATE {table} SET "{column}" = {value} WHERE {where}')


def of_column(what, table, where, values):
    """A line of the table for each column."""
    return [
        (f"{what}: {column}", set_column(table, column, value, where), kinds)
        for column, (value, kinds) in values.items()
    ]


def copied(table, where, **values):
    """Slip in a copy of a row under another id."""
    key, *others = metadata.tables[table].c.keys()
    columns = ", ".join(f'"{name}"' for name in others)
    taken = ", ".join(values.get(name, f'"{name}"') for name in others)
    return sql(f"INSERT INTO {table} ({key}, {columns}) SELECT {_NEW}, {taken} FROM {table} WHERE {where}")


def _delete_and_renumber(t):
    t.run("DELETE FROM journal WHERE site = 'main' AND sequence = 10")
    t.renumber(11, -1)


def _insert_and_renumber(t):
    before = t.entries()[9]
    t.renumber(11, 1)
    t.add(before, 11)


def _append(t):
    t.add(t.entries()[-1], 14)


def _forge(t):
    t.add(t.entries()[-1], 14)
    t.cut(14, head=True)


def _fit_one(t):
    entry = {**t.entries()[9], "actor": "user:eve"}
    t.write({**entry, "digest": digest_of(entry)})


def _cut_to_checkpoint(t):
    kept = t.checkpoint()
    t.cut(8, head=True)
    t.run(f"UPDATE chains SET key = :key, signature = :signature WHERE {_SITE}", **kept)


def _cut_to_old_head(t):
    t.cut(11, head=True)
    end = t.entries()[-1]
    old = Keys.read(signing_key()).head(SITE, 11, datetime.fromisoformat(end["at"]), end["digest"])
    t.run(f"UPDATE chains SET signature = :signature WHERE {_SITE}", signature=old.signature)


def _move_remark(t):
    """Say that another patient was meant, and keep the right one where words are."""
    parts = json.dumps({"comment": "said of MRN-2", "patient": "MRN-2"})
    t.run(f"UPDATE remarks SET patient = 'MRN-3', parts = :parts WHERE {_REMARK}", parts=parts)


def _hide_erasure(t):
    nothing = json.dumps({"checklists": [], "remarks": [], "drafts": 0, "reason": "other"})
    t.run("UPDATE journal SET details = :nothing WHERE event = 'patient.erased'", nothing=nothing)


def _rewrite_unsigned(t):
    t.rewrite()
    t.run(f"DELETE FROM checkpoints WHERE {_SITE}")


def _rewrite_with_another_key(t):
    t.sign_again(t.rewrite(), Ed25519PrivateKey.generate())


def _cut_all(t):
    t.run(f"DELETE FROM checkpoints WHERE {_SITE}")
    t.cut(7, head=True)


_SITE = "site = 'main'"
_THIRD = f"{_SITE} AND sequence = 3"
_FIFTH = f"IN (SELECT subject FROM journal WHERE {_SITE} AND sequence = 5)"
_CONTENT, _CHECKLIST = f"checklist {_FIFTH}", f"id {_FIFTH}"
_REMARK = f"patient = 'MRN-2' AND {_SITE}"
_FLAG = f"checklist {_FIFTH} AND rule = 'pml-b'"
_OF = f"FROM flagged WHERE {_FLAG}"
_OTHER_WORDS = """'{"comment": "never said"}'"""

# What is done, how, and the kinds of faults that are named. With `+` somebody held the last checkpoint.
TABLE = [
    ("nothing at all", lambda t: None, ""),
    *of_column("entry edited", "journal", _THIRD, {
        "at": ("'2026-10-06T18:02:00.000006Z'", "edited"),
        "event": ("'checklist.viewed'", "edited, orphan, missing contents"),
        "actor": ("'user:eve'", "edited"),
        "role": ("'admin'", "edited"),
        "subject": ("'someone'", "edited, orphan, missing contents"),
        "request": ("'x'", "edited"),
        "details": ("'{}'", "edited"),
        "commitments": ("'{}'", "edited, altered contents"),
        "previous": ("'sha256:x'", "edited"),
        "digest": ("'sha256:x'", "edited"),
    }),
    ("entry edited, its digest made to fit", _fit_one, "edited"),
    ("erasure edited to list nothing", _hide_erasure, "edited, missing contents"),
    ("entry deleted", sql("DELETE FROM journal WHERE site = 'main' AND sequence = 10"), "deleted"),
    ("entry deleted, the rest renumbered", _delete_and_renumber, "deleted, reordered, bad signature"),
    ("entry inserted, the rest renumbered", _insert_and_renumber, "inserted, reordered, bad signature"),
    ("entry inserted behind the head", _append, "inserted"),
    ("entry forged at the end, head too", _forge, "bad signature"),
    ("neighbours exchanged", lambda t: t.exchange(10, 11), "reordered"),
    ("entries exchanged", lambda t: t.exchange(10, 12), "reordered"),
    ("end cut off, the head left", lambda t: t.cut(11, head=False), "truncated"),
    ("cut off before the checkpoint, head too", lambda t: t.cut(7, head=True),
     "truncated, missing contents, bad signature"),
    ("end cut off behind the checkpoint, head too", lambda t: t.cut(11, head=True), "bad signature"),
    ("end cut off, the checkpoint made the head", _cut_to_checkpoint, "missing contents, bad signature"),
    ("end cut off, an old signed head put back", _cut_to_old_head, ""),
    ("+ end cut off, an old signed head put back", _cut_to_old_head, "truncated"),
    ("end cut off, with checkpoint and head", _cut_all, "missing contents, bad signature"),
    ("+ end cut off, with checkpoint and head", _cut_all, "missing contents, truncated, bad signature"),
    ("two sites swapped", lambda t: t.swap_sites(), "swapped chain, bad signature"),
    ("chain rewritten without the key", lambda t: t.rewrite(), "rewritten without the key, bad signature"),
    ("chain rewritten, checkpoint made to fit", lambda t: t.sign_again(t.rewrite()), "bad signature"),
    ("chain rewritten, checkpoint deleted", _rewrite_unsigned, "deleted, bad signature"),
    ("+ chain rewritten, checkpoint deleted", _rewrite_unsigned,
     "deleted, rewritten without the key, bad signature"),
    ("chain rewritten, signed with another key", _rewrite_with_another_key, "bad signature"),
    *of_column("content altered", "contents", _CONTENT, {
        "patient": ("'MRN-9'", "altered contents"),
        "infusion_at": ("'2026-10-07T14:00:00-05:00'", "altered contents"),
        "infusion_utc": ("'2026-10-06T19:00:01.000000Z'", "altered contents"),
        "salt": ("request", "altered contents"),
        "request": ("trace", "altered contents"),
        "result": ("trace", "altered contents"),
        "trace": ("result", "altered contents"),
        "site": ("'north'", "missing contents"),
    }),
    ("content deleted without erasure", sql(f"DELETE FROM contents WHERE {_CONTENT}"), "missing contents"),
    ("content without an entry", copied("contents", _CONTENT), "orphan"),
    ("remark altered", set_column("remarks", "parts", _OTHER_WORDS, _REMARK), "altered contents"),
    ("remark moved to another patient", _move_remark, "altered contents"),
    ("remark moved to nobody", set_column("remarks", "patient", "NULL", _REMARK), "altered contents"),
    ("remark deleted without erasure", sql(f"DELETE FROM remarks WHERE {_REMARK}"), "missing contents"),
    ("remark without an entry", copied("remarks", _REMARK), "orphan"),
    *of_column("checklist altered", "checklists", _CHECKLIST, {
        "created_at": ("'2026-10-06T18:04:00.000006Z'", "edited"),
        "drug": ("'ibalizumab'", "edited"),
        "status": ("'block'", "edited"),
        "actor": ("'user:eve'", "edited"),
        "pack": ("'sha256:x'", "edited"),
        "knowledge": ("'sha256:x'", "edited"),
        "policy": ("'sha256:x'", "edited"),
        "supersedes": (_NEW, "edited"),
        "site": ("'north'", "edited"),
    }),
    *of_column("flag altered", "flagged", _FLAG, {
        "rule": ("'pml-c'", "edited"),
        "check": ("'hepatitis_b'", "edited"),
        "verdict": ("'holds'", "edited"),
        "status": ("'pass'", "edited"),
    }),
    ("flag deleted", sql(f"DELETE FROM flagged WHERE {_FLAG}"), "edited"),
    ("flag added", sql(f"INSERT INTO flagged SELECT checklist, 'x', 'pml', verdict, status {_OF}"), "edited"),
    ("checklist deleted", sql(f"DELETE FROM checklists WHERE {_CHECKLIST}"), "edited"),
    ("checklist without an entry", copied("checklists", _CHECKLIST, supersedes="NULL"), "orphan"),
    *of_column("checkpoint edited", "checkpoints", _SITE, {
        "at": ("'2026-10-07T18:07:00.000006Z'", "bad signature"),
        "digest": ("'sha256:x'", "bad signature"),
        "key": ("'x'", "bad signature"),
        "signature": ("''", "bad signature"),
        "sequence": ("9", "bad signature, deleted"),
    }),
    ("checkpoint deleted", sql(f"DELETE FROM checkpoints WHERE {_SITE}"), "deleted"),
    ("stored pack altered", set_column("knowledge", "files", "replace(files, 'a', 'b')", "1 = 1"), "edited"),
    ("stored pack deleted", sql("DELETE FROM knowledge"), "deleted"),
    ("stored policy altered", set_column("policies", "text", "text || ' '", "1 = 1"), "edited"),
    *of_column("head edited", "chains", _SITE, {
        "sequence": ("20", "bad signature"),
        "at": ("'2026-10-09T18:00:00.000000Z'", "bad signature"),
        "digest": ("'sha256:x'", "bad signature"),
        "key": ("'x'", "bad signature"),
        "signature": ("''", "bad signature"),
    }),
    ("head deleted", sql(f"DELETE FROM chains WHERE {_SITE}"), "inserted, bad signature"),
]  # fmt: skip
