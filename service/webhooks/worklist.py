"""The worklist: the infusions of some days, those first that need somebody, before the patient travels."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from marshmallow import RAISE, Schema
from sqlalchemy import Connection, Row, and_, select

from service.checklist.rules import Status
from service.intake.errors import BadInput, FieldError
from service.intake.requests import Read, ShortText, find_drug
from service.intake.values import read_date
from service.knowledge.library import Library
from service.records.canonical import canonical
from service.records.journal import Act, Event
from service.records.search import flags_by_checklist, newer
from service.records.site import SiteRecords
from service.records.stored import Flag
from service.records.tables import checklists, contents, infusions, moment_text, senders
from service.webhooks.infusions import CANCELLED, PLANNED

MOST_DAYS, USUAL_DAYS = 31, 4
NOT_CHECKED = "not_checked"
# Of what nobody has checked nothing is known, so that it comes with what is blocked.
_RANKS = {Status.BLOCK.word: 0, None: 0, Status.WARN.word: 1, Status.PASS.word: 2}
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
    """An infusion that is planned, and the newest checklist of its patient, drug and day that stands.

    Without one, `status`, `checklist` and `checked_at` are None: it was not checked.
    """

    id: str
    sender: str | None
    reference: str
    patient: str
    drug: str
    infusion_at: str
    status: str | None
    checklist: str | None
    checked_at: datetime | None
    flags: tuple[Flag, ...]

    def document(self) -> dict[str, Any]:
        """The infusion as JSON."""
        checked_at = moment_text(self.checked_at) if self.checked_at else None
        return {**vars(self), "checked_at": checked_at, "flags": [vars(flag) for flag in self.flags]}


@dataclass(frozen=True)
class Worklist:
    """The planned infusions that were asked for, worst first, then by time; and how many were cancelled."""

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


def worklist(records: SiteRecords, asked: Asked, act: Act, zone: ZoneInfo) -> Worklist:
    """The worklist of these days of a time zone; entered with what was asked. Raises StoreUnavailable."""
    begin, end = _begin(asked.first, zone), _begin(asked.last + _DAY, zone)
    mine = [
        infusions.c.site == records.site,
        infusions.c.infusion_utc >= begin,
        infusions.c.infusion_utc < end,
    ]
    mine += [infusions.c[name] == wanted for name, wanted in _chosen(asked).items()]
    wanted = select(infusions, senders.c.name.label("sender_name"))
    in_order = (infusions.c.infusion_utc, infusions.c.reference, infusions.c.id)
    joined = wanted.join(senders, senders.c.id == infusions.c.sender, isouter=True).where(*mine)
    with records.reading() as connection:
        rows = connection.execute(joined.order_by(*in_order)).all()
        planned = [row for row in rows if row.state == PLANNED]
        newest = _newest(connection, [*mine, infusions.c.state == PLANNED], (begin, end), zone)
        flags = flags_by_checklist(connection, [row.id for row in newest.values()])
    found = [_planned(row, newest.get(row.id), flags) for row in planned]
    details = {"filters": [*asked.document()], "found": len(found)}
    criteria = {"criteria": canonical(asked.document()).decode()}
    with records.writing() as writing:
        writing.remark(
            act, Event.INFUSIONS_SEARCHED, "infusions", details=details, parts=criteria, patient=asked.patient
        )
    worst_first = sorted(found, key=lambda each: _RANKS[each.status])  # and by time, as they are
    return Worklist(tuple(worst_first), len(rows) - len(planned))


def _chosen(asked: Asked) -> dict[str, str]:
    chosen = {"drug": asked.drug, "patient": asked.patient}
    return {name: value for name, value in chosen.items() if value is not None}


def _newest(
    connection: Connection, mine: list[Any], period: tuple[datetime, datetime], zone: ZoneInfo
) -> Mapping[str, Row[Any]]:
    """The newest checklist of the same patient, drug and day that no other one corrects, by infusion."""
    same_patient = and_(contents.c.site == infusions.c.site, contents.c.patient == infusions.c.patient)
    same_drug = and_(checklists.c.id == contents.c.checklist, checklists.c.drug == infusions.c.drug)
    about = infusions.join(contents, same_patient).join(checklists, same_drug)
    wanted = (
        select(
            infusions.c.id.label("infusion"),
            infusions.c.infusion_utc.label("planned_for"),
            contents.c.infusion_utc.label("checked_for"),
            *(checklists.c[name] for name in ("id", "status", "created_at")),
        )
        .select_from(about.outerjoin(newer, newer.c.supersedes == checklists.c.id))
        .where(*mine, newer.c.id.is_(None))
        .where(contents.c.infusion_utc >= period[0], contents.c.infusion_utc < period[1])
        .order_by(checklists.c.created_at, checklists.c.id)
    )
    rows = connection.execute(wanted)
    return {row.infusion: row for row in rows if _on(row.planned_for, zone) == _on(row.checked_for, zone)}


def _planned(row: Row[Any], newest: Row[Any] | None, flags: Mapping[str, tuple[Flag, ...]]) -> Planned:
    return Planned(
        id=row.id,
        sender=row.sender_name,
        reference=row.reference,
        patient=row.patient,
        drug=row.drug,
        infusion_at=row.infusion_at,
        status=newest.status if newest is not None else None,
        checklist=newest.id if newest is not None else None,
        checked_at=newest.created_at if newest is not None else None,
        flags=flags.get(newest.id, ()) if newest is not None else (),
    )


def _begin(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _on(moment: datetime, zone: ZoneInfo) -> date:
    return moment.astimezone(zone).date()
