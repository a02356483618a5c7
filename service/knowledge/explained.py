"""A rule as it reads: where it is in force, what narrows it, and its condition as lines of words."""

from collections.abc import Iterable
from dataclasses import dataclass

from service.checklist.conditions import AllOf, Condition, Criterion, Not
from service.checklist.rules import Check, Pack, Rule
from service.checklist.terms import Region
from service.knowledge.words import Words


@dataclass(frozen=True)
class Branch:
    """A condition as a line, and the parts that stand under it."""

    line: str
    parts: tuple["Branch", ...] = ()


@dataclass(frozen=True)
class Explained:
    """A rule in words.

    `applies` narrows it, besides the regions. It fires where `when` holds, or with `unless` where it fails.
    """

    regions: tuple[str, ...]
    applies: Branch | None
    when: Branch
    unless: bool


def explained(pack: Pack, check: Check, rule: Rule, words: Words) -> Explained:
    """A rule of a check of a pack, in these words."""
    regions = tuple(
        region
        for region in pack.regions
        if all(_allows(condition, region) for condition in (check.applies, rule.applies))
    )
    narrowed, core = _beyond_region(rule.applies), _core(check, rule)
    unless = isinstance(core, Not)
    return Explained(
        regions,
        branch(narrowed, words) if narrowed is not None else None,
        branch(core.part if isinstance(core, Not) else core, words),
        unless,
    )


def branch(condition: Condition, words: Words) -> Branch:
    """A condition with all of its parts."""
    line, parts = words.condition(condition)
    return Branch(line, tuple(branch(part, words) for part in parts))


def policies_of(conditions: Iterable[Condition]) -> tuple[str, ...]:
    """The parameters of the site's policy that conditions read, each once."""
    terms = (
        term
        for condition in conditions
        for criterion in condition.criteria()
        for term in criterion.measure.terms()
    )
    return tuple(dict.fromkeys(name for term in terms for name in term.policies()))


def _core(check: Check, rule: Rule) -> Condition:
    """What the rule's verb says, without what narrows the rule and its check."""
    narrowed = check.applies is not None or rule.applies is not None
    return rule.concern.parts[-1] if narrowed else rule.concern


def _region_of(condition: Condition) -> Criterion | None:
    is_region = isinstance(condition, Criterion) and isinstance(condition.measure.left, Region)
    return condition if is_region else None  # type: ignore[return-value]


def _allows(condition: Condition | None, region: str) -> bool:
    """Whether a narrowing condition leaves the rule in force in a region."""
    if condition is None:
        return True
    parts = condition.parts if isinstance(condition, AllOf) else (condition,)
    return all(
        criterion.operator.test(region, criterion.operand)
        for criterion in map(_region_of, parts)
        if criterion is not None
    )


def _beyond_region(condition: Condition | None) -> Condition | None:
    """What narrows a rule besides the region, which stands beside its severity."""
    if not isinstance(condition, AllOf):
        return None if condition is None or _region_of(condition) else condition
    rest = tuple(part for part in condition.parts if _region_of(part) is None)
    return rest[0] if len(rest) == 1 else AllOf(rest) if rest else None
