"""How well the rules serve, as tables and charts with the same numbers, and which rules to review."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from service.knowledge.library import Library
from service.pages.charts import Chart, Row, bars
from service.pages.texts import gettext, ngettext
from service.records.quality import Quality, RuleFigures
from service.records.reasons import Reason

_MOST_DRAWN = 12
_REASONS = {each.value: each.words for each in Reason}


@dataclass(frozen=True)
class RuleLine:
    """A rule's figures, each as it is written; a time that nobody took is a dash.

    `label` names the drug too where several drugs have a rule of that name. `cards` were shown, accepted and
    overridden.
    """

    rule: str
    label: str
    check: str
    drug: str
    evaluated: int
    fired: int
    undecided: int
    found: int
    overridden: int
    acknowledged: int
    unanswered: int
    part_overridden: float
    share: str
    median: str
    p90: str
    reasons: tuple[tuple[str, int], ...]
    cards: tuple[int, int, int]
    card_reasons: tuple[tuple[str, int], ...]
    review: bool


@dataclass(frozen=True)
class QualityView:
    """All of it. `found` are rules that were found at least once, `quiet` those that never were.

    `drawn` are the rules of the charts, which are the first of `found`.
    """

    counted: str
    faults: int
    found: tuple[RuleLine, ...]
    quiet: tuple[RuleLine, ...]
    drawn: tuple[RuleLine, ...]
    reasons: tuple[tuple[str, int], ...]
    answers: Chart
    shares: Chart
    why: Chart
    has_cards: bool

    @property
    def review(self) -> tuple[RuleLine, ...]:
        """The rules that are marked for review."""
        return tuple(rule for rule in self.found if rule.review)


def quality_view(figures: Quality, library: Library) -> QualityView:
    """The figures as a page shows them."""
    times = Counter(each.rule for each in figures.rules)
    lines = [_line(each, library, is_only=times[each.rule] == 1) for each in figures.rules]
    found = tuple(line for line in lines if line.found)
    drawn = found[:_MOST_DRAWN]
    reasons: Counter[str] = Counter()
    for line in found:
        reasons.update(dict(line.reasons))
    ordered = tuple(reasons.most_common())
    return QualityView(
        counted=ngettext("%(num)s checklist", "%(num)s checklists", figures.checklists),
        faults=figures.held_by_a_fault,
        found=found,
        quiet=tuple(line for line in lines if not line.found),
        drawn=drawn,
        reasons=ordered,
        answers=_answers(drawn),
        shares=_shares(drawn),
        why=_why(ordered),
        has_cards=any(line.cards[0] for line in lines),
    )


def _line(figures: RuleFigures, library: Library, *, is_only: bool) -> RuleLine:
    pack = library.packs.get(figures.drug)
    document = figures.document()
    cards = figures.cards
    return RuleLine(
        rule=figures.rule,
        label=figures.rule if is_only else f"{figures.rule} ({figures.drug})",
        check=figures.check,
        drug=pack.title if pack else figures.drug,
        evaluated=figures.evaluated,
        fired=figures.fired,
        undecided=figures.undecided,
        found=figures.found,
        overridden=figures.overridden,
        acknowledged=figures.acknowledged,
        unanswered=document["unanswered"],
        part_overridden=figures.share_overridden,
        share=percent(figures.share_overridden),
        median=duration(document["median_seconds_to_answer"]),
        p90=duration(document["p90_seconds_to_answer"]),
        reasons=tuple((_reason(code), times) for code, times in document["reasons"].items()),
        cards=(cards.shown, cards.accepted, cards.overridden),
        card_reasons=tuple((_reason(code), times) for code, times in document["cards"]["reasons"].items()),
        review=figures.note is not None,
    )


def _reason(code: str) -> str:
    return gettext(_REASONS[code]) if code in _REASONS else code


def percent(share: float) -> str:
    """A part of one in percent, to one digit."""
    return f"{100 * share:.1f} %"


def duration(seconds: float | None) -> str:
    """A time in the largest unit in which it is at least two; a dash for none."""
    if seconds is None:
        return "–"
    if seconds < 120:
        return gettext("%(num)s s", num=round(seconds))
    if seconds < 7200:
        return gettext("%(num)s min", num=round(seconds / 60))
    if seconds < 172_800:
        return gettext("%(num)s h", num=round(seconds / 3600))
    return gettext("%(num)s days", num=round(seconds / 86_400))


# ---------------------------------------------------------------- charts


def _answers(lines: Sequence[RuleLine]) -> Chart:
    rows = [
        Row(line.label, (line.overridden, line.acknowledged, line.unanswered), str(line.found))
        for line in lines
    ]
    says = gettext("For each rule, how many of its findings were overridden, acknowledged or not answered.")
    keys = (gettext("Overridden"), gettext("Acknowledged"), gettext("Not answered"))
    return bars("answers", gettext("How findings were answered"), _read(says, rows), rows, keys=keys)


def _shares(lines: Sequence[RuleLine]) -> Chart:
    rows = [Row(line.label, (line.part_overridden,), line.share) for line in lines]
    says = gettext("For each rule, the share of its findings that was overridden, of 100 %.")
    return bars("shares", gettext("Share overridden"), _read(says, rows), rows, full=1)


def _why(reasons: Sequence[tuple[str, int]]) -> Chart:
    rows = [Row(words, (times,), str(times)) for words, times in reasons]
    says = gettext("How often each reason was given for an answer.")
    return bars("why", gettext("Reasons given"), _read(says, rows), rows)


def _read(says: str, rows: Sequence[Row]) -> str:
    """What a chart says, with its numbers."""
    return " ".join([says, *(f"{row.label}: {row.number}." for row in rows)])
