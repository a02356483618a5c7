"""Where two versions of a drug's rules differ, rule by rule, in words."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import SequenceMatcher, unified_diff

from service.checklist.rules import Pack
from service.knowledge.explained import Branch
from service.knowledge.library import Library
from service.pages.presenters.drug_views import (
    CheckView,
    CitedPlace,
    ObservationView,
    PackView,
    PolicyValue,
    RuleView,
)
from service.pages.presenters.drugs import pack_view
from service.pages.statuses import KIND_WORDS, MARKS
from service.pages.texts import gettext, ngettext
from service.records.stored import Basis

Lines = list[tuple[int, str]]  # how deep each stands, and what it says
SAME, GONE, NEW = "same", "gone", "new"
_DEEPEST = 6


@dataclass(frozen=True)
class DiffLine:
    """A line that stayed, is gone or is new, and how deep it stands."""

    mark: str
    depth: int
    text: str


@dataclass(frozen=True)
class PartChange:
    """One part of something that is another now: the lines of both, in one order."""

    part: str
    lines: tuple[DiffLine, ...]


@dataclass(frozen=True)
class Change:
    """What became of a rule, or of something beside the rules: `how` is added, removed or changed."""

    name: str
    title: str
    how: str
    before: str | None
    after: str | None
    parts: tuple[PartChange, ...]


@dataclass(frozen=True)
class FileDifference:
    """The lines of one file that differ, as a program shows them."""

    file: str
    text: str


@dataclass(frozen=True)
class Comparison:
    """Where two versions differ. `others` are checks, sources and what else a pack says beside its rules."""

    rules: tuple[Change, ...]
    policies: tuple[Change, ...]
    others: tuple[Change, ...]
    same_rules: str
    files: tuple[FileDifference, ...]

    @property
    def nothing(self) -> bool:
        """Whether they say the same."""
        return not (self.rules or self.policies or self.others)


def comparison(before: tuple[Pack, Library], after: tuple[Pack, Library], today: date) -> Comparison:
    """Where two versions of a pack differ."""
    old, new = (pack_view(*each, today) for each in (before, after))
    was, now = _rules(old), _rules(new)
    rules = [_rule_change(was.get(id), now.get(id)) for id in {**was, **now}]
    changed = tuple(each for each in rules if each.parts or each.how != "changed")
    same = len(rules) - len(changed)
    return Comparison(
        rules=tuple(sorted(changed, key=lambda each: ("removed", "changed", "added").index(each.how))),
        policies=_changes(_policies(old.policies), _policies(new.policies)),
        others=_changes(_others(old), _others(new)),
        same_rules=ngettext("%(num)s rule is the same.", "%(num)s rules are the same.", same),
        files=tuple(_files(_texts(*before), _texts(*after))),
    )


def _rules(view: PackView) -> dict[str, tuple[CheckView, RuleView]]:
    return {rule.id: (check, rule) for check in view.checks for rule in check.rules}


def _rule_change(was: tuple[CheckView, RuleView] | None, now: tuple[CheckView, RuleView] | None) -> Change:
    check, rule = now or was or (None, None)
    assert check is not None and rule is not None
    before = _rule_parts(*was) if was else {}
    after = _rule_parts(*now) if now else {}
    how = "changed" if was and now else "added" if now else "removed"
    return Change(
        rule.id,
        check.title,
        how,
        was[1].status if was else None,
        now[1].status if now else None,
        _parts(before, after),
    )


def _rule_parts(check: CheckView, rule: RuleView) -> dict[str, Lines]:
    """All that a rule says, by the part."""
    unknown = rule.if_unknown
    verb = gettext("unless") if rule.unless else gettext("if")
    noted = [line for note in rule.notes for line in ((0, note.text), *_tree(note.when, gettext("if"), 1))]
    return {
        gettext("Check"): [(0, check.title)],
        gettext("Severity"): [(0, str(MARKS[rule.status].word))],
        gettext("Kind"): [(0, str(KIND_WORDS[rule.kind]))],
        gettext("Labels"): [(0, ", ".join(rule.regions))],
        gettext("Applies"): _tree(rule.applies, gettext("if")) if rule.applies else [],
        gettext("Condition"): _tree(rule.when, verb),
        gettext("Message"): [(0, rule.message)],
        gettext("Action"): [(0, rule.action)],
        gettext("If not known"): [(0, f"{MARKS[unknown.status].word}: {unknown.action}")] if unknown else [],
        gettext("Adds"): noted,
        gettext("Override"): [(0, str(rule.override))],
        gettext("Sources"): _cited(rule.sources),
        gettext("Verified"): [(0, gettext("not yet") if rule.unverified else gettext("yes"))],
    }


def _others(view: PackView) -> dict[tuple[str, str], dict[str, Lines]]:
    """What a pack says beside its rules, by name and title, and by the part."""
    return {(gettext("The pack"), ""): _pack_parts(view), **_entries(view)}


def _pack_parts(view: PackView) -> dict[str, Lines]:
    """What a pack says of itself."""
    line, asked = view.line, view.double_check
    return {
        gettext("Version"): [(0, line.version)],
        gettext("Status"): [(0, str(line.status))],
        gettext("Names"): [(0, each) for each in (line.title, *line.brands, *line.aliases)],
        gettext("Class"): [(0, line.drug_class)],
        gettext("Excipients"): [(0, each) for each in view.excipients],
        gettext("Look-alikes"): [
            (0, f"{each.title} ({each.brands}, {each.drug_class})") for each in line.look_alikes
        ],
        gettext("Codes"): [(0, f"{system} {code}") for system, code in view.codes],
        gettext("Labels"): [(0, ", ".join(line.regions))],
        gettext("Owner"): [(0, line.owner)],
        gettext("Review by"): [(0, line.review.by)],
        gettext("Observation"): [each for plan in view.observations for each in _observation(plan)],
        gettext("Independent double check"): [
            (0, ", ".join(asked.facts)),
            (0, asked.because),
            *_cited(asked.sources),
        ]
        if asked
        else [],
    }


def _entries(view: PackView) -> dict[tuple[str, str], dict[str, Lines]]:
    """Its checks, sources, rows of the ledger and conflicts, by name and title."""
    found: dict[tuple[str, str], dict[str, Lines]] = {}
    for check in view.checks:
        found[gettext("Check"), check.title] = {
            gettext("If nothing is found"): [(0, check.nothing_found)],
            gettext("Applies"): _tree(check.applies, gettext("if")) if check.applies else [],
            gettext("Otherwise"): [(0, check.not_applicable)] if check.not_applicable else [],
        }
    for source in view.sources:
        where = f", {source.region}" if source.region else ""
        says = f"{source.title}, {source.revised}{where} ({source.grade})"
        found[gettext("Source"), source.id] = {gettext("Document"): [(0, says)]}
    for row in view.ledger:
        found[gettext("Ledger"), row.row] = {
            gettext("Statement"): [(0, row.statement)],
            gettext("Severity and unknown"): [(0, f"{row.severity}; {row.unknown}")],
            gettext("Where it stands"): [(0, f"{row.source}; {row.verified}")],
        }
    for each in view.not_checked:
        used = [(0, each.used_in)] if each.used_in else []
        found[gettext("Not checked"), each.row.row] = {gettext("Why"): [(0, each.reason), *used]}
    for conflict in view.conflicts:
        found[gettext("Conflict"), conflict.about] = {
            gettext("Who says what"): [(0, f"{source}: {said}") for source, said, _ in conflict.says],
            gettext("Chosen"): [(0, source) for source, _, chosen in conflict.says if chosen],
            gettext("Why"): [(0, conflict.why)],
        }
    return found


def _policies(values: Sequence[PolicyValue]) -> dict[tuple[str, str], dict[str, Lines]]:
    return {
        (each.name, each.meaning): {gettext("Value"): [(0, each.value or gettext("Not set"))]}
        for each in values
    }


def _changes(
    was: Mapping[tuple[str, str], Mapping[str, Lines]], now: Mapping[tuple[str, str], Mapping[str, Lines]]
) -> tuple[Change, ...]:
    found = []
    for key in {**was, **now}:
        how = "changed" if key in was and key in now else "added" if key in now else "removed"
        if parts := _parts(was.get(key, {}), now.get(key, {})):
            found.append(Change(*key, how, None, None, parts))
    return tuple(found)


def _parts(was: Mapping[str, Lines], now: Mapping[str, Lines]) -> tuple[PartChange, ...]:
    return tuple(
        PartChange(part, tuple(_marked(was.get(part, []), now.get(part, []))))
        for part in {**was, **now}
        if was.get(part, []) != now.get(part, [])
    )


def _marked(was: Lines, now: Lines) -> Iterator[DiffLine]:
    """The lines of both in one order, each with what became of it."""
    for what, start, end, new_start, new_end in SequenceMatcher(None, was, now, autojunk=False).get_opcodes():
        if what == "equal":
            yield from (DiffLine(SAME, *line) for line in was[start:end])
        else:
            yield from (DiffLine(GONE, *line) for line in was[start:end])
            yield from (DiffLine(NEW, *line) for line in now[new_start:new_end])


def _tree(condition: Branch, verb: str, depth: int = 0) -> Lines:
    first, *rest = _flat(condition, depth)
    return [(first[0], f"{verb} {first[1]}"), *rest]


def _flat(condition: Branch, depth: int) -> Iterator[tuple[int, str]]:
    yield min(depth, _DEEPEST), condition.line
    for part in condition.parts:
        yield from _flat(part, depth + 1)


def _cited(places: Sequence[CitedPlace]) -> Lines:
    return [
        (0, f"{each.title}, {each.section}, {each.revised} ({', '.join(row.row for row in each.rows)})")
        for each in places
    ]


def _observation(plan: ObservationView) -> Lines:
    when = _tree(plan.when, gettext("if"), 1) if plan.when else []
    return [(0, f"{plan.minutes} min: {plan.text}"), *when, *_cited(plan.sources)]


def _texts(pack: Pack, library: Library) -> dict[str, str]:
    basis = Basis.of(library, pack)
    return {**basis.files, "policy.yaml": basis.policy_text}


def _files(was: Mapping[str, str], now: Mapping[str, str]) -> Iterator[FileDifference]:
    for file in sorted({*was, *now}):
        old, new = (each.get(file, "").splitlines() for each in (was, now))
        if text := "\n".join(unified_diff(old, new, file, file, lineterm="", n=2)):
            yield FileDifference(file, text)
