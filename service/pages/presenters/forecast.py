"""The forecast as somebody reads it who can still call the patient, the laboratory or the prescriber."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from service.checklist.facts import Vocabulary
from service.checklist.findings import Finding
from service.knowledge.library import Library
from service.pages.presenters.drug_names import DrugName, alike_names, drug_name
from service.pages.presenters.worklist import weekday
from service.pages.texts import Later, gettext, lazy_gettext
from service.webhooks.forecast import Forecast, Outlook, Prospect

# The shape of each prospect is that of a status. None of them says that nothing will be found.
_STATUSES = {Prospect.HELD: "block", Prospect.NOT_READY: "not_checked", Prospect.OPEN: "open"}
_WORDS: Mapping[Prospect, Later] = {
    Prospect.HELD: lazy_gettext("Will be held"),
    Prospect.NOT_READY: lazy_gettext("Not ready"),
    Prospect.OPEN: lazy_gettext("No block found so far"),
}
_COUNTED: Mapping[Prospect, Later] = {
    Prospect.HELD: lazy_gettext("will be held"),
    Prospect.NOT_READY: lazy_gettext("not ready"),
    Prospect.OPEN: lazy_gettext("with no block found so far"),
}


@dataclass(frozen=True)
class Reason:
    """A finding: the check, what was found, and what to do; from when on time alone lifts it."""

    title: str
    message: str
    action: str
    lifts: date | None


@dataclass(frozen=True)
class OutlookView:
    """One visit. The facts are called as the rules call them, in English.

    `shape` is the status whose shape is shown, None for none. `basis` says what was evaluated.
    """

    word: Later
    shape: str | None
    held: bool
    begins: datetime
    patient: str
    drug: DrugName
    held_for: tuple[Reason, ...]
    warnings: tuple[Reason, ...]
    before: tuple[str, ...]
    also: tuple[str, ...]
    at_the_chair: tuple[str, ...]
    eligible_from: date | None
    evaluated: bool
    basis: str
    checklist: str | None


@dataclass(frozen=True)
class DayView:
    """One day with its visits, worst first."""

    day: date
    weekday: Later
    outlooks: tuple[OutlookView, ...]


@dataclass(frozen=True)
class ForecastView:
    """The whole list: how many there are of each prospect, and the days that have any."""

    first: date
    last: date
    counts: tuple[tuple[int, Later, str | None], ...]
    days: tuple[DayView, ...]
    alike: tuple[DrugName, ...]
    made_at: datetime


def forecast_view(found: Forecast, now: datetime, zone: ZoneInfo, library: Library) -> ForecastView:
    """The forecast as it is shown."""
    days = (
        DayView(day, weekday(day), tuple(_views(outlooks, zone, library)))
        for day, outlooks in found.days.items()
        if outlooks
    )
    counts = tuple((number, _COUNTED[each], _shape(each)) for each, number in found.counts.items())
    alike = alike_names((each.infusion.drug for each in found.outlooks), library)
    return ForecastView(found.first, found.last, counts, tuple(days), alike, now.astimezone(zone))


def _shape(prospect: Prospect) -> str | None:
    status = _STATUSES[prospect]
    return None if status == "open" else status


def _views(outlooks: Iterable[Outlook], zone: ZoneInfo, library: Library) -> Iterable[OutlookView]:
    return (_view(each, zone, library) for each in outlooks)


def _view(outlook: Outlook, zone: ZoneInfo, library: Library) -> OutlookView:
    infusion, vocabulary = outlook.infusion, library.vocabulary
    return OutlookView(
        word=_WORDS[outlook.prospect],
        shape=_shape(outlook.prospect),
        held=outlook.prospect is Prospect.HELD,
        begins=infusion.begins.astimezone(zone),
        patient=infusion.patient,
        drug=drug_name(infusion.drug, library),
        held_for=_reasons(outlook.held_for),
        warnings=_reasons(outlook.warnings),
        before=_labels(outlook.before, vocabulary),
        also=_labels(outlook.also, vocabulary),
        at_the_chair=_labels(outlook.at_the_chair, vocabulary),
        eligible_from=outlook.eligible_from,
        evaluated=outlook.evaluated,
        basis=gettext("from the checklist of this visit")
        if infusion.checklist
        else gettext("not checked yet; from what earlier checklists say"),
        checklist=infusion.checklist,
    )


def _reasons(findings: Iterable[Finding]) -> tuple[Reason, ...]:
    return tuple(Reason(f.title, f.message, f.action, f.eligible_from) for f in findings)


def _labels(names: Iterable[str], vocabulary: Vocabulary) -> tuple[str, ...]:
    return tuple(vocabulary[name].label for name in names)
