"""A chain to tamper with, read back by `verify`, and by the file that an auditor runs alone on its export."""

import importlib.util
import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from service.records.chain import documents
from service.records.database import Database
from service.records.erasure import Reason, erase, held
from service.records.export import line
from service.records.journal import Act, Event
from service.records.opening import open_records
from service.records.signing import Keys
from service.records.store import Store
from service.records.verify import verify

FIRST = datetime(2026, 10, 6, 18, 0, 0, 5, tzinfo=UTC)
ALONE = Path(__file__).resolve().parents[2] / "docs" / "verify_journal.py"


def by_itself():
    """The auditor's file, as a module."""
    spec = importlib.util.spec_from_file_location("verify_journal", ALONE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def an_act(minutes, days=0):
    at = FIRST + timedelta(minutes=minutes, days=days)
    return Act("user:nina", "nurse", f"request-{minutes}", at)


def written_chain(settings, site, a_checklist, basis):
    """A site's chain of 13 entries over two days: checklists, remarks, one patient erased, one checkpoint."""
    with closing(open_records(settings.database, None, site, settings.keys, FIRST)) as records:
        store = Store(records)
        records.enter(an_act(0), Event.SIGNED_IN, "nina")
        ids = []
        for number, patient in enumerate(("MRN-1", "MRN-2", "MRN-1", "MRN-3"), 1):
            act = an_act(number)
            made = a_checklist(patient=patient, created_at=act.at)
            ids.append(store.add(made, basis, act).id)
        for number, (id, patient) in enumerate(zip(ids, ("MRN-1", "MRN-2"), strict=False), 5):
            with records.writing() as writing:
                words = {"comment": f"said of {patient}"}
                details = {"check": "pml", "reason": "other"}
                writing.remark(
                    an_act(number),
                    Event.WARN_ACKNOWLEDGED,
                    id,
                    details=details,
                    parts=words,
                    patient=patient,
                )
        store.read(ids[1], an_act(7, days=1))
        erase(records, "MRN-1", held(records, "MRN-1"), Reason.PATIENT_REQUEST, an_act(8, days=1))
        for number in range(9, 13):
            store.read(ids[3], an_act(number, days=1))
        return ids


def found_in(url, site, keys, held_outside=()):
    """What both say of a chain as it is in the database now."""
    with closing(Database(url)) as database, database.snapshot() as connection:
        lines = [line(each) for each in documents(connection, site, "2026-10-08T00:00:00.000000Z")]
    report = verify(map(json.loads, lines), keys, held_outside)
    alone = [each for each in by_itself().faults(lines, keys.public, held_outside) if each]
    return report, alone


def trusted(path):
    return Keys(Keys.read(path).public)
