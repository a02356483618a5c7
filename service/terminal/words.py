"""Values, units and conditions in the words that a nurse or a pharmacist reads."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal
from typing import Any

from service.checklist.amounts import Named
from service.checklist.conditions import AllOf, AnyOf, Condition, Criterion, Defined, Not, Recorded
from service.checklist.facts import FieldDefinition
from service.checklist.findings import Because
from service.checklist.measures import AgeLimit
from service.checklist.rules import Citation, Pack, Source
from service.checklist.terms import Constant, FactValue, Policy, Term
from service.checklist.truth import FALSE, TRUE, Truth
from service.knowledge.library import Library
from service.terminal.failures import clean

UNITS = {
    "Cel": "°C",
    "[degF]": "°F",
    "10*9/L": "10⁹/L",
    "umol/L": "µmol/L",
    "/uL": "/µL",
    "mg/m2": "mg/m²",
    "m2": "m²",
    "percent": "%",
    "[in_i]": "in",
    "[lb_av]": "lb",
}
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_CODE = re.compile(r"[a-z0-9_]+")
_SITE = re.compile(r"the site's ([a-z_ ]+)")
_SUM = re.compile(r"(-?\d+) (plus|minus) (\d+)\b(?!\.)")
_ONLY = re.compile(r"\bis (one|none) of ((?:(?! or | and ).)+)(?= and |$)")
_ARTICLE = re.compile(r"\bhas (no )?entry\b")


def counted(number: int, one: str, many: str = "") -> str:
    """`1 block`, `2 blocks`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def listed(words: Iterable[str], joint: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    *most, last = list(words) or [""]
    return f"{', '.join(most)} {joint} {last}" if most else last


def number(value: int | Decimal) -> str:
    """A number to at most three decimals; a shortened one says so."""
    if isinstance(value, int):
        return str(value)
    short = round(value, 3)
    if value and not short:
        return f"about {value:.2g}"
    text = f"{short.normalize():f}"
    return text if short == value else f"about {text}"


def amount(value: int | Decimal, unit: str | None) -> str:
    """A number with its unit as it is written on a chart."""
    return f"{number(value)} {UNITS.get(unit, unit)}" if unit else number(value)


@dataclass(frozen=True)
class Words:
    """The words of one pack: its labels and named quantities, the site's policy, the offset of times."""

    pack: Pack
    library: Library
    quantities: Mapping[str, str]
    operands: re.Pattern[str]
    zone: tzinfo | None

    @classmethod
    def of(cls, pack: Pack, library: Library, zone: tzinfo | None = None) -> "Words":
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
            return clean(known.get(value, value))
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
            return amount(value["value"], clean(value["unit"]))
        if isinstance(value, date):
            return self.moment(value)
        code = self.pack.vocabulary.codes[field.codes].get(value) if field.codes else None
        return f"{code.label} ({value})" if code else clean(field.values.get(value, value))

    def because(self, because: Because, *, labelled: bool = True) -> str:
        """A fact that settled a finding: value, date, source."""
        said = self.value(because.fact, because.value, because.unit)
        if labelled:
            said = f"{self.label(because.fact)}: {said}"
        when = [self.moment(because.at)] if because.at else []
        return ", ".join([said, *when, *([clean(because.source)] if because.source else [])])

    def citation(self, citation: Citation) -> str:
        """A place in a source."""
        section = "section " if citation.at[:1].isdigit() else ""
        return f"{self.source(citation.source)}, {section}{citation.at}"

    def source(self, source: Source) -> str:
        """A document and its revision."""
        return f"{source.title}, {'' if source.revised == 'undated' else 'revised '}{source.revised}"

    # Conditions

    def condition(self, condition: Condition) -> tuple[str, tuple[Condition, ...]]:
        """A condition as a line, and the parts that stand under it."""
        match condition:
            case Criterion():
                return self.criterion(condition), ()
            case Not(part=Criterion() as part) if part.measure.age is None:
                return self.criterion(part, FALSE), ()
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
