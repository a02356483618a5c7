"""The journal taken out, for somebody to verify or read elsewhere; memory does not grow with it.

It is entered first, and signed there: an export always ends with the head of the chain as it was then.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Any

from service.records.canonical import canonical
from service.records.chain import documents, entries_of, head_of
from service.records.csv_lines import csv_line
from service.records.journal import Act, Event
from service.records.signing import Checkpoint
from service.records.site import SiteRecords
from service.records.tables import journal, moment_text

SUBJECT = "journal"


class Form(StrEnum):
    """How the journal is written out: all that verification needs, or its entries for a spreadsheet."""

    NDJSON = "ndjson"
    CSV = "csv"


def export(records: SiteRecords, form: Form, act: Act, *, openings: bool) -> Iterator[bytes]:
    """The lines of an export, entered before the first of them. Raises StoreUnavailable.

    So does each line, where the records fail later; what was written until then is not whole. `openings` are
    the contents that entries commit to: patient data, and only in NDJSON.
    """
    openings = openings and form is Form.NDJSON
    _, head = _entered(records, act, {"what": form.value, "contents": openings})
    if form is Form.CSV:
        return _csv(records, head.sequence)
    return _ndjson(records, head, act.at, openings=openings)


def checkpoint(records: SiteRecords, act: Act) -> dict[str, Any]:
    """A signed checkpoint of the chain as it is now, for somebody else to keep. Raises StoreUnavailable."""
    kept, _ = _entered(records, act, {"what": "checkpoint"})
    return kept.document()


def _entered(records: SiteRecords, act: Act, details: dict[str, Any]) -> tuple[Checkpoint, Checkpoint]:
    """Enter that the chain is taken out up to this entry; the checkpoint of it, and the head that it is."""
    with records.writing() as writing:
        writing.alone()
        through = head_of(writing.connection, records.site) + 1
        entry = writing.enter(act, Event.JOURNAL_EXPORTED, SUBJECT, {**details, "through": through})
        kept = writing.checkpoint(entry)
    assert isinstance(writing.head, Checkpoint)
    return kept, writing.head


def _ndjson(records: SiteRecords, head: Checkpoint, at: datetime, *, openings: bool) -> Iterator[bytes]:
    end = head.document()
    with records.database.snapshot() as connection:
        for document in documents(connection, records.site, moment_text(at), end, openings=openings):
            yield line(document)


def line(document: dict[str, Any]) -> bytes:
    """A document as a line; what is no JSON at all, in its Python form."""
    return json.dumps(document, separators=(",", ":"), default=repr).encode() + b"\n"


def _csv(records: SiteRecords, through: int) -> Iterator[bytes]:
    yield csv_line(column.name for column in journal.c)
    with records.database.snapshot() as connection:
        for entry in entries_of(connection, records.site, through):
            yield csv_line(
                canonical(value).decode() if isinstance(value, dict) else str(value)
                for value in entry.values()
            )
