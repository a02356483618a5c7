"""Checklists taken out: as NDJSON with all that is kept of each, or as CSV with a line for each finding.

An export holds what was made up to its own time, the oldest first, and takes the memory of a few checklists.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select, tuple_

from service.intake.filters import Filters
from service.records.canonical import canonical
from service.records.csv_lines import csv_line
from service.records.journal import Act, Event
from service.records.search import ANSWERS, COLUMNS, enter_criteria, flags_by_checklist, matching
from service.records.site import SiteRecords
from service.records.stored import Flag
from service.records.tables import checklists, contents, journal, moment_text, remarks

_PAGE, _BATCH = 500, 20
_WORDS = {event.value: word for word, event in ANSWERS.items()}


class Format(StrEnum):
    """How checklists are written out."""

    NDJSON = "ndjson"
    CSV = "csv"


@dataclass(frozen=True)
class Export:
    """How many checklists there are, what stands before them, and each of them as it is written."""

    checklists: int
    head: bytes
    parts: Iterator[bytes]


@dataclass(frozen=True)
class _Done:
    """What was done about a checklist: its answers by finding, in order, and its outcome."""

    answers: Sequence[Mapping[str, Any]]
    outcome: Mapping[str, Any] | None


_Content = Mapping[Any, Any]
_Writer = Callable[[Row[Any], _Content, Sequence[Flag], _Done], bytes]


def export(records: SiteRecords, filters: Filters, form: Format, act: Act) -> Export:
    """The checklists that are as asked, entered before the first of them is written. Raises StoreUnavailable.

    So does each part, where the records fail later: what was written until then is not whole.
    """
    until = matching(records.site, filters, [func.count()]).where(checklists.c.created_at <= act.at)
    with records.reading() as connection:
        count = connection.execute(until).scalar_one()
    with records.writing() as writing:
        details = {"format": form.value, "checklists": count}
        enter_criteria(writing, act, Event.CHECKLISTS_EXPORTED, filters, details)
    if form is Format.CSV:
        return Export(count, csv_line(_HEADINGS), _parts(records, filters, act.at, _findings, _RESULT))
    return Export(count, b"", _parts(records, filters, act.at, _whole, _ALL))


_RESULT = ("result",)
_ALL = ("request", "result", "trace")


def _parts(
    records: SiteRecords, filters: Filters, until: datetime, write: _Writer, kept: Sequence[str]
) -> Iterator[bytes]:
    """Each checklist as it is written. What is short is read many at a time, what is long only a few."""
    place = tuple_(checklists.c.created_at, checklists.c.id)
    wanted = (
        matching(records.site, filters, (*COLUMNS, checklists.c.pack))
        .where(checklists.c.created_at <= until)
        .order_by(checklists.c.created_at, checklists.c.id)
        .limit(_PAGE)
    )
    after: Select[Any] | None = wanted
    while after is not None:
        with records.reading() as connection:
            page = connection.execute(after).all()
        for first in range(0, len(page), _BATCH):
            yield from _written(records, page[first : first + _BATCH], write, kept)
        more = len(page) == _PAGE
        after = wanted.where(place > (page[-1].created_at, page[-1].id)) if more else None


def _written(
    records: SiteRecords, rows: Sequence[Row[Any]], write: _Writer, kept: Sequence[str]
) -> Iterator[bytes]:
    ids = [row.id for row in rows]
    columns = (contents.c.checklist, *(contents.c[name] for name in kept))
    with records.reading() as connection:
        found = connection.execute(select(*columns).where(contents.c.checklist.in_(ids)))
        content = {row.checklist: row._mapping for row in found}
        flags = flags_by_checklist(connection, ids)
        done = _done(connection, records.site, ids)
    for row in rows:
        yield write(row, content.get(row.id, {}), flags.get(row.id, ()), done[row.id])


def _done(connection: Connection, site: str, ids: Sequence[str]) -> Mapping[str, _Done]:
    """What the journal says was done about each of these checklists."""
    events = [*_WORDS, Event.OUTCOME_RECORDED.value]
    wanted = select(journal.c.subject, journal.c.event, journal.c.actor, journal.c.at, journal.c.details)
    found = wanted.where(
        journal.c.site == site, journal.c.subject.in_(ids), journal.c.event.in_(events)
    ).order_by(journal.c.sequence)
    entries = connection.execute(found).all()
    named = [entry.details["remark"] for entry in entries if "remark" in entry.details]
    kept = connection.execute(select(remarks.c.id, remarks.c.parts).where(remarks.c.id.in_(named)))
    comments = {row.id: row.parts.get("comment") for row in kept}
    done: dict[str, _Done] = defaultdict(lambda: _Done((), None))
    for entry in entries:
        said = {
            "actor": entry.actor,
            "at": moment_text(entry.at),
            "reason": entry.details.get("reason"),
            "comment": comments.get(entry.details.get("remark")),
        }
        before = done[entry.subject]
        if entry.event in _WORDS:
            about = {name: entry.details.get(name) for name in ("check", "rule")}
            answer = {**about, "answer": _WORDS[entry.event], **said}
            done[entry.subject] = replace(before, answers=(*before.answers, answer))
        else:
            done[entry.subject] = replace(before, outcome={"outcome": entry.details["outcome"], **said})
    return done


# ---------------------------------------------------------------- one checklist a line


def _whole(row: Row[Any], content: _Content, flags: Sequence[Flag], done: _Done) -> bytes:
    """Result and trace byte for byte as they are kept; of the request only line breaks become spaces."""
    shell = {
        **{column.name: getattr(row, column.name) for column in COLUMNS},
        "created_at": moment_text(row.created_at),
        "pack": row.pack,
        "flags": [vars(flag) for flag in flags],
        "answers": list(done.answers),
        "outcome": done.outcome,
    }
    embedded = b"".join(b',"%s":%s' % (name.encode(), _one_line(content.get(name))) for name in _ALL)
    return canonical(shell)[:-1] + embedded + b"}\n"


def _one_line(document: bytes | None) -> bytes:
    """A JSON document on one line: a line break in one stands between its words, never within them."""
    if document is None:
        return b"null"
    return document.removeprefix(b"\xef\xbb\xbf").translate(_SPACES).strip()


_SPACES = bytes.maketrans(b"\r\n", b"  ")

# ---------------------------------------------------------------- one finding a line

_HEADINGS = (
    *("checklist", "created_at", "drug", "status", "infusion_at", "patient", "actor"),
    *("check", "rule", "verdict", "finding_status", "kind", "message"),
    *("answer", "answered_by", "answered_at", "reason", "comment"),
)


def _findings(row: Row[Any], content: _Content, flags: Sequence[Flag], done: _Done) -> bytes:
    """A line for each finding; where the patient was erased, for each rule that is still known."""
    made = [
        row.id,
        moment_text(row.created_at),
        row.drug,
        row.status,
        row.infusion_at,
        row.patient,
        row.actor,
    ]
    verdicts = {flag.rule: flag.verdict for flag in flags}
    answers = {(answer["check"], answer["rule"]): answer for answer in done.answers}
    lines = []
    for found in _found(content, flags):
        said = answers.get((found["check"], found["rule"]), {})
        finding = [found["check"], found["rule"], verdicts.get(found["rule"])]
        finding += [found.get(name) for name in ("status", "kind", "message")]
        answer = [said.get(name) for name in ("answer", "actor", "at", "reason", "comment")]
        lines.append(csv_line([*made, *finding, *answer]))
    return b"".join(lines)


def _found(content: _Content, flags: Sequence[Flag]) -> list[Mapping[str, Any]]:
    if not content:
        return [vars(flag) for flag in flags] or [dict.fromkeys(("check", "rule", "status"))]
    findings: list[Mapping[str, Any]] = json.loads(content["result"])["findings"]
    return findings
