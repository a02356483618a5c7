"""A chain to tamper with, and the file that an auditor runs alone on its export."""

import importlib.util
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from service.records.erasure import Reason, erase, held
from service.records.journal import Act, Event, JournalEntry, link
from service.records.opening import open_records
from service.records.signing import Keys
from service.records.store import Store
from service.records.stored import Flag

FIRST = datetime(2026, 10, 6, 18, 0, 0, 5, tzinfo=UTC)
FLAGS = (Flag("pml-b", "pml", "undecided", "warn"), Flag("hbv-a", "hepatitis_b", "holds", "block"))
ALONE = Path(__file__).resolve().parents[2] / "docs" / "verify_journal.py"


@cache
def by_itself():
    """The auditor's file, as a module; what it has found of a signature, it does not find out again."""
    spec = importlib.util.spec_from_file_location("verify_journal", ALONE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.is_signed = cache(module.is_signed)
    return module


def said_alone(lines, keys, held=()):
    """The faults that the auditor's file names."""
    said = filter(None, by_itself().faults(lines, keys.public, held))
    return [each for each in said if not each.startswith("note: ")]


def trusted(path):
    """The public keys alone, as an auditor has them."""
    return Keys(Keys.read(path).public)


def an_act(minutes, days=0):
    at = FIRST + timedelta(minutes=minutes, days=days)
    return Act("user:nina", "nurse", f"request-{minutes}", at)


def write_chain(settings, site, a_checklist, basis):
    """A site's chain of 13 entries over two days: checklists, remarks, one patient erased, one checkpoint."""
    with closing(open_records(settings.database, None, site, settings.keys, FIRST)) as records:
        store = Store(records)
        records.enter(an_act(0), Event.SIGNED_IN, "nina")
        ids = []
        for number, patient in enumerate(("MRN-1", "MRN-2", "MRN-1", "MRN-3"), 1):
            act = an_act(number)
            made = a_checklist(patient=patient, created_at=act.at, flags=FLAGS)
            ids.append(store.add(made, basis, act).id)
        for number, patient in enumerate(("MRN-1", "MRN-2"), 5):
            with records.writing() as writing:
                words = {"parts": {"comment": f"said of {patient}"}, "patient": patient}
                about = {"details": {"check": "pml", "reason": "other"}}
                writing.remark(an_act(number), Event.WARN_ACKNOWLEDGED, ids[number - 5], **about, **words)
        store.read(ids[1], an_act(7, days=1))
        erase(records, "MRN-1", held(records, "MRN-1"), Reason.PATIENT_REQUEST, an_act(8, days=1))
        for number in range(9, 13):
            store.read(ids[3], an_act(number, days=1))


def checkpoint_of(entry, keys):
    """A checkpoint of an entry's document, as somebody else keeps it."""
    return keys.checkpoint(JournalEntry(**{**entry, "at": datetime.fromisoformat(entry["at"])})).document()


def bare_chain(entries, keys, site="main"):
    """The documents of a chain of entries that commit to nothing, from what each of them says."""
    previous, written = "sha256:" + 64 * "0", []
    for number, says in enumerate(entries, 1):
        act = Act(says["actor"], says["role"], says["request"], says["at"])
        place = (site, number, previous)
        entry = link(place, act, says["event"], says["subject"], details=says["details"], commitments={})
        previous = entry.digest
        written.append(entry)
    end = written[-1]
    head = keys.head(site, end.sequence, end.at, end.digest).document()
    header = {"site": site, "others": [], "openings": True}
    documents = [{"entry": each.document()} for each in written]
    for before, after, document in zip([None, *written], written, documents, strict=False):
        if before and before.at.date() != after.at.date():
            document["checkpoint"] = keys.checkpoint(after).document()
    return [{"header": header}, *documents, {"head": head, "entries": len(written)}]
