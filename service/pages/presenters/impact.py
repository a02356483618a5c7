"""What other rules would have said of the checklists that are kept, as a pharmacist reads it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from zoneinfo import ZoneInfo

from service.checklist.rules import Pack
from service.pages.texts import Later, gettext, lazy_gettext, ngettext
from service.records.impact import OBSERVATION, Asked, Step
from service.records.impact_tally import Group, Tally, Way, by_strictness, ordered, way_of

_WAYS: Mapping[Way, Later] = {
    Way.LESS: lazy_gettext("Less strict"),
    Way.MORE: lazy_gettext("Stricter"),
    Way.OTHER: lazy_gettext("As strict, but another answer"),
    Way.WORDS: lazy_gettext("Other words only"),
}
_PARTS: Mapping[str, Later] = {
    "action": lazy_gettext("what to do"),
    "because": lazy_gettext("the facts shown"),
    "eligible_from": lazy_gettext("the date on which it lifts"),
    "kind": lazy_gettext("the kind of finding"),
    "message": lazy_gettext("wording"),
    "minutes_after": lazy_gettext("the minutes to watch"),
    "missing": lazy_gettext("the facts asked for"),
    "override": lazy_gettext("who may override"),
    "sources": lazy_gettext("sources"),
    "tags": lazy_gettext("tags"),
    "text": lazy_gettext("wording"),
    "title": lazy_gettext("title"),
    "would_pass_when": lazy_gettext("what would make it pass"),
}


@dataclass(frozen=True)
class Example:
    """A checklist that would change."""

    id: str
    day: str


@dataclass(frozen=True)
class GroupView:
    """What happens to how many checklists, with the first of them; `before` and `after` are statuses."""

    before: str | None
    after: str | None
    says: str
    count: int
    examples: tuple[Example, ...]
    more: int


@dataclass(frozen=True)
class RuleImpact:
    """What one rule would answer otherwise; `rule` is None where its check itself answers."""

    check: str
    rule: str | None
    in_pack: bool
    message: str | None
    groups: tuple[GroupView, ...]


@dataclass(frozen=True)
class Section:
    """The rules whose answers go the same way."""

    title: Later
    rules: tuple[RuleImpact, ...]


@dataclass(frozen=True)
class StatusChange:
    """How many checklists go from one status to another, or keep it with other findings."""

    before: str
    after: str
    count: int


@dataclass(frozen=True)
class ImpactView:
    """What came out; `partial` says how many of the period were looked at, where it was not all."""

    verdict: str
    partial: str | None
    nothing: bool
    made_with: tuple[tuple[str, int], ...]
    statuses: tuple[StatusChange, ...]
    sections: tuple[Section, ...]
    faults: GroupView | None
    refusals: tuple[GroupView, ...]
    left_out: tuple[str, ...]
    reworded: str | None


def impact_view(tally: Tally, asked: Asked, zone: ZoneInfo, total: int, superseded: int) -> ImpactView:
    """What came out of `total` checklists of the period, beside those that others correct."""
    looked_at = tally.assessed + tally.erased
    steps = ordered(tally.steps, asked.pack)
    sections = tuple(
        Section(_WAYS[way], tuple(_rules(list(same), tally, asked.pack, zone)))
        for way, same in groupby(steps, key=way_of)
    )
    return ImpactView(
        verdict=_verdict(tally),
        partial=_partial(looked_at, total) if looked_at < total else None,
        nothing=tally.nothing,
        made_with=tuple(sorted(tally.made_with.items())),
        statuses=tuple(
            StatusChange(before, after, count) for (before, after), count in by_strictness(tally.statuses)
        ),
        sections=sections,
        faults=_group(gettext("The rules engine failed"), tally.faults, zone) if tally.faults.count else None,
        refusals=tuple(
            _group(": ".join([error.path or gettext("the request"), error.message]), group, zone)
            for error, group in sorted(tally.refusals.items())
        ),
        left_out=tuple(_left_out(tally, superseded)),
        reworded=ngettext(
            "%(num)s more would only read differently.",
            "%(num)s more would only read differently.",
            tally.reworded,
        )
        if tally.reworded
        else None,
    )


def _verdict(tally: Tally) -> str:
    if not tally.assessed:
        return gettext("There is no checklist to evaluate.")
    every = ngettext("%(num)s checklist", "%(num)s checklists", tally.assessed)
    if tally.nothing:
        return gettext("Nothing would change in %(every)s.", every=every)
    refused = gettext(" %(count)s would no longer be answered.", count=tally.refused) if tally.refused else ""
    changed = gettext("%(count)s of %(every)s would change.", count=tally.changed, every=every)
    return f"{changed}{refused}"


def _partial(looked_at: int, total: int) -> str:
    return gettext(
        "These are the first %(looked_at)s of %(total)s checklists of this period, from the oldest. Choose a "
        "shorter period, or let dosegate impact on the command line go through all of them.",
        looked_at=looked_at,
        total=total,
    )


def _left_out(tally: Tally, superseded: int) -> Iterator[str]:
    if superseded:
        yield gettext("%(count)s corrected by a later checklist", count=superseded)
    if tally.erased:
        yield gettext("%(count)s erased", count=tally.erased)


def _rules(steps: list[Step], tally: Tally, pack: Pack, zone: ZoneInfo) -> Iterator[RuleImpact]:
    titles = {check.id: check.title for check in pack.checks}
    rules = {rule.id: rule for rule in pack.rules}
    for (check, rule), same in groupby(steps, key=lambda step: (step.check, step.rule)):
        watched = check == OBSERVATION and rule is None
        known = rules.get(rule or "")
        yield RuleImpact(
            gettext("Observation after the infusion") if watched else titles.get(check, check),
            rule,
            rule is None or known is not None,
            known.message if known else None,
            tuple(_step(step, tally.steps[step], zone) for step in same),
        )


def _step(step: Step, group: Group, zone: ZoneInfo) -> GroupView:
    if step.before != step.after:
        return _group("", group, zone, step.before, step.after)
    differs = dict.fromkeys(str(_PARTS.get(each, each)) for each in step.differs)
    return _group(gettext("another: %(parts)s", parts=", ".join(differs)), group, zone, step.before)


def _group(
    says: str, group: Group, zone: ZoneInfo, before: str | None = None, after: str | None = None
) -> GroupView:
    examples = tuple(Example(one.id, str(one.made_at.astimezone(zone).date())) for one in group.first)
    return GroupView(before, after, says, group.count, examples, group.count - len(examples))
