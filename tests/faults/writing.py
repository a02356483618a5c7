"""What one of several processes does that write to the same sites; it is imported once and then forked."""

import os
import uuid
from contextlib import closing
from datetime import UTC, datetime, timedelta

from service.records.database import Database
from service.records.journal import Act, Event
from service.records.signing import Keys
from service.records.site import SiteRecords
from service.records.store import Store
from service.records.stored import Basis, Once, StoredChecklist
from tests.builders import shipped

SITES = ("north", "south")
MIDNIGHT = datetime(2026, 10, 7, tzinfo=UTC)
BASIS = Basis.of(shipped(), shipped().packs["inebilizumab"])


def a_checklist(number, at):
    """One whose contents are its own."""
    return StoredChecklist(
        id=str(uuid.uuid4()),
        created_at=at,
        patient=f"MRN-{number}",
        drug="inebilizumab",
        status="pass",
        infusion_at="2026-10-06T14:00:00-05:00",
        request=f"request {number}".encode(),
        result=f"result {number}".encode(),
        trace=f"trace {number}".encode() * 100,
        pack="sha256:pack",
        actor="user:nina",
    )


def write(url, keys, writer, count):
    """Write checklists and other entries to both sites in turn; what was acknowledged, by site.

    All writers use the same keys for their first checklists, and each has a clock a little off midnight.
    """
    private, acknowledged = Keys.read(keys), {site: [] for site in SITES}
    with closing(Database(url)) as database:
        for number in range(count):
            for site in SITES[:: 1 if writer % 2 else -1]:
                at = MIDNIGHT + timedelta(minutes=number - count // 2, microseconds=writer)
                records, act = (
                    SiteRecords(database, site, private),
                    Act("user:nina", "nurse", f"{writer}", at),
                )
                once = Once.of(f"shared-{number}", b"") if number < 3 else None
                kept = Store(records).add(a_checklist(f"{writer}-{number}", at), BASIS, act, once)
                entry = records.enter(act, Event.RECORD_VIEWED, f"{writer}-{number}")
                acknowledged[site].append((kept.id, kept.result, entry.sequence))
    return acknowledged


def write_around_a_fork(url, keys):
    """Write, fork in the middle, and write in both processes at once with what was opened before.

    The exit status of the child, and how many entries both made.
    """
    at = Act("user:nina", "nurse", "fork", MIDNIGHT)
    with closing(Database(url)) as database:
        records = SiteRecords(database, "north", Keys.read(keys))
        records.enter(at, Event.RECORD_VIEWED, "before")
        with records.reading():  # in use at the fork
            child = os.fork()
        for number in range(20):
            records.enter(at, Event.RECORD_VIEWED, f"{(child and 'parent') or 'child'}-{number}")
        if not child:
            records.close()
            os._exit(0)
        _, status = os.waitpid(child, 0)
        records.enter(at, Event.RECORD_VIEWED, "after")
    return os.waitstatus_to_exitcode(status), 42
