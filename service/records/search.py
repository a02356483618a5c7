"""Finding checklists: by patient, drug, time, rule, answer and outcome; the newest first, page by page."""

import base64
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, exists, select, tuple_

from service.intake.errors import BadInput, FieldError
from service.intake.filters import Filters
from service.records.canonical import canonical
from service.records.journal import Act, Event
from service.records.site import SiteRecords, Writing
from service.records.stored import Flag
from service.records.tables import checklists, contents, flagged, journal, moment_text

MOST_HITS, USUAL_HITS = 200, 50
NO_OUTCOME = "none"
ANSWERS = {"overridden": Event.BLOCK_OVERRIDDEN, "acknowledged": Event.WARN_ACKNOWLEDGED}
newer = checklists.alias("newer")


@dataclass(frozen=True)
class Hit:
    """A checklist that was found. Of one whose patient was erased, `patient` and `infusion_at` are None."""

    id: str
    created_at: datetime
    drug: str
    status: str
    infusion_at: str | None
    patient: str | None
    actor: str
    flags: tuple[Flag, ...]
    supersedes: str | None
    superseded_by: str | None

    def document(self) -> dict[str, Any]:
        """The hit as JSON."""
        flags = [vars(flag) for flag in self.flags]
        return {**vars(self), "created_at": moment_text(self.created_at), "flags": flags}


@dataclass(frozen=True)
class Page:
    """Some of the checklists that were asked for, and the cursor of the next page where there are more."""

    hits: tuple[Hit, ...]
    cursor: str | None


COLUMNS = (
    *(checklists.c[name] for name in ("id", "created_at", "drug", "status", "actor", "supersedes")),
    newer.c.id.label("superseded_by"),
    contents.c.patient,
    contents.c.infusion_at,
)


def search(
    records: SiteRecords, filters: Filters, act: Act, *, limit: int = USUAL_HITS, cursor: str | None = None
) -> Page:
    """A page of the checklists that are as asked, the newest first; entered with what was asked.

    What is made meanwhile comes before the first page, so that no later page repeats or misses a checklist.
    Raises BadInput for a cursor of another search, StoreUnavailable.
    """
    wanted = matching(records.site, filters, COLUMNS).order_by(
        checklists.c.created_at.desc(), checklists.c.id.desc()
    )
    if cursor is not None:
        wanted = wanted.where(
            tuple_(checklists.c.created_at, checklists.c.id) < _opened(cursor, records.site, filters)
        )
    with records.reading() as connection:
        rows = connection.execute(wanted.limit(limit + 1)).all()
        flags = flags_by_checklist(connection, [row.id for row in rows[:limit]])
    hits = tuple(_hit(row, flags) for row in rows[:limit])
    details = {"hits": len(hits), "continued": cursor is not None}
    with records.writing() as writing:
        enter_criteria(writing, act, Event.CHECKLISTS_SEARCHED, filters, details)
    more = len(rows) > limit
    return Page(hits, _cursor(records.site, filters, hits[-1]) if more else None)


def matching(site: str, filters: Filters, columns: Iterable[Any]) -> Select[Any]:
    """These columns of every checklist of a site that is as asked."""
    joined = checklists.outerjoin(contents, contents.c.checklist == checklists.c.id).outerjoin(
        newer, newer.c.supersedes == checklists.c.id
    )
    return select(*columns).select_from(joined).where(*_conditions(site, filters))


def _conditions(site: str, filters: Filters) -> Iterator[ColumnElement[bool]]:
    chosen = list(_chosen(site, filters))
    yield from (checklists.c.id.in_(ids) for ids in chosen)
    if not chosen:
        # Of ids that were looked up in this site it is true already; and a planner without statistics would
        # take it for rarer than they are, and go through all checklists in the order of time.
        yield checklists.c.site == site
    for name in ("drug", "status", "actor"):
        if (wanted := getattr(filters, name)) is not None:
            yield checklists.c[name] == wanted
    yield from _within(checklists.c.created_at, filters.made_from, filters.made_to)
    if filters.rule or filters.check or filters.verdict:
        yield exists().where(flagged.c.checklist == checklists.c.id, *_flag(filters))
    if filters.outcome == NO_OUTCOME:
        outcome = (journal.c.site == site, journal.c.event == Event.OUTCOME_RECORDED)
        yield ~exists().where(*outcome, journal.c.subject == checklists.c.id)
    if filters.superseded is not None:
        yield newer.c.id.is_not(None) if filters.superseded else newer.c.id.is_(None)


def _chosen(site: str, filters: Filters) -> Iterator[Select[Any]]:
    """The ids of what is as rare as a patient, a day or an answer."""
    ids = select(contents.c.checklist).where(contents.c.site == site)
    if filters.patient is not None:
        yield ids.where(contents.c.patient == filters.patient)
    if filters.infusion_from is not None or filters.infusion_to is not None:
        yield ids.where(*_within(contents.c.infusion_utc, filters.infusion_from, filters.infusion_to))
    if filters.answered or filters.reason:
        yield _answered(site, filters)
    if filters.outcome not in (None, NO_OUTCOME):
        yield _outcome(site, filters)


def _within(
    column: ColumnElement[Any], first: datetime | None, last: datetime | None
) -> Iterator[ColumnElement[bool]]:
    if first is not None:
        yield column >= first
    if last is not None:
        yield column < last


def _flag(filters: Filters) -> Iterator[ColumnElement[bool]]:
    for name in ("rule", "check", "verdict"):
        if (wanted := getattr(filters, name)) is not None:
            yield flagged.c[name] == wanted


def _answered(site: str, filters: Filters) -> Select[Any]:
    """The checklists with an answer to any finding, or to the very rule and check that are asked for."""
    events = [ANSWERS[filters.answered]] if filters.answered else list(ANSWERS.values())
    found = select(journal.c.subject).where(journal.c.site == site, journal.c.event.in_(events))
    for name in ("rule", "check", "reason"):
        if (wanted := getattr(filters, name)) is not None:
            found = found.where(journal.c.details[name].as_string() == wanted)
    if filters.verdict is not None:
        about_it = flagged.c.rule == journal.c.details["rule"].as_string()
        same = exists().where(flagged.c.checklist == journal.c.subject, about_it, *_flag(filters))
        found = found.where(same)
    return found


def _outcome(site: str, filters: Filters) -> Select[Any]:
    later = journal.alias("later")
    corrected = exists().where(
        later.c.site == site,
        later.c.subject == journal.c.subject,
        later.c.event == Event.OUTCOME_RECORDED,
        later.c.sequence > journal.c.sequence,
    )
    return select(journal.c.subject).where(
        journal.c.site == site,
        journal.c.event == Event.OUTCOME_RECORDED,
        journal.c.details["outcome"].as_string() == filters.outcome,
        ~corrected,
    )


def flags_by_checklist(connection: Connection, ids: list[str]) -> Mapping[str, tuple[Flag, ...]]:
    """The flags of each of these checklists, by rule."""
    found = defaultdict(list)
    columns = (flagged.c[name] for name in ("checklist", *Flag.__dataclass_fields__))
    for row in connection.execute(select(*columns).where(flagged.c.checklist.in_(ids))):
        found[row.checklist].append(Flag(row.rule, row.check, row.verdict, row.status))
    return {id: tuple(sorted(flags, key=lambda flag: flag.rule)) for id, flags in found.items()}


def enter_criteria(
    writing: Writing, act: Act, event: Event, filters: Filters, details: Mapping[str, Any]
) -> None:
    """Enter what was looked for: the names of the filters, and what they were set to as a remark."""
    criteria = canonical(filters.document()).decode()
    said = {"filters": list(filters.document()), **details}
    parts = {"criteria": criteria}
    writing.remark(act, event, "checklists", details=said, parts=parts, patient=filters.patient)


def _hit(row: Row[Any], flags: Mapping[str, tuple[Flag, ...]]) -> Hit:
    return Hit(**row._mapping, flags=flags.get(row.id, ()))


# A cursor is a place in one search: the last checklist shown, and the digest of what was asked and where.


def _cursor(site: str, filters: Filters, last: Hit) -> str:
    place = [moment_text(last.created_at), last.id]
    return base64.urlsafe_b64encode(canonical([*place, _bound(site, filters, place)])).decode()


def _opened(cursor: str, site: str, filters: Filters) -> tuple[datetime, str]:
    """The place that a cursor is at. Raises BadInput for one of another search."""
    try:
        at, id, bound = json.loads(base64.b64decode(cursor, b"-_", validate=True))
        if bound == _bound(site, filters, [at, id]):
            return datetime.fromisoformat(at), id
    except (ValueError, TypeError):
        pass
    raise BadInput([FieldError("cursor", "is no cursor of this search; begin again without one")])


def _bound(site: str, filters: Filters, place: list[str]) -> str:
    asked = canonical({"site": site, "filters": filters.document(), "place": place})
    return hashlib.sha256(asked).hexdigest()[:32]
