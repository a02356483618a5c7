"""The worklist: the infusions of some days, those first that need somebody.

They are planned, by a webhook or a list, or somebody made a checklist for the day, or has begun one: each
visit is there once.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from marshmallow import RAISE, Schema
from sqlalchemy import Connection, Row, select

from service.checklist.rules import Status
from service.intake.errors import BadInput, FieldError
from service.intake.requests import Read, ShortText, find_drug
from service.intake.values import read_date
from service.knowledge.library import Library
from service.records.canonical import canonical
from service.records.journal import Act, Event
from service.records.search import flags_by_checklist
from service.records.site import SiteRecords
from service.records.stored import Flag
from service.records.tables import infusions, moment_text, senders
from service.webhooks.infusions import CANCELLED, PLANNED
from service.webhooks.progress import (
    Ended,
    InProgress,
    Period,
    Visit,
    checked_visits,
    day_of,
    drafted_visits,
    endings,
)

MOST_DAYS, USUAL_DAYS = 31, 4
NOT_CHECKED = "not_checked"
# Of what nobody has checked nothing is known, so that it comes with what is blocked. What is over comes last.
_RANKS = {Status.BLOCK.word: 0, None: 0, Status.WARN.word: 1, Status.PASS.word: 2}
_OVER = 3
_BY_A_SENDER = "sender:"
_DAY = timedelta(days=1)


def _day(says: str, name: str) -> Read[date]:
    said = {"type": "string", "format": "date", "description": says, "example": "2026-12-01"}
    return Read(read_date, data_key=name, metadata=said)


def _text(says: str, example: str) -> ShortText:
    said = {"type": "string", "maxLength": 200, "description": says, "example": example}
    return ShortText(metadata=said)


class WorklistSearchSchema(Schema):
    """Which infusions, and of which patient."""

    class Meta:
        """Unknown keys are refused."""

        unknown = RAISE

    first = _day("The first day, in the site's time zone; default: today.", "from")
    last = _day(f"The last day; default: {USUAL_DAYS - 1} days after the first one.", "to")
    drug = _text("A drug by any of its names.", "inebilizumab")
    patient = _text("The site's own id of the patient.", "MRN-1001")


@dataclass(frozen=True)
class Asked:
    """The days, first and last among them, with the drug and the patient where one is asked for."""

    first: date
    last: date
    drug: str | None = None
    patient: str | None = None

    def document(self) -> dict[str, Any]:
        """What was asked, as JSON."""
        named = {"from": self.first.isoformat(), "to": self.last.isoformat()}
        return named | {name: getattr(self, name) for name in ("drug", "patient") if getattr(self, name)}


def asked_of(given: Mapping[str, Any], library: Library, now: datetime, zone: ZoneInfo) -> Asked:
    """What was asked, of a document that fits its schema. Raises BadInput."""
    first = given.get("first", now.astimezone(zone).date())
    last = given.get("last", first + (USUAL_DAYS - 1) * _DAY)
    if not first <= last < first + MOST_DAYS * _DAY:
        raise BadInput([FieldError("to", f"must be from the first day on, and {MOST_DAYS} days at most")])
    drug = find_drug(given["drug"], library).id if "drug" in given else None
    return Asked(first, last, drug, given.get("patient"))


@dataclass(frozen=True)
class Planned:
    """An infusion of a day, and the newest checklist of its patient, drug and day that stands.

    `id` and `reference` are None where nobody planned it: a checklist was made or begun for that day.
    `sender` is None also where it is from a list. Without a checklist `status`, `checklist` and `checked_at`
    are None: it was not checked. `drafts` are checklists in the making, `ended` how it ended.
    """

    id: str | None
    sender: str | None
    reference: str | None
    patient: str
    drug: str
    infusion_at: str
    status: str | None = None
    checklist: str | None = None
    checked_at: datetime | None = None
    flags: tuple[Flag, ...] = ()
    drafts: tuple[InProgress, ...] = ()
    ended: Ended | None = None

    @property
    def begins(self) -> datetime:
        """When it is meant to begin."""
        return datetime.fromisoformat(self.infusion_at)

    def document(self) -> dict[str, Any]:
        """The infusion as JSON."""
        said = {name: value for name, value in vars(self).items() if name != "ended"}
        return said | {
            "checked_at": moment_text(self.checked_at) if self.checked_at else None,
            "flags": [vars(flag) for flag in self.flags],
            "drafts": [draft.document() for draft in self.drafts],
            "outcome": self.ended.document() if self.ended else None,
        }


@dataclass(frozen=True)
class Worklist:
    """The infusions that were asked for, worst first, then by time; and how many were cancelled."""

    infusions: tuple[Planned, ...]
    cancelled: int

    @property
    def counts(self) -> Mapping[str, int]:
        """How many there are of each status, and how many were not checked or cancelled."""
        found = Counter(each.status or NOT_CHECKED for each in self.infusions)
        words = (Status.BLOCK.word, NOT_CHECKED, Status.WARN.word, Status.PASS.word)
        return {**{word: found[word] for word in words}, CANCELLED: self.cancelled}

    def document(self) -> dict[str, Any]:
        """The worklist as JSON."""
        return {"counts": dict(self.counts), "infusions": [each.document() for each in self.infusions]}


def worklist(
    records: SiteRecords,
    asked: Asked,
    act: Act,
    zone: ZoneInfo,
    library: Library,
    *,
    further: Mapping[str, Any] | None = None,
) -> Worklist:
    """The worklist of these days of a time zone; entered with what was asked. Raises StoreUnavailable.

    `further` is what the entry says beside that.
    """
    period = _begin(asked.first, zone), _begin(asked.last + _DAY, zone)
    with records.reading() as connection:
        day = _Day.read(connection, records.site, period, zone, library)
        wanted = {visit: each for visit, each in day.visits().items() if _is_wanted(visit, asked)}
        found = _with_details(connection, records.site, [one for each in wanted.values() for one in each])
    details = {"filters": [*asked.document()], "found": len(found), **(further or {})}
    criteria = {"criteria": canonical(asked.document()).decode()}
    with records.writing() as writing:
        writing.remark(
            act, Event.INFUSIONS_SEARCHED, "infusions", details=details, parts=criteria, patient=asked.patient
        )
    cancelled = sum(_is_wanted(_visit(row, zone), asked) for row in day.cancelled)
    return Worklist(tuple(sorted(found, key=_worst_first)), cancelled)


def _is_wanted(visit: Visit, asked: Asked) -> bool:
    patient, drug, _ = visit
    return asked.patient in (None, patient) and asked.drug in (None, drug)


def _worst_first(each: Planned) -> tuple[int, datetime, str, str]:
    rank = _RANKS[each.status] if each.ended is None else _OVER
    return rank, each.begins, each.reference or "", each.id or each.patient


@dataclass(frozen=True)
class _Day:
    """What is kept of the visits of some days."""

    planned: tuple[Row[Any], ...]
    cancelled: tuple[Row[Any], ...]
    checked: Mapping[Visit, Row[Any]]
    drafted: Mapping[Visit, tuple[InProgress, ...]]
    zone: ZoneInfo

    @classmethod
    def read(
        cls, connection: Connection, site: str, period: Period, zone: ZoneInfo, library: Library
    ) -> "_Day":
        mine = (
            infusions.c.site == site,
            infusions.c.infusion_utc >= period[0],
            infusions.c.infusion_utc < period[1],
        )
        named = select(infusions, senders.c.name.label("sender_name"))
        joined = named.join(senders, senders.c.id == infusions.c.sender, isouter=True).where(*mine)
        rows = connection.execute(joined).all()
        drafted = drafted_visits(connection, site, zone, library)
        days = {day_of(period[0], zone), day_of(period[1], zone)}
        first, end = min(days), max(days)
        return cls(
            planned=tuple(row for row in rows if row.state == PLANNED),
            cancelled=tuple(row for row in rows if row.state == CANCELLED),
            checked=checked_visits(connection, site, period, zone),
            drafted={visit: each for visit, each in drafted.items() if first <= visit[2] < end},
            zone=zone,
        )

    def visits(self) -> dict[Visit, list[Planned]]:
        """The infusions of each visit: planned ones, else one for which there is a checklist or a draft."""
        found: dict[Visit, list[Planned]] = {}
        for row in self.planned:
            found.setdefault(_visit(row, self.zone), []).append(self._planned(row))
        for visit, several in found.items():  # told of by an EHR, and in a list too
            found[visit] = [each for each in several if each.sender is not None] or several
        for visit, row in self.checked.items():
            # What a message brought is a checklist of its infusion, wherever that was moved to.
            if visit not in found and not row.actor.startswith(_BY_A_SENDER):
                self._add(found, visit, row.infusion_at, row.created_at)
        for visit, drafts in self.drafted.items():
            if visit not in found:
                self._add(found, visit, drafts[0].infusion_at.isoformat(), drafts[0].kept_at)
        return found

    def _add(self, found: dict[Visit, list[Planned]], visit: Visit, infusion_at: str, at: datetime) -> None:
        """Add a visit that nobody planned, unless it was cancelled after what is known of it."""
        cancelled = (row.told_at for row in self.cancelled if _visit(row, self.zone) == visit)
        if all(told_at < at for told_at in cancelled):
            patient, drug, _ = visit
            found[visit] = [Planned(None, None, None, patient, drug, infusion_at, **self._known(visit))]

    def _planned(self, row: Row[Any]) -> Planned:
        told = (row.id, row.sender_name, row.reference, row.patient, row.drug, row.infusion_at)
        return Planned(*told, **self._known(_visit(row, self.zone)))

    def _known(self, visit: Visit) -> dict[str, Any]:
        """What is known of the visit itself."""
        drafts, checked = self.drafted.get(visit, ()), self.checked.get(visit)
        if checked is None:
            return {"drafts": drafts}
        made = {"status": checked.status, "checklist": checked.id, "checked_at": checked.created_at}
        return {"drafts": drafts, **made}


def _with_details(connection: Connection, site: str, found: list[Planned]) -> list[Planned]:
    """The same with the flags of their checklists, and how they ended."""
    ids = [each.checklist for each in found if each.checklist is not None]
    flags, ended = flags_by_checklist(connection, ids), endings(connection, site, ids)
    return [
        replace(each, flags=flags.get(each.checklist, ()), ended=ended.get(each.checklist))
        if each.checklist is not None
        else each
        for each in found
    ]


def _visit(row: Row[Any], zone: ZoneInfo) -> Visit:
    return row.patient, row.drug, day_of(row.infusion_utc, zone)


def _begin(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
