"""How well the rules serve: how often each was found, answered and overridden, why, and after how long.

A visit counts once: a checklist that another one corrects is left out. One that was held by a fault counts
for no rule, since none was evaluated.
"""

import json
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, exists, func, select

from service.intake.filters import Filters
from service.records.card_figures import NO_CARDS, CardFigures, card_figures
from service.records.journal import Act, Event
from service.records.search import ANSWERS, matching
from service.records.site import SiteRecords
from service.records.tables import checklists, contents, flagged, journal

_OVERRIDDEN = Event.BLOCK_OVERRIDDEN.value


@dataclass(frozen=True)
class _Rule:
    """A rule of a drug."""

    drug: str
    check: str
    rule: str


@dataclass(frozen=True)
class _Answer:
    """How a finding was answered at last, and how many seconds after the checklist was made it first was."""

    event: str
    reason: str | None
    after: float


@dataclass(frozen=True)
class RuleFigures:
    """The figures of one rule of one drug; `seconds` are from the checklist to each answer."""

    drug: str
    check: str
    rule: str
    evaluated: int
    fired: int
    undecided: int
    overridden: int
    acknowledged: int
    reasons: Mapping[str, int]
    seconds: Sequence[float]
    cards: CardFigures = NO_CARDS

    @property
    def found(self) -> int:
        """In how many checklists it was a finding."""
        return self.fired + self.undecided

    @property
    def share_overridden(self) -> float:
        """The part of its findings that was overridden, 0 to 1."""
        return self.overridden / self.found if self.found else 0.0

    @property
    def note(self) -> str | None:
        """What to think of it, where that is plain."""
        if 2 * self.overridden <= self.found:
            return None
        return "More than half of its findings are overridden: review the rule with those who override it."

    def document(self) -> dict[str, Any]:
        """The figures as JSON."""
        counted = {name: value for name, value in vars(self).items() if name not in ("seconds", "cards")}
        return {
            **counted,
            "reasons": dict(sorted(self.reasons.items(), key=lambda each: (-each[1], each[0]))),
            "unanswered": self.found - self.overridden - self.acknowledged,
            "share_overridden": round(self.share_overridden, 4),
            "median_seconds_to_answer": statistics.median(self.seconds) if self.seconds else None,
            "p90_seconds_to_answer": _nearest_rank(self.seconds, 90) if self.seconds else None,
            "cards": self.cards.document(),
            "note": self.note,
        }


@dataclass(frozen=True)
class Quality:
    """The figures of every rule, the most overridden first; `held_by_a_fault` are among `checklists`."""

    checklists: int
    held_by_a_fault: int
    rules: tuple[RuleFigures, ...]

    def document(self) -> dict[str, Any]:
        """The figures as JSON."""
        return {**vars(self), "rules": [rule.document() for rule in self.rules]}


def quality(
    records: SiteRecords, act: Act, first: datetime | None, last: datetime | None, drug: str | None
) -> Quality:
    """The figures of a drug, or of all, for checklists made in a period; entered. Raises StoreUnavailable."""
    counted = Filters(drug=drug, made_from=first, made_to=last, superseded=False)
    with records.reading() as connection:
        made = connection.execute(matching(records.site, counted, [func.count()])).scalar_one()
        evaluated = dict(_evaluated(connection, records.site, counted))
        found = _found(connection, records.site, counted)
        answers = _answers(connection, records.site, counted)
        given = card_figures(connection, records.site, counted)
        sound = connection.execute(_sound(records.site, counted, [func.count()])).scalar_one()
    period = {name: value for name, value in counted.document().items() if name != "superseded"}
    records.enter(act, Event.QUALITY_VIEWED, "rules", period)
    rules = [
        replace(
            _figures(rule, evaluated, found.get(rule, Counter()), answers.get(rule, [])),
            cards=given.get((rule.drug, rule.check, rule.rule), NO_CARDS),
        )
        for rule in {*evaluated, *found}
    ]
    rules.sort(key=lambda each: (-each.overridden, -each.share_overridden, -each.found, each.drug, each.rule))
    return Quality(made, made - sound, tuple(rules))


def _sound(site: str, counted: Filters, columns: Sequence[Any]) -> Select[Any]:
    """The counted checklists whose rules were evaluated: a fault holds the infusion without naming a rule."""
    named = exists().where(flagged.c.checklist == checklists.c.id)
    return matching(site, counted, columns).where((checklists.c.status == "pass") | named)


def _evaluated(connection: Connection, site: str, counted: Filters) -> Iterator[tuple[_Rule, int]]:
    """How many checklists evaluated each rule: each version of a pack has its own, as a trace says."""
    versions = _sound(
        site,
        counted,
        [
            checklists.c.drug,
            checklists.c.knowledge,
            func.count().label("made"),
            func.max(contents.c.checklist),
        ],
    ).group_by(checklists.c.drug, checklists.c.knowledge)
    times: Counter[_Rule] = Counter()
    for drug, _, made, one in connection.execute(versions).all():
        trace = connection.execute(select(contents.c.trace).where(contents.c.checklist == one)).scalar()
        for check in json.loads(trace)["checks"] if trace else ():
            for rule in check["rules"]:
                times[_Rule(drug, check["check"], rule["rule"])] += made
    yield from times.items()


def _found(connection: Connection, site: str, counted: Filters) -> Mapping[_Rule, Counter[str]]:
    """How often each rule fired, and could not be decided."""
    rule = (checklists.c.drug, flagged.c.check, flagged.c.rule)
    wanted = (
        matching(site, counted, [*rule, flagged.c.verdict, func.count()])
        .join(flagged, flagged.c.checklist == checklists.c.id)
        .group_by(*rule, flagged.c.verdict)
    )
    found: dict[_Rule, Counter[str]] = defaultdict(Counter)
    for drug, check, name, verdict, times in connection.execute(wanted):
        found[_Rule(drug, check, name)][verdict] = times
    return found


def _answers(connection: Connection, site: str, counted: Filters) -> Mapping[_Rule, list[_Answer]]:
    """How each finding was answered."""
    details = journal.c.details
    about = and_(
        journal.c.site == site,
        journal.c.subject == checklists.c.id,
        journal.c.event.in_(list(ANSWERS.values())),
    )
    finding = and_(
        flagged.c.checklist == checklists.c.id,
        flagged.c.rule == details["rule"].as_string(),
    )
    columns = [checklists.c.id, checklists.c.drug, checklists.c.created_at, flagged.c.check, flagged.c.rule]
    wanted = (
        matching(site, counted, [*columns, journal.c.at, journal.c.event, details])
        .join(journal, about)
        .join(flagged, finding)
        .order_by(journal.c.sequence)
    )
    answers: dict[tuple[str, _Rule], _Answer] = {}
    for id, drug, made, check, rule, at, event, said in connection.execute(wanted):
        key = (id, _Rule(drug, check, rule))
        first = answers[key].after if key in answers else (at - made).total_seconds()
        answers[key] = _Answer(event, said.get("reason"), first)
    by_rule = defaultdict(list)
    for (_, answered), answer in answers.items():
        by_rule[answered].append(answer)
    return by_rule


def _figures(
    rule: _Rule, evaluated: Mapping[_Rule, int], found: Counter[str], answers: Sequence[_Answer]
) -> RuleFigures:
    overridden = sum(answer.event == _OVERRIDDEN for answer in answers)
    return RuleFigures(
        **vars(rule),
        # Where every patient of a version was erased, no trace is left: what was found was evaluated.
        evaluated=max(evaluated.get(rule, 0), found.total()),
        fired=found["holds"],
        undecided=found["undecided"],
        overridden=overridden,
        acknowledged=len(answers) - overridden,
        reasons=Counter(answer.reason for answer in answers if answer.reason is not None),
        seconds=tuple(sorted(answer.after for answer in answers)),
    )


def _nearest_rank(ordered: Sequence[float], percent: int) -> float:
    """The smallest of them that so many percent do not exceed."""
    return ordered[-(-percent * len(ordered) // 100) - 1]
