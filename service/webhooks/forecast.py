"""The forecast: who of the next days would be held as things are known now, and for what.

Each visit is evaluated with its newest checklist, or with what earlier ones of the patient still say. What
must be settled before the patient travels is kept apart from what is asked at the chair. Nothing of it is a
checklist, and nothing is kept; the listing is entered.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from service.checklist.findings import Checklist, Finding
from service.checklist.rules import Kind, Status
from service.intake.errors import BadInput, FieldError
from service.intake.json_text import parse_request
from service.intake.requests import answer, find_drug, read_request
from service.knowledge.library import Library
from service.records.carried import carried_in
from service.records.journal import Act
from service.records.site import SiteRecords
from service.records.tables import contents
from service.webhooks.worklist import MOST_DAYS, Asked, Planned, worklist

USUAL = 3
_DAY = timedelta(days=1)
_UNKNOWN = (Kind.MISSING, Kind.STALE, Kind.CONFLICT)
_AT_THE_CHAIR = ("patient", "nurse")
# Of a request that is kept, what has nothing to do with evaluating it anew.
_NOT_AGAIN = ("supersedes",)


class Prospect(StrEnum):
    """What is to be expected of a visit, worst first."""

    HELD = "held"
    NOT_READY = "not_ready"
    OPEN = "open"


_RANKS = {prospect: rank for rank, prospect in enumerate(Prospect)}


@dataclass(frozen=True)
class Outlook:
    """What is known of one visit now.

    `held_for` are the blocks that are found, `warnings` the warns. `before` are facts that only the record,
    the laboratory or the prescriber can give, and without which it would be held; `also` are others that they
    can give; `at_the_chair` are those that the patient or the nurse gives on the day. `evaluated` is false
    where what is kept cannot be read by the rules of today.
    """

    infusion: Planned
    prospect: Prospect
    held_for: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()
    before: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    at_the_chair: tuple[str, ...] = ()
    evaluated: bool = True

    @property
    def eligible_from(self) -> date | None:
        """The first date on which time alone has lifted all that it would be held for, if that does."""
        dates = [finding.eligible_from for finding in self.held_for]
        return max((each for each in dates if each), default=None) if all(dates) else None

    def document(self) -> dict[str, Any]:
        """The outlook as JSON."""
        eligible_from = self.eligible_from
        named = ("id", "sender", "reference", "patient", "drug", "infusion_at", "checklist")
        return {
            **{name: getattr(self.infusion, name) for name in named},
            "prospect": self.prospect.value,
            "evaluated": self.evaluated,
            "held_for": [_document(finding) for finding in self.held_for],
            "warnings": [_document(finding) for finding in self.warnings],
            "before": list(self.before),
            "also_open": list(self.also),
            "at_the_chair": list(self.at_the_chair),
            "eligible_from": eligible_from.isoformat() if eligible_from else None,
        }


def _document(finding: Finding) -> dict[str, Any]:
    lifts = finding.eligible_from
    said = {name: getattr(finding, name) for name in ("check", "title", "rule", "message", "action")}
    return {**said, "eligible_from": lifts.isoformat() if lifts else None}


@dataclass(frozen=True)
class Forecast:
    """The visits of some days, by day, the worst first and then by time."""

    first: date
    last: date
    days: Mapping[date, tuple[Outlook, ...]]

    @property
    def outlooks(self) -> Iterator[Outlook]:
        """All of them."""
        return (each for several in self.days.values() for each in several)

    @property
    def counts(self) -> Mapping[Prospect, int]:
        """How many there are of each prospect."""
        found = Counter(each.prospect for each in self.outlooks)
        return {prospect: found[prospect] for prospect in Prospect}

    def document(self) -> dict[str, Any]:
        """The forecast as JSON."""
        return {
            "from": self.first.isoformat(),
            "to": self.last.isoformat(),
            "counts": {prospect.value: number for prospect, number in self.counts.items()},
            "infusions": [each.document() for each in self.outlooks],
        }


def days_asked(days: int, drug: str | None, library: Library, now: datetime, zone: ZoneInfo) -> Asked:
    """So many days from tomorrow on, of a drug by any of its names, or of all. Raises BadInput."""
    if not 1 <= days <= MOST_DAYS:
        raise BadInput([FieldError("days", f"must be a whole number from 1 to {MOST_DAYS}")])
    first = now.astimezone(zone).date() + _DAY
    chosen = find_drug(drug, library).id if drug else None
    return Asked(first, first + (days - 1) * _DAY, chosen)


def forecast(records: SiteRecords, asked: Asked, act: Act, zone: ZoneInfo, library: Library) -> Forecast:
    """The forecast of these days. Raises StoreUnavailable."""
    listed = worklist(records, asked, act, zone, library, further={"forecast": True})
    days: dict[date, list[Outlook]] = {
        asked.first + n * _DAY: [] for n in range((asked.last - asked.first).days + 1)
    }
    with records.reading() as connection:
        for infusion in listed.infusions:
            if infusion.ended is None:
                outlook = _outlook(connection, records.site, infusion, library)
                days[infusion.begins.astimezone(zone).date()].append(outlook)
    return Forecast(
        asked.first, asked.last, {day: tuple(sorted(each, key=_rank)) for day, each in days.items()}
    )


def _rank(outlook: Outlook) -> tuple[int, datetime]:
    return _RANKS[outlook.prospect], outlook.infusion.begins


def _outlook(connection: Connection, site: str, infusion: Planned, library: Library) -> Outlook:
    if infusion.drug not in library.packs:  # it had rules when it was planned
        return Outlook(infusion, Prospect.NOT_READY, evaluated=False)
    document = _document_of(connection, site, infusion, library)
    try:
        return _expected(infusion, _evaluated(document, library))
    except BadInput:
        return Outlook(infusion, Prospect.NOT_READY, evaluated=False)


def _document_of(connection: Connection, site: str, infusion: Planned, library: Library) -> dict[str, Any]:
    """The request to evaluate: that of the visit's checklist, else one of what is carried."""
    planned = {
        "drug": infusion.drug,
        "infusion_at": infusion.infusion_at,
        "patient": {"id": infusion.patient},
    }
    wanted = select(contents.c.request).where(contents.c.checklist == infusion.checklist)
    kept = connection.execute(wanted).scalar_one_or_none() if infusion.checklist else None
    if kept is None:
        return {**planned, "facts": carried_in(connection, site, infusion.patient, infusion.drug, library)}
    request = {name: part for name, part in parse_request(kept).items() if name not in _NOT_AGAIN}
    return {**request, **planned}


def _evaluated(document: dict[str, Any], library: Library) -> Checklist:
    """What comes out now; facts that cannot be so at the planned time are unknown. Raises BadInput."""
    try:
        return answer(read_request(document, library), library)
    except BadInput as bad:
        wrong = {
            error.path.removeprefix("facts.").partition(".")[0].partition("[")[0] for error in bad.errors
        }
        facts = {name: fact for name, fact in document.get("facts", {}).items() if name not in wrong}
        return answer(read_request({**document, "facts": facts}, library), library)


def _expected(infusion: Planned, checklist: Checklist) -> Outlook:
    """What the findings mean for somebody who has not set out yet."""
    open_ones = [each for each in checklist.findings if each.kind in _UNKNOWN and each.missing]
    # A contradiction that names nothing to ask for is one that a rule has found.
    of_now = [each for each in checklist.findings if each.kind is not Kind.PREMEDICATION]
    found = [each for each in of_now if each not in open_ones]
    undecided = [each for each in open_ones if each.status is Status.BLOCK]
    vocabulary = checklist.pack.vocabulary

    def is_of_the_day(fact: str) -> bool:
        return vocabulary[fact].answered_by in _AT_THE_CHAIR

    open_facts = dict.fromkeys([*checklist.needs, *(fact for each in undecided for fact in each.missing)])
    earlier = [fact for fact in open_facts if not is_of_the_day(fact)]
    decisive = {fact for each in undecided for fact in each.missing}
    held_for = tuple(each for each in found if each.status is Status.BLOCK)
    before = tuple(fact for fact in earlier if fact in decisive)
    return Outlook(
        infusion,
        Prospect.HELD if held_for else Prospect.NOT_READY if before else Prospect.OPEN,
        held_for=held_for,
        warnings=tuple(each for each in found if each.status is Status.WARN),
        before=before,
        also=tuple(fact for fact in earlier if fact not in decisive),
        at_the_chair=tuple(fact for fact in open_facts if is_of_the_day(fact)),
    )
