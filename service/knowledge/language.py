"""The rule language: a condition in YAML becomes a condition of the core.

A condition is one of

    all: [...]    any: [...]    not: {...}    recorded: {...}    use: definition
    subject: {operator: operand, ...}

A subject is a fact, `fact.previous`, `fact.collected`, a named quantity, `region` or `policy.parameter`.
Nothing is defaulted and no string is parsed, but for an amount with its unit (300 mg).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from service.checklist.conditions import AllOf, AnyOf, Condition, Criterion, Defined, Not, Recorded
from service.checklist.facts import Vocabulary
from service.checklist.measures import AgeLimit, Measure
from service.checklist.operators import OPERATORS, Operator
from service.checklist.terms import Conflicting, FactValue, Infusion, Known, Policy, Region, Term, Word
from service.checklist.truth import FALSE, TRUE, Truth
from service.knowledge.entries import read_entry
from service.knowledge.phrases import say_operand
from service.knowledge.problems import Mistake, did_you_mean
from service.knowledge.quantities import number_operand, read_term
from service.knowledge.vocabulary import SitePolicy

Path = tuple[str | int, ...]
MODIFIERS = ("no_older_than",)
_PLACEHOLDER = re.compile(r"\$([a-z_]+)")


@dataclass
class Scope:
    """What the names in one pack mean, and the measures collected so far."""

    vocabulary: Vocabulary
    policy: SitePolicy
    sets: Mapping[str, frozenset[str]]
    quantities: dict[str, Any]
    definitions: Mapping[str, Any]
    measures: dict[Measure, tuple[Measure, int, int]] = field(default_factory=dict)
    places: int = 0
    named: dict[str, Term] = field(default_factory=dict)
    used_definitions: set[str] = field(default_factory=set)

    def place(self, measure: Measure) -> tuple[Measure, int, int]:
        """The one measure of its kind and the places of its values: two with an age limit, else one."""
        if measure not in self.measures:
            fresh = self.places
            self.places += 2 if measure.age else 1
            self.measures[measure] = (measure, fresh, self.places - 1)
        return self.measures[measure]


def filled_in(tree: Any, arguments: Mapping[str, Any], path: Path) -> Any:
    """The tree with `$name` replaced by its argument, everywhere. Raises Mistake for an unknown name."""
    if isinstance(tree, dict):
        return {key: filled_in(each, arguments, (*path, key)) for key, each in tree.items()}
    if isinstance(tree, list):
        return [filled_in(each, arguments, (*path, place)) for place, each in enumerate(tree)]
    if not isinstance(tree, str) or "$" not in tree:
        return tree
    for name in _PLACEHOLDER.findall(tree):
        if name not in arguments:
            raise Mistake(path, f"${name} is not given here.{did_you_mean(name, arguments)}")
    whole = _PLACEHOLDER.fullmatch(tree)
    if whole:
        return arguments[whole[1]]
    return _PLACEHOLDER.sub(lambda match: str(arguments[match[1]]).replace("_", " "), tree)


def read_condition(tree: Any, scope: Scope, path: Path, against: Truth = TRUE) -> Condition:
    """The condition at a path. `against` is the truth that would hold the infusion. Raises Mistake."""
    if not isinstance(tree, dict) or not tree:
        raise Mistake(path, "this must be a condition such as {hbsag: {is: positive}}")
    if "use" in tree:
        return _used(tree, scope, path, against)
    parts = [_part(key, each, scope, (*path, key), against) for key, each in tree.items()]
    return parts[0] if len(parts) == 1 else AllOf(tuple(parts))


def _part(key: str, tree: Any, scope: Scope, path: Path, against: Truth) -> Condition:
    if key in ("all", "any"):
        if not isinstance(tree, list) or not tree:
            raise Mistake(path, f"{key} takes a list of conditions")
        parts = tuple(read_condition(each, scope, (*path, place), against) for place, each in enumerate(tree))
        return AllOf(parts) if key == "all" else AnyOf(parts)
    if key == "not":
        return Not(read_condition(tree, scope, path, FALSE if against is TRUE else TRUE))
    if key == "recorded":
        return Recorded(read_condition(tree, scope, path, against))
    return _criteria(key, tree, scope, path, against)


def _used(tree: dict[str, Any], scope: Scope, path: Path, against: Truth) -> Condition:
    name, arguments = tree["use"], tree.get("with", {})
    extra = set(tree) - {"use", "with"}
    if extra:
        raise Mistake(path, f"use stands alone, with its arguments; {', '.join(extra)} does not belong here")
    definition = scope.definitions.get(name)
    if definition is None:
        raise Mistake(path, f'there is no definition "{name}".{did_you_mean(name, scope.definitions)}')
    if set(arguments) != set(definition["parameters"]):
        raise Mistake(path, f"{name} takes {', '.join(definition['parameters']) or 'no arguments'}")
    scope.used_definitions.add(name)
    part = read_condition(filled_in(definition["means"], arguments, path), scope, path, against)
    return Defined(name, definition["label"], part)


def _criteria(subject: str, tree: Any, scope: Scope, path: Path, against: Truth) -> Condition:
    if not isinstance(tree, dict) or not tree:
        raise Mistake(path, f"write {subject}: {{operator: operand}}")
    age = _age(tree.get("no_older_than"), scope, (*path, "no_older_than"))
    comparisons = {key: each for key, each in tree.items() if key not in MODIFIERS}
    read = _Subject(subject, scope, path, against, age)
    parts = [part for key, each in comparisons.items() for part in read.criteria(key, each)]
    if not parts:
        raise Mistake(path, f"{subject} is compared with nothing")
    return parts[0] if len(parts) == 1 else AllOf(tuple(parts))


def _age(tree: Any, scope: Scope, path: Path) -> AgeLimit | None:
    if tree is None:
        return None
    if not isinstance(tree, dict):
        raise Mistake(path, "write no_older_than: {days: 7} or {policy: …}, with before: for another date")
    limits = [key for key in ("days", "hours", "policy") if key in tree]
    if len(limits) != 1 or set(tree) - {"days", "hours", "policy", "before"}:
        raise Mistake(path, "give exactly one of days, hours and policy, and perhaps before")
    limit = limits[0]
    operand = {"policy": tree["policy"]} if limit == "policy" else tree[limit]
    before = read_term(tree["before"], scope, (*path, "before")) if "before" in tree else Infusion()
    return AgeLimit(read_term(operand, scope, (*path, limit)), before, hours=limit == "hours")


@dataclass
class _Subject:
    """One subject, whose operators are read one by one."""

    name: str
    scope: Scope
    path: Path
    against: Truth
    age: AgeLimit | None

    def criteria(self, key: str, operand: Any) -> list[Condition]:
        """The criteria that an operator and its operand stand for."""
        path = (*self.path, key)
        special: dict[str, Callable[[Any, Path], list[Condition]]] = {
            "any": self._entry,
            "none": lambda tree, at: [self._no_entry(tree, at)],
            "is_recorded": self._known,
            "in_conflict": self._conflicting,
            "between": lambda tree, at: self._pair(("at_least", "at_most"), tree, at),
            "outside": lambda tree, at: [AnyOf(tuple(self._pair(("below", "above"), tree, at)))],
        }
        if key in special:
            return special[key](operand, path)
        operator = OPERATORS.get(key)
        if operator is None or operator.takes in ("entries", "nothing"):
            known = [
                *special,
                *(name for name, each in OPERATORS.items() if each.takes not in ("entries", "nothing")),
            ]
            raise Mistake(
                path, f'there is no operator "{key}".{did_you_mean(key, known)} Known: {", ".join(known)}.'
            )
        return [self._comparison(operator, operand, path)]

    def _pair(self, names: tuple[str, str], tree: Any, path: Path) -> list[Condition]:
        if not isinstance(tree, list) or len(tree) != 2:
            raise Mistake(path, "this takes two limits, both inclusive: [from, to]")
        return [self._comparison(OPERATORS[name], each, path) for name, each in zip(names, tree, strict=True)]

    def _entry(self, tree: Any, path: Path) -> list[Condition]:
        entry, says = read_entry(self.name, tree, self.scope, path)
        return [self._criterion(Measure(entry), OPERATORS["has"], 1, says)]

    def _no_entry(self, tree: Any, path: Path) -> Condition:
        return Not(self._entry(tree, path)[0])

    def _known(self, tree: Any, path: Path) -> list[Condition]:
        if tree != "yes" or self.name not in self.scope.vocabulary:
            raise Mistake(path, "write fact: {is_recorded: yes}")
        known = Known(self.name)
        return [self._criterion(Measure(known, age=self.age), OPERATORS["known"], 1, "")]

    def _conflicting(self, tree: Any, path: Path) -> list[Condition]:
        if tree != "yes" or self.name not in self.scope.vocabulary:
            raise Mistake(path, "write fact: {in_conflict: yes}")
        return [self._criterion(Measure(Conflicting(self.name)), OPERATORS["conflict"], 1, "")]

    def _comparison(self, operator: Operator, operand: Any, path: Path) -> Condition:
        codes = self._codes()
        if codes is not None and (operator.takes != "number"):
            word = self._word(operand)
            if word or self._is_code():
                return self._coded(operator, operand, codes, path, word=word)
        left = read_term(self.name, self.scope, self.path)
        if isinstance(left, Region | Word) or self._is_code():
            raise Mistake(path, f"{self.name} is a code: {operator.name} compares numbers")
        if operator.takes == "codes":
            raise Mistake(path, f"{self.name} is a number: {operator.name} compares codes")
        right, constant = number_operand(operand, left, self.name, self.scope, path)
        says = say_operand(operand)
        return self._criterion(Measure(left, right, self.age), operator, constant, says)

    def _is_code(self) -> bool:
        definition = self.scope.vocabulary.facts.get(self.name.removesuffix(".previous"))
        return (
            self.name == "region"
            or (definition is not None and definition.type == "code")
            or (self.name.startswith("policy.") and self._parameter().type == "code")
        )

    def _parameter(self) -> Any:
        name = self.name.removeprefix("policy.")
        if name not in self.scope.policy.parameters:
            known = did_you_mean(name, self.scope.policy.parameters)
            raise Mistake(self.path, f'the parameter "{name}" is not in rules/policy.yaml.{known}')
        return self.scope.policy.parameters[name]

    def _word(self, operand: Any) -> bool:
        definition = self.scope.vocabulary.facts.get(self.name)
        return definition is not None and isinstance(operand, str) and operand in definition.words

    def _codes(self) -> tuple[str, ...] | None:
        if self.name == "region":
            return ("US", "EU")
        if self.name.startswith("policy."):
            self._parameter()
            return None if self._parameter().type != "code" else ()
        definition = self.scope.vocabulary.facts.get(self.name.removesuffix(".previous"))
        if definition is None:
            return None
        return tuple(definition.values) if definition.type == "code" else tuple(definition.words) or None

    def _coded(
        self, operator: Operator, operand: Any, codes: tuple[str, ...], path: Path, *, word: bool
    ) -> Condition:
        given = operand if isinstance(operand, list) else [operand]
        if (operator.takes == "codes") is not isinstance(operand, list):
            raise Mistake(
                path, f"{operator.name} takes {'a list' if operator.takes == 'codes' else 'one code'}"
            )
        for code in given:
            if codes and code not in codes:
                known = f"({', '.join(codes)}).{did_you_mean(code, codes)}"
                raise Mistake(path, f'"{code}" is not a value of {self.name} {known}')
        if word:
            left: Term = Word(self.name)
        elif self.name == "region":
            left = Region()
        elif self.name.startswith("policy."):
            left = Policy(self.name.removeprefix("policy."))
        else:
            left = FactValue(self.name.removesuffix(".previous"), before=self.name.endswith(".previous"))
        constant = frozenset(given) if isinstance(operand, list) else operand
        return self._criterion(Measure(left, age=self.age), operator, constant, " or ".join(map(str, given)))

    def _criterion(self, measure: Measure, operator: Operator, operand: Any, says: str) -> Criterion:
        if measure.age is not None and not isinstance(measure.left, FactValue):
            raise Mistake((*self.path, "no_older_than"), "an age limit is for one fact")
        measure, fresh, old = self.scope.place(measure)
        definition = self.scope.vocabulary.facts.get(self.name.split(".")[0])
        label = (
            definition.label
            if definition
            else self.scope.quantities.get(self.name, {}).get("label", self.name)
        )
        if self.name.endswith(".previous"):
            label = f"earlier {label}"
        if self.name.endswith(".collected"):
            label = f"date of {label}"
        return Criterion(measure, operator, operand, self.against, fresh, old, self.name, label, says)
