"""Verifying a chain: what is altered, removed or slipped in is found and named, also by the auditor's file.

The table of tampering is shown by: pytest -s tests/records/test_verify.py
"""

import gc
import json
import subprocess
import sys
import tracemalloc
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import insert

from service.records.chain import documents
from service.records.database import Database, StoreUnavailable
from service.records.export import line
from service.records.journal import NOTHING_BEFORE, Act, Event, link
from service.records.signing import Keys
from service.records.site import CHECKPOINT_EVERY, SiteRecords
from service.records.tables import checkpoints, journal, moment_text
from service.records.verify import documents_in, verify
from tests.records.chains import ALONE, bare_chain, by_itself, checkpoint_of, said_alone, trusted, write_chain
from tests.records.tampering import OTHER, SITE, TABLE, tampering


def verified(lines, keys, held=()):
    """The report on an export; the auditor's file says the same of it."""
    report = verify(documents_in(lines), keys, held)
    assert said_alone(lines, keys, held) == [str(fault) for fault in report.faults]
    return report


@pytest.fixture
def thirteen(settings, a_checklist, basis):
    """A database with two chains of 13 entries."""
    for site in (OTHER, SITE):
        write_chain(settings, site, a_checklist, basis)
    with closing(Database(settings.database)) as database:
        yield database


def test_every_kind_of_tampering_is_found_and_named(settings, thirteen, database_kind):
    keys, wrong = trusted(settings.keys), []
    with tampering(thirteen) as records:
        report = verified(records.lines(), keys)
        outside = checkpoint_of(records.entries()[-1], Keys.read(settings.keys))
    assert (report.entries, report.opened, report.erased, report.checkpoints) == (13, 3, 3, 2)
    assert (report.verified, report.signed) == (13, 13)
    print(f"\n\nTampering on {database_kind}: what verify and docs/verify_journal.py both say")
    for what, tamper, kinds in TABLE:
        with tampering(thirteen) as records:
            tamper(records)
            report = verified(records.lines(), keys, [outside] if what.startswith("+") else [])
        print(f"\n{what}\n" + "\n".join(f"    {each}" for each in report.faults or ["nothing is found"]))
        if {each.kind for each in report.faults} != {*filter(None, kinds.split(", "))}:
            wrong.append((what, kinds, [*map(str, report.faults)]))
    assert wrong == []


@pytest.mark.parametrize(
    "change", ["sequence = 0", f"digest = '{NOTHING_BEFORE}'", "signature = ''", "checkpoint"]
)
def test_nothing_is_entered_behind_a_head_that_was_tampered_with(records, unguarded, act, change):
    """It would be signed, and with it what somebody else wrote."""
    with records.writing() as writing:
        writing.checkpoint(writing.enter(act, Event.SIGNED_IN, "nina"))
    records.enter(act, Event.SIGNED_OUT, "nina")
    if change == "checkpoint":
        names = "sequence, at, digest, key, signature"
        change = f"({names}) = (SELECT {names} FROM checkpoints ORDER BY sequence DESC LIMIT 1)"
    unguarded(f"UPDATE chains SET {change}")
    for attempt in (records.prove, lambda: records.enter(act, Event.SIGNED_IN, "nina")):
        with pytest.raises(StoreUnavailable, match=r"not what key [0-9a-f]+ signed: type dosegate verify"):
            attempt()


def test_another_key_goes_on_where_the_one_before_is_still_known(settings, records, act):
    records.enter(act, Event.SIGNED_IN, "nina")
    new = Keys({}, Ed25519PrivateKey.generate())
    new.public[new.signer] = new.private.public_key().public_bytes_raw()
    with pytest.raises(StoreUnavailable, match="is not in the file of signing keys: add its public key"):
        SiteRecords(records.database, records.site, new).enter(act, Event.SIGNED_OUT, "nina")
    new.public.update(records.keys.public)
    SiteRecords(records.database, records.site, new).enter(act, Event.SIGNED_OUT, "nina")
    with records.database.snapshot() as connection:
        exported = [line(each) for each in documents(connection, records.site, moment_text(FIRST))]
    assert verified(exported, new).faults == []
    [fault] = verified(exported, trusted(settings.keys)).faults
    assert str(fault).startswith(f"bad signature: the head of entry 2 is not signed by key {new.signer}")


def test_a_chain_without_an_entry_is_verified(settings, records):
    with records.database.snapshot() as connection:
        exported = [line(each) for each in documents(connection, records.site, moment_text(FIRST))]
    report = verified(exported, trusted(settings.keys))
    assert (report.faults, report.entries, report.signed) == ([], 0, 0)
    other = json.loads(exported[-1])
    other["head"]["digest"] = "sha256:x"
    [fault] = verified([*exported[:-1], line(other)], trusted(settings.keys)).faults
    assert fault.kind == "bad signature"


def test_of_checkpoints_held_of_the_same_entry_each_is_checked():
    documents = bare_chain([signed_in(0), signed_in(1)], KEYS)
    good = checkpoint_of(documents[1]["entry"], KEYS)
    other = checkpoint_of({**documents[1]["entry"], "digest": "sha256:x"}, KEYS)
    for held in ([good, other], [other, good]):
        [fault] = verified([line(each) for each in documents], KEYS, held).faults
        assert fault.kind == "rewritten without the key"


# ---------------------------------------------------------------- chains of any shape

KEYS = Keys({}, Ed25519PrivateKey.generate())
KEYS.public[KEYS.signer] = KEYS.private.public_key().public_bytes_raw()
FIRST = datetime(2026, 1, 1, 12, tzinfo=UTC)
BARE = [each for each in Event if each not in (Event.CHECKLIST_MADE, Event.PATIENT_ERASED)]
WORDS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), max_size=12)
VALUES = st.one_of(WORDS, st.integers(-(2**53) + 1, 2**53 - 1), st.booleans())
SAID = st.fixed_dictionaries(
    {
        "at": st.integers(0, 90_000).map(lambda seconds: FIRST + timedelta(seconds=seconds)),
        "event": st.sampled_from(BARE),
        **dict.fromkeys(("actor", "role", "subject", "request"), WORDS),
        "details": st.dictionaries(st.sampled_from(["one", "two", "three"]), VALUES, max_size=3),
    }
)
CHAINS = st.lists(SAID, min_size=2, max_size=5)
CHANGED = st.one_of(VALUES, st.none(), st.floats(allow_nan=False), st.lists(VALUES, max_size=2))
few = partial(hypothesis_settings, derandomize=True, database=None, deadline=None)


def lines_of(said):
    return [line(each) for each in bare_chain(said, KEYS)]


def signed_in(seconds):
    names = dict.fromkeys(("actor", "role", "subject", "request"), "x")
    return {"at": FIRST + timedelta(seconds=seconds), "event": Event.SIGNED_IN, "details": {}, **names}


@given(CHAINS, st.data())
@few(max_examples=50)
def test_any_change_of_any_field_of_any_entry_is_found(said, data):
    documents = bare_chain(said, KEYS)
    entry = documents[data.draw(st.integers(1, len(said)))]["entry"]
    field = data.draw(st.sampled_from(sorted(entry)))
    entry[field] = data.draw(CHANGED.filter(lambda new: line({"": new}) != line({"": entry[field]})))
    assert verified([line(each) for each in documents], KEYS).faults


def test_a_number_that_only_equals_the_right_one_is_found():
    for changed in (True, 1.0, "1"):
        documents = bare_chain([signed_in(0), signed_in(1)], KEYS)
        documents[1]["entry"]["sequence"] = changed
        assert verified([line(each) for each in documents], KEYS).faults


@given(CHAINS, st.data())
@few(max_examples=15)
def test_any_entry_left_out_doubled_or_moved_is_found(said, data):
    lines = lines_of(said)
    assert verified(lines, KEYS).faults == []
    one, other = (data.draw(st.integers(1, len(said))) for _ in range(2))
    without = lines[:one] + lines[one + 1 :]
    for changed in (
        without,
        [*without[:other], lines[one], *without[other:]],
        [*lines[:other], *lines[one:]],
    ):
        assert changed == lines or verified(changed, KEYS).faults


def test_a_clock_that_steps_back_is_noted_and_is_no_fault():
    report = verified(lines_of([signed_in(0), signed_in(60), signed_in(59)]), KEYS)
    assert report.faults == []
    assert report.notes[0].startswith("the clock stepped back: entry 3 (account.signed_in, x)")


@pytest.mark.parametrize(
    "broken", [b"", b"{}\n", b"[]\n", b"no json\n", b'{"entry": {"sequence": "1"}}\n', b'{"header": 5}\n']
)
def test_what_is_no_export_is_at_fault_and_breaks_nothing(broken):
    assert verified([broken], KEYS).faults


@pytest.mark.parametrize("head", [None, {}, [], 0, "", {"sequence": 2}])
def test_an_export_whose_head_is_none_is_at_fault(head):
    lines = lines_of([signed_in(0), signed_in(1)])
    [fault] = verified([*lines[:-1], line({"head": head})], KEYS).faults
    assert str(fault) == "edited: what stands behind entry 2 cannot be read"


def test_an_export_that_breaks_off_is_at_fault():
    faults = verified(lines_of([signed_in(0), signed_in(1)])[:-1], KEYS).faults
    assert [str(each) for each in faults] == ["truncated: the export breaks off"]


# ---------------------------------------------------------------- Ed25519 in the auditor's file

RFC_8032 = [  # section 7.1: public key, message, signature
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]  # fmt: skip


@pytest.mark.parametrize("vector", RFC_8032)
def test_signatures_of_rfc_8032_are_good_and_no_others(vector):
    key, message, signature = map(bytes.fromhex, vector)
    assert by_itself().is_signed(key, signature, message)
    assert not by_itself().is_signed(key, signature, message + b"\0")


def test_signatures_count_where_they_count_for_cryptography():
    """Every bit of a signature flipped in turn, and what is too short, too long or not reduced."""
    private = Ed25519PrivateKey.generate()
    key, message = private.public_key(), b"a message"
    good, order = private.sign(message), by_itself().ORDER
    more = (int.from_bytes(good[32:], "little") + order).to_bytes(32, "little")
    tried = [good, good[:-1], good + b"\0", b"", good[:32] + more, bytes(64)]
    tried += [
        bytes(each ^ (place == at) << bit for at, each in enumerate(good))
        for place in range(0, 64, 7)
        for bit in (0, 7)
    ]
    for signature in tried:
        assert by_itself().is_signed(key.public_bytes_raw(), signature, message) == _counts(
            key, signature, message
        )


def _counts(key: Ed25519PublicKey, signature, message):
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True


# ---------------------------------------------------------------- as an auditor runs it


def test_the_file_runs_alone_and_is_short(tmp_path):
    lines = lines_of([signed_in(0), signed_in(86_400)])
    export, key, held = tmp_path / "export.ndjson", tmp_path / "public.pem", tmp_path / "held.json"
    key.write_bytes(KEYS.public_pem())
    held.write_text(json.dumps(json.loads(lines[2])["checkpoint"]))

    def run(*options):
        command = [sys.executable, "-I", "-S", str(ALONE), str(export), "--key", str(key), *options]
        done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path)
        return done.returncode, done.stdout, done.stderr

    export.write_bytes(b"".join(lines))
    note = "note: the last entry is 2, and the chain is signed up to entry 2\n"
    assert run("--checkpoint", str(held)) == (0, note, "")
    export.write_bytes(b"".join(lines).replace(b"signed_in", b"signed_ix", 1))
    says = "edited: entry 1 (account.signed_ix, x) no longer has the digest that it was written with\n"
    assert run() == (1, says + note, "")
    assert len(ALONE.read_text("utf-8").splitlines()) < 120


# ---------------------------------------------------------------- memory


def test_6_000_entries_are_verified_and_exported_in_little_memory(settings, records, unguarded):
    write_many(records, 6_000, unguarded)
    memory = {}
    with records.database.snapshot() as connection:
        read = documents(connection, records.site, moment_text(FIRST))
        exported = (line(each) for each in watched(read, memory))
        report = verify(documents_in(exported), trusted(settings.keys))
    assert (report.faults, report.entries, report.signed) == ([], 6_000, 6_000)
    assert memory["peak"] < 900_000  # 150 bytes an entry: they were not all fetched at once
    assert memory[5_900] - memory[5_400] < 50_000  # nor were the last 500 kept


def watched(read, memory):
    """Note the memory in use among the first and the last documents: to trace all of it would take long."""
    tracemalloc.start()
    for number, document in enumerate(read):
        if number == 200:
            memory["peak"] = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        if number == 4_900:
            tracemalloc.start()
        if number in (5_400, 5_900):
            gc.collect()
            memory[number] = tracemalloc.get_traced_memory()[0]
        yield document
    tracemalloc.stop()


def write_many(records, many, unguarded):
    """Write entries in one go."""
    rows, signed, previous = [], [], NOTHING_BEFORE
    for number in range(1, many + 1):
        act = Act("user:nina", "nurse", f"request-{number}", FIRST)
        entry = link(("main", number, previous), act, Event.SIGNED_IN, "nina", details={}, commitments={})
        previous = entry.digest
        rows.append(vars(entry))
        if number % CHECKPOINT_EVERY == 0:
            signed.append(vars(records.keys.checkpoint(entry)))
    head = records.keys.head("main", many, FIRST, previous)
    with records.database.writing() as connection:
        connection.execute(insert(journal), rows)
        connection.execute(insert(checkpoints), signed)
    moved = "UPDATE chains SET sequence = ?, at = ?, digest = ?, signature = ?"
    unguarded(moved, many, moment_text(FIRST), previous, head.signature)
