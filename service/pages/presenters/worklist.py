"""The infusions of a day as a nurse reads them: when, who, what, how it stands, and the one thing to tap."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from service.checklist.rules import Pack, Status
from service.knowledge.library import Library
from service.pages.moments import near
from service.pages.presenters.drug_names import DrugName, alike_names, drug_name
from service.pages.presenters.visit_acts import OUTCOMES
from service.pages.statuses import NOT_CHECKED
from service.pages.texts import Later, gettext, lazy_gettext, ngettext
from service.records.stored import Flag
from service.webhooks.infusions import CANCELLED
from service.webhooks.worklist import Planned, Worklist

_DAYS = (
    lazy_gettext("Monday"),
    lazy_gettext("Tuesday"),
    lazy_gettext("Wednesday"),
    lazy_gettext("Thursday"),
    lazy_gettext("Friday"),
    lazy_gettext("Saturday"),
    lazy_gettext("Sunday"),
)
_DAY = timedelta(days=1)
_MOST_NAMED = 3
_WORST_FIRST = (Status.BLOCK, Status.WARN)


@dataclass(frozen=True)
class DraftLine:
    """A checklist that somebody has begun."""

    id: str
    kept_by: str
    kept_at: str


@dataclass(frozen=True)
class Row:
    """One infusion. `blocks` and `warns` are titles of checks that found something, in the rules' English.

    `not_known` are titles of checks that cannot be decided yet, the worst ones, and `more_not_known` says how
    many others there are. `told_by` is who planned it. `begins` is in the site's zone.
    """

    begins: datetime
    patient: str
    drug: DrugName
    status: str
    blocks: tuple[str, ...]
    warns: tuple[str, ...]
    not_known: tuple[str, ...]
    more_not_known: str
    checklist: str | None
    checked_at: str
    drafts: tuple[DraftLine, ...]
    outcome: Later | None
    told_by: str


@dataclass(frozen=True)
class Count:
    """How many there are of one status, or of what has no status of its own."""

    number: int
    word: Later | str
    status: str | None = None


@dataclass(frozen=True)
class TodayView:
    """The page of one day. `over` are visits that have ended; `alike` are names that look like each other."""

    day: date
    weekday: Later
    is_today: bool
    before: date
    after: date
    counts: tuple[Count, ...]
    open: tuple[Row, ...]
    over: tuple[Row, ...]
    alike: tuple[DrugName, ...]
    cancelled: str


def weekday(day: date) -> Later:
    """The name of a day of the week."""
    return _DAYS[day.weekday()]


def today_view(found: Worklist, day: date, now: datetime, zone: ZoneInfo, library: Library) -> TodayView:
    """The page of a day, worst first as the worklist has it."""
    rows = rows_of(found.infusions, zone, library)
    drugs = [row.drug.id for row in rows]
    open_ones = tuple(row for row in rows if row.outcome is None)
    over = tuple(row for row in rows if row.outcome is not None)
    cancelled = found.counts[CANCELLED]
    return TodayView(
        day=day,
        weekday=weekday(day),
        is_today=day == now.astimezone(zone).date(),
        before=day - _DAY,
        after=day + _DAY,
        counts=_counts(open_ones, over),
        open=open_ones,
        over=over,
        alike=alike_names(drugs, library),
        cancelled=ngettext("%(num)s was cancelled.", "%(num)s were cancelled.", cancelled)
        if cancelled
        else "",
    )


def _counts(open_ones: Iterable[Row], over: Iterable[Row]) -> tuple[Count, ...]:
    statuses = [row.status for row in open_ones]
    words = {
        Status.BLOCK.word: gettext("blocked"),
        NOT_CHECKED: gettext("not checked"),
        Status.WARN.word: gettext("with warnings"),
        Status.PASS.word: gettext("with nothing found"),
    }
    counted = [Count(statuses.count(status), word, status) for status, word in words.items()]
    return (*counted, Count(len(list(over)), gettext("over")))


def rows_of(infusions: Iterable[Planned], zone: ZoneInfo, library: Library) -> tuple[Row, ...]:
    """Each infusion as a row, in the same order."""
    return tuple(_row(each, zone, library) for each in infusions)


def _row(infusion: Planned, zone: ZoneInfo, library: Library) -> Row:
    pack = library.packs.get(infusion.drug)
    flags, not_known = infusion.flags, _titles(infusion.flags, pack, "undecided", *_WORST_FIRST)
    more = len(not_known) - _MOST_NAMED
    return Row(
        begins=infusion.begins.astimezone(zone),
        patient=infusion.patient,
        drug=drug_name(infusion.drug, library),
        status=infusion.status or NOT_CHECKED,
        blocks=_titles(flags, pack, "holds", Status.BLOCK),
        warns=_titles(flags, pack, "holds", Status.WARN),
        not_known=not_known[:_MOST_NAMED],
        more_not_known=ngettext("and %(num)s more", "and %(num)s more", more) if more > 0 else "",
        checklist=infusion.checklist,
        checked_at=_when(infusion.checked_at, infusion, zone) if infusion.checked_at else "",
        drafts=tuple(
            DraftLine(each.id, each.kept_by, _when(each.kept_at, infusion, zone)) for each in infusion.drafts
        ),
        outcome=OUTCOMES[infusion.ended.outcome] if infusion.ended else None,
        told_by=_told_by(infusion),
    )


def _titles(flags: Iterable[Flag], pack: Pack | None, verdict: str, *statuses: Status) -> tuple[str, ...]:
    """The checks in which a rule of one of these statuses has this verdict, by status, each once."""
    titles = {check.id: check.title for check in pack.checks} if pack else {}
    known = list(flags)
    found = (
        flag.check
        for status in statuses
        for flag in known
        if flag.verdict == verdict and flag.status == status.word
    )
    return tuple(titles.get(check, check) for check in dict.fromkeys(found))


def _when(at: datetime, infusion: Planned, zone: ZoneInfo) -> str:
    """The time of day where it is that of the infusion, else the day too."""
    return near(at.astimezone(zone), infusion.begins.astimezone(zone))


def _told_by(infusion: Planned) -> str:
    if infusion.reference is None:
        return gettext("not planned here")
    if infusion.sender is None:
        return gettext("%(reference)s, from a list", reference=infusion.reference)
    return gettext("%(reference)s, from %(sender)s", reference=infusion.reference, sender=infusion.sender)
