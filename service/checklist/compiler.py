"""A pack as definitions for durable-rules: two productions a rule, all in positive form.

A concern is bounded from below (it certainly holds) and from above (it possibly holds). Negation is pushed
down to the criteria, where the opposite operator and the absent key (unknown) are both positive patterns.
Every pattern carries the marker `k` that only our messages have, and every rule set a sentinel that fires
on each of them.

The engine's limits, met at load and never at run time: 15 and/or groups a rule, 64 conditions true at
once on one message, 64 productions that end on one condition, 32-bit hashes in place of names.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from service.checklist.conditions import AllOf, AnyOf, Condition, Criterion, Not, Recorded
from service.checklist.rules import Pack, Rule
from service.checklist.truth import FALSE, TRUE

MARKER = {"k": "f"}
SENTINEL = "sentinel"
CERTAIN, POSSIBLE = "certain", "possible"
MOST_GROUPS = 14
MOST_LEAVES = 28
MOST_CONDITIONS = 60
MOST_PRODUCTIONS = 60

Pattern = dict[str, Any]
_Member = tuple[Rule, list[Pattern], list[Pattern]]


class CannotCompile(Exception):
    """A rule is too large for the engine; the message names it and the way out."""


@dataclass(frozen=True)
class RuleSet:
    """One engine rule set: its definition, the rules it decides, and the places of the values it reads."""

    name: str
    definition: dict[str, Any]
    productions: dict[str, tuple[str, str]]
    rules: tuple[Rule, ...]
    keys: tuple[int, ...]


def compile_pack(pack: Pack) -> tuple[RuleSet, ...]:
    """The pack's rule sets, each small enough for the engine whatever the patient."""
    sets: list[list[_Member]] = [[]]
    conditions: set[str] = set()
    size = 0
    for rule in pack.rules:
        productions = [
            _branches(_pattern(rule.concern, bound, holds=True), rule) for bound in (CERTAIN, POSSIBLE)
        ]
        own = {repr(leaf) for branches in productions for branch in branches for leaf in _leaves(branch)}
        count = sum(map(len, productions))
        if len(own) > MOST_CONDITIONS:
            raise CannotCompile(
                f"{rule.id} has {len(own)} conditions, the engine takes {MOST_CONDITIONS}: split it"
            )
        if count > MOST_PRODUCTIONS:
            raise CannotCompile(f"{rule.id} has more than {MOST_PRODUCTIONS} alternatives: split it")
        if len(conditions | own) > MOST_CONDITIONS or size + count > MOST_PRODUCTIONS:
            sets.append([])
            conditions, size = set(), 0
        conditions |= own
        size += count
        sets[-1].append((rule, productions[0], productions[1]))
    return tuple(_rule_set(f"{pack.id}-{pack.digest[7:19]}-{i}", members) for i, members in enumerate(sets))


def _rule_set(name: str, members: list[_Member]) -> RuleSet:
    definition: dict[str, Any] = {}
    productions: dict[str, tuple[str, str]] = {}
    keys: set[int] = set()
    for rule, certain, possible in members:
        for bound, branches in ((CERTAIN, certain), (POSSIBLE, possible)):
            for branch in branches:
                production = f"p{len(productions)}"
                productions[production] = (rule.id, bound)
                parts = branch.get("$and", [branch])
                definition[production] = {"all": [{"m": {"$and": [MARKER, *parts]}}]}
                keys.update(
                    int(next(iter(next(iter(leaf.values()))))[1:])
                    if next(iter(leaf)).startswith("$")
                    else int(next(iter(leaf))[1:])
                    for leaf in _leaves(branch)
                )
    definition[SENTINEL] = {"all": [{"m": MARKER}], "pri": 1}
    places = tuple(sorted(keys))
    _refuse_collisions([SENTINEL, "k", "sid", "id", "$s", *productions, *(f"v{place}" for place in places)])
    return RuleSet(name, definition, productions, tuple(rule for rule, _, _ in members), places)


def _pattern(condition: Condition, bound: str, *, holds: bool) -> Pattern:
    """The pattern that the condition holds (or fails), certainly or possibly."""
    match condition:
        case Criterion():
            return _criterion(condition, bound, holds=holds)
        case Not(part=part):
            return _pattern(part, bound, holds=not holds)
        case Recorded(part=part):
            return _pattern(part, CERTAIN if holds else POSSIBLE, holds=holds)
        case AllOf(parts=parts) | AnyOf(parts=parts):
            every = isinstance(condition, AllOf) is holds
            return _join("$and" if every else "$or", [_pattern(part, bound, holds=holds) for part in parts])
        case _:
            return _pattern(condition.parts[0], bound, holds=holds)


def _join(joint: str, parts: list[Pattern]) -> Pattern:
    flat: list[Pattern] = []
    for part in parts:
        flat.extend(part.get(joint, [part]))
    unique = list({repr(part): part for part in flat}.values())
    return unique[0] if len(unique) == 1 else {joint: unique}


def _criterion(criterion: Criterion, bound: str, *, holds: bool) -> Pattern:
    """A criterion holds at its fresh value, and at any age where that counts against the infusion."""
    counts_old = criterion.against is (TRUE if holds else FALSE)
    certain_place = criterion.old if counts_old else criterion.fresh
    if bound == CERTAIN:
        return _compare(criterion, certain_place, holds=holds)
    opposite_place = criterion.fresh if counts_old else criterion.old
    return _join(
        "$or", [{"$nex": {f"v{opposite_place}": 1}}, _compare(criterion, opposite_place, holds=holds)]
    )


def _compare(criterion: Criterion, place: int, *, holds: bool) -> Pattern:
    key = f"v{place}"
    comparison = criterion.operator.holds if holds else criterion.operator.fails
    match comparison:
        case "eq":
            return {key: criterion.operand}
        case "in":
            assert isinstance(criterion.operand, frozenset)
            return _join("$or", [{key: code} for code in sorted(criterion.operand)])
        case "out":
            assert isinstance(criterion.operand, frozenset)
            return _join("$and", [{"$neq": {key: code}} for code in sorted(criterion.operand)])
        case _:
            return {f"${comparison}": {key: criterion.operand}}


def _branches(pattern: Pattern, rule: Rule, room: int = MOST_PRODUCTIONS) -> list[Pattern]:
    """The pattern split at its largest alternative until each branch fits the engine's limit on groups."""
    if room < 1:
        raise CannotCompile(f"{rule.id} has more than {MOST_PRODUCTIONS} alternatives: split it")
    groups, leaves = _groups(pattern), sum(1 for _ in _leaves(pattern))
    if groups <= MOST_GROUPS and leaves <= MOST_LEAVES:
        return [pattern]
    parts = pattern.get("$and", [pattern])
    alternatives = [part for part in parts if "$or" in part]
    if not alternatives:
        raise CannotCompile(
            f"{rule.id} has {leaves} conditions in a row, the engine takes {MOST_LEAVES}: split it"
        )
    widest = max(alternatives, key=lambda part: sum(1 for _ in _leaves(part)))
    rest = [part for part in parts if part is not widest]
    found: list[Pattern] = []
    for part in widest["$or"]:
        found += _branches(_join("$and", [*rest, part]), rule, room - len(found))
    return found


def _groups(pattern: Pattern) -> int:
    inner = pattern.get("$and") or pattern.get("$or")
    return 1 + sum(_groups(part) for part in inner) if inner else 0


def _leaves(pattern: Pattern) -> Iterator[Pattern]:
    inner = pattern.get("$and") or pattern.get("$or")
    if not inner:
        yield pattern
        return
    for part in inner:
        yield from _leaves(part)


def _refuse_collisions(names: list[str]) -> None:
    """The engine knows names by a 32-bit FNV-1a hash only; two that collide would be one."""
    seen: dict[int, str] = {}
    for name in names:
        code = 2166136261
        for byte in name.encode():
            code = (code ^ byte) * 16777619 & 0xFFFFFFFF
        if seen.setdefault(code, name) != name:
            raise CannotCompile(f"{name} and {seen[code]} are one name to the engine")
