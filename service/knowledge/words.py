"""Rules in words: their conditions, values, units and sources, as a nurse or a program reads them.

`Words` speaks to people: a condition is a tree of short lines, with the labels of facts and the site's own
numbers in place. `in_words` is the one sentence that the API documents: programs store and compare it, so it
names the parameters of the site's policy. Both say a criterion that fails in the same way.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any, Self

from service.checklist.amounts import Named
from service.checklist.conditions import AllOf, AnyOf, Condition, Criterion, Defined, Not, Recorded
from service.checklist.facts import FieldDefinition
from service.checklist.findings import Because
from service.checklist.measures import AgeLimit
from service.checklist.rules import Citation, Pack, Source
from service.checklist.terms import Constant, FactValue, Policy, Term
from service.checklist.truth import FALSE, TRUE, Truth
from service.knowledge.library import Library
from service.knowledge.vocabulary import SitePolicy
from service.knowledge.writing import UNITS, amount, listed

_CODE = re.compile(r"[a-z0-9_]+")
_SITE = re.compile(r"the site's ([a-z_ ]+)")
_SUM = re.compile(r"(-?\d+) (plus|minus) (\d+)\b(?!\.)")
_ONLY = re.compile(r"\bis (one|none) of ((?:(?! or | and ).)+)(?= and |$)")
_ARTICLE = re.compile(r"\bhas (no )?entry\b")


@dataclass(frozen=True)
class Words:
    """The words of one pack: its labels and named quantities, the site's policy, the offset of times."""

    pack: Pack
    library: Library
    quantities: Mapping[str, str]
    operands: re.Pattern[str]
    zone: tzinfo | None

    @classmethod
    def of(cls, pack: Pack, library: Library, zone: tzinfo | None = None) -> Self:
        """The words for a pack; times are shown at the offset `zone`."""
        terms = (term for measure, _, _ in pack.measures for term in measure.terms())
        named = {term.name: term.label for term in _all_terms(terms) if isinstance(term, Named)}
        phrases = [name.replace("_", " ") for name in pack.vocabulary.facts]
        several = [re.escape(phrase) for phrase in sorted(phrases, key=len, reverse=True) if " " in phrase]
        earlier = [re.escape(f"{phrase}.previous") for phrase in phrases]
        operands = re.compile(rf"\b({'|'.join([*earlier, *several])})\b")
        return cls(pack, library, named, operands, zone)

    def label(self, name: str) -> str:
        """The label of a fact or a named quantity; any other name as it is."""
        base, _, part = name.partition(".")
        if base == "policy":
            return f"site policy on {part.replace('_', ' ')}"
        facts = self.pack.vocabulary.facts
        label = facts[base].label if base in facts else self.quantities.get(base, base.replace("_", " "))
        return {"previous": f"earlier {label}", "collected": f"date of {label}"}.get(part, label)

    def moment(self, at: date | datetime) -> str:
        """A date, or a date with the time at the infusion's offset."""
        if isinstance(at, datetime):
            return f"{at.astimezone(self.zone):%Y-%m-%d %H:%M}"
        return at.isoformat()

    def value(self, name: str, value: Any, unit: str | None = None) -> str:
        """The value of a fact."""
        definition = self.pack.vocabulary.facts.get(name)
        if isinstance(value, tuple | list):
            return "; ".join(self._item(name, each) for each in value) or "none"
        if isinstance(value, date):
            return self.moment(value)
        if isinstance(value, str):
            known = {**definition.values, **definition.words} if definition else {}
            return known.get(value, value)
        return amount(value, unit)

    def _item(self, name: str, item: Any) -> str:
        if isinstance(item, str):
            return self.value(name, item)
        fields = self.pack.vocabulary[name].fields
        return ", ".join(
            self._field(item[each], fields[each]) for each in fields if item.get(each) is not None
        )

    def _field(self, value: Any, field: FieldDefinition) -> str:
        if isinstance(value, Mapping):
            return amount(value["value"], (value["unit"]))
        if isinstance(value, date):
            return self.moment(value)
        code = self.pack.vocabulary.codes[field.codes].get(value) if field.codes else None
        return f"{code.label} ({value})" if code else field.values.get(value, value)

    def because(self, because: Because, *, labelled: bool = True) -> str:
        """A fact that settled a finding: value, date, source."""
        said = self.value(because.fact, because.value, because.unit)
        if labelled:
            said = f"{self.label(because.fact)}: {said}"
        when = [self.moment(because.at)] if because.at else []
        return ", ".join([said, *when, *([because.source] if because.source else [])])

    def citation(self, citation: Citation) -> str:
        """A place in a source."""
        section = "section " if citation.at[:1].isdigit() else ""
        return f"{self.source(citation.source)}, {section}{citation.at}"

    def source(self, source: Source) -> str:
        """A document and its revision."""
        return f"{source.title}, {'' if source.revised == 'undated' else 'revised '}{source.revised}"

    def condition(self, condition: Condition) -> tuple[str, tuple[Condition, ...]]:
        """A condition as a line, and the parts that stand under it."""
        if (said := _alone(condition)) is not None:
            return self.criterion(*said), ()
        match condition:
            case Not(part=AnyOf() as part):
                return "none of", part.parts
            case Not(part=part):
                line, parts = self.condition(part)
                return f"not: {line}", parts
            case Recorded(part=part):
                line, parts = self.condition(part)
                return f"on record: {line}", parts
            case Defined(part=AllOf() | AnyOf() as part):
                return f"{condition.label}: {self.condition(part)[0]}", part.parts
            case Defined():
                return f"{condition.label}:", condition.parts
            case _:
                return ("all of" if isinstance(condition, AllOf) else "any of"), condition.parts

    def criterion(self, criterion: Criterion, truth: Truth = TRUE) -> str:
        """One criterion as a statement, with the site's own numbers."""
        verb = criterion.operator.negated if truth is FALSE else criterion.operator.says
        said = self._stated(criterion.name, self.label(criterion.name), f"{verb} {criterion.object}".strip())
        age = criterion.measure.age
        return f"{said}{self._age(age) if age else ''}{self._policies(criterion)}"

    def proposal(self, sentence: str) -> str:
        """A sentence of advice (`anti_hbc_total is negative`) with labels for ids."""
        name, _, rest = sentence.partition(" ")
        return self._stated(name, self.label(name), rest)

    def _stated(self, name: str, label: str, said: str) -> str:
        """The label and what is said of it; a plain yes or no reads as an answer (`breastfeeding: no`)."""
        answer = said.removeprefix("is ")
        if answer.removeprefix("not ") in ("yes", "no"):
            return f"{label}: {answer}"
        return f"{label} {self._in_words(name, said)}"

    def _in_words(self, name: str, said: str) -> str:
        definition = self.pack.vocabulary.facts.get(name.partition(".")[0])
        said = _SUM.sub(_summed, _SITE.sub(self._site, said))
        said = self.operands.sub(self._operand, _ONLY.sub(_only, said))
        said = " ".join(UNITS.get(word, word) for word in said.split(" "))
        if definition is not None and definition.type == "list":
            plain = said.replace("_", " ")
            return _ARTICLE.sub(lambda match: f"have {match[1] or 'an '}entry", plain)
        codes = definition.values if definition is not None else {}
        return _CODE.sub(lambda match: codes.get(match[0], match[0]), said)

    def _operand(self, match: re.Match[str]) -> str:
        """Another fact that a value is compared with, by its label."""
        name, _, part = match[0].partition(".")
        return self.label(f"{name.replace(' ', '_')}.{part}")

    def _site(self, match: re.Match[str]) -> str:
        """`the site's …` as the site's own number; the unit stands behind it already, or in the label."""
        words = match[1].split(" ")
        for end in range(len(words), 0, -1):
            parameter = self.library.policy.parameters.get("_".join(words[:end]))
            if parameter is not None and parameter.value is not None:
                percent = ["%"] if parameter.unit == "percent" else []
                return " ".join([str(parameter.value), *percent, *words[end:]])
        return match[0]

    def _age(self, age: AgeLimit) -> str:
        match age.limit:
            case Policy(name=name):
                limit = f"{self._policy(name)} (site policy)"
            case Constant(amount=days):
                limit = f"{days} {'hours' if age.hours else 'days'}"
            case _:
                limit = "the computed age"
        match age.before:
            case Named(label=anchor):
                before = anchor
            case FactValue(fact=fact):
                before = self.label(fact)
            case _:
                before = "infusion"
        return f", no older than {limit} before the {before}"

    def _policies(self, criterion: Criterion) -> str:
        limit = criterion.measure.age.limit if criterion.measure.age else None
        names = dict.fromkeys(
            name for term in criterion.measure.terms() if term is not limit for name in term.policies()
        )
        said = [f"{name.replace('_', ' ')} is {self._policy(name)}" for name in names]
        return f" (site policy: {listed(said)})" if said else ""

    def _policy(self, name: str) -> str:
        parameter = self.library.policy.parameters[name]
        if parameter.value is None:
            return "not set"
        unit = UNITS.get(parameter.unit or "", parameter.unit or "")
        return f"{parameter.value} {unit}".strip()


def _only(match: re.Match[str]) -> str:
    """`is one of` a single thing is that thing."""
    return f"is {'not ' if match[1] == 'none' else ''}{match[2]}"


def _summed(match: re.Match[str]) -> str:
    by = int(match[3])
    return str(int(match[1]) + (by if match[2] == "plus" else -by))


def _all_terms(terms: Iterable[Term]) -> Iterator[Term]:
    for term in terms:
        yield term
        yield from _all_terms(term.inputs())


def _alone(condition: Condition) -> tuple[Criterion, Truth] | None:
    """The one criterion that a condition is, and whether it holds or fails; an age limit cannot be denied."""
    match condition:
        case Criterion():
            return condition, TRUE
        case Not(part=Criterion() as part) if part.measure.age is None:
            return part, FALSE
    return None


# ---------------------------------------------------------------- one sentence, for programs


def in_words(condition: Condition, policy: SitePolicy) -> str:
    """What has to be so, with the site's own numbers."""
    if (said := _alone(condition)) is not None:
        return _criterion(*said, policy)
    match condition:
        case Not(part=Recorded(part=part)):
            return f"it is not on record that {_grouped(part, policy)}"
        case Not(part=part):
            return f"not ({in_words(part, policy)})"
        case Recorded(part=part):
            return f"it is on record that {_grouped(part, policy)}"
        case Defined(label=label, part=part):
            return f"{label} ({in_words(part, policy)})"
        case AllOf():
            return " and ".join(_grouped(part, policy) for part in _joined(condition))
        case AnyOf():
            return " or ".join(_grouped(part, policy) for part in _joined(condition))
    raise TypeError(f"{type(condition).__name__} has no words")


def _joined(condition: AllOf | AnyOf) -> Iterator[Condition]:
    """The parts, those of a part that is joined in the same way among them."""
    for part in condition.parts:
        if isinstance(part, AllOf | AnyOf) and type(part) is type(condition):
            yield from _joined(part)
        else:
            yield part


def _grouped(condition: Condition, policy: SitePolicy) -> str:
    said = in_words(condition, policy)
    return f"({said})" if isinstance(condition, AllOf | AnyOf) and len(condition.parts) > 1 else said


def _criterion(criterion: Criterion, truth: Truth, policy: SitePolicy) -> str:
    said = criterion.says(truth)
    return f"{said}{_age(criterion.measure.age, policy)}" if criterion.measure.age else said


def _age(age: AgeLimit, policy: SitePolicy) -> str:
    unit = "hours" if age.hours else "days"
    match age.limit:
        case Policy(name=name):
            value = policy.values[name]
            return f", no older than {'(not set)' if value is None else value} {unit} (site policy {name})"
        case Constant(amount=amount):
            return f", no older than {amount} {unit}"
    return ", no older than a computed age"
