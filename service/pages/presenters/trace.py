"""The trace of a checklist as an auditor reads it: rules in three groups, each with the tree of its criteria.

Everything is read from the documents that are kept, so it shows what was decided then, whatever the rules
say today. Only labels and the words of values are those of today's vocabulary.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from service.checklist.facts import Vocabulary
from service.pages.presenters.trace_facts import FactLine, fact_line
from service.pages.texts import Later, gettext, in_english, lazy_gettext

HOLDS, UNDECIDED, RULED_OUT = "holds", "undecided", "ruled_out"
VERDICT_WORDS: Mapping[str, Later] = {
    HOLDS: lazy_gettext("Fired"),
    UNDECIDED: lazy_gettext("Could not be decided"),
    RULED_OUT: lazy_gettext("Ruled out"),
}
TRUTH_WORDS: Mapping[str, Later] = {
    "yes": lazy_gettext("True"),
    "no": lazy_gettext("False"),
    "unknown": lazy_gettext("Not known"),
}
_JOINTS: Mapping[str, Later] = {
    "all": lazy_gettext("All of these hold"),
    "any": lazy_gettext("At least one of these holds"),
    "not": lazy_gettext("It is not so that"),
    "recorded": lazy_gettext("It is on record (what is not known counts as not so) that"),
}


@dataclass(frozen=True)
class Node:
    """A criterion, or several under a joint. `truth` is yes, no or unknown.

    `compared` is the value that was compared where no fact shows it; `decides` is whether the truth of what
    it is part of rests on it; `recorded` is of a criterion that is asked for only where it is on record.
    """

    joint: str | None
    says: str
    truth: str
    decides: bool
    recorded: bool
    compared: str | None
    facts: tuple[FactLine, ...]
    parts: tuple["Node", ...]


@dataclass(frozen=True)
class RuleView:
    """A rule. `message` and `ways` are of its finding, where there is one; `settles` is what would decide it.

    `status` is what it gave, or would have given; `engine_differs` is whether the engine said otherwise.
    """

    anchor: str
    rule: str
    check: str
    title: str
    status: str
    message: str | None
    ways: tuple[tuple[str, ...], ...]
    settles: tuple[FactLine, ...]
    ledger: tuple[str, ...]
    engine_differs: bool
    tree: Node


@dataclass(frozen=True)
class Group:
    """The rules of one verdict."""

    verdict: str
    rules: tuple[RuleView, ...]


@dataclass(frozen=True)
class TraceView:
    """A trace; `fault` is why nothing was evaluated."""

    fault: str | None
    groups: tuple[Group, ...]


def trace_view(
    trace: Mapping[str, Any], result: Mapping[str, Any], vocabulary: Vocabulary, check: str | None = None
) -> TraceView:
    """A trace beside its result; of one check, or of all."""
    reader = _Reader(facts_by_name(trace, result), vocabulary)
    findings = {each["rule"]: each for each in result["findings"] if each["rule"] is not None}
    rules = [
        (rule["verdict"], reader.rule(rule, each["title"], findings.get(rule["rule"])))
        for each in trace["checks"]
        if check in (None, each["check"])
        for rule in each["rules"]
    ]
    groups = tuple(
        Group(verdict, tuple(rule for said, rule in rules if said == verdict))
        for verdict in (HOLDS, UNDECIDED, RULED_OUT)
    )
    return TraceView(trace["fault"], groups)


def facts_by_name(trace: Mapping[str, Any], result: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """What is known of each fact that the rules read; the region is one of them."""
    region = {"fact": "region", "known": "yes", "value": result["region"]}
    return {"region": region, **{each["fact"]: each for each in trace["facts"]}}


class _Reader:
    """Reads the rules of one trace."""

    def __init__(self, known: Mapping[str, Mapping[str, Any]], vocabulary: Vocabulary) -> None:
        self._known, self._vocabulary = known, vocabulary

    def rule(self, rule: Mapping[str, Any], title: str, finding: Mapping[str, Any] | None) -> RuleView:
        """A rule with its tree."""
        undecided = rule["verdict"] == UNDECIDED
        status = rule["status_if_undecided"] if undecided else rule["status_if_it_holds"]
        open_facts = dict.fromkeys(_unknown(rule["concern"])) if undecided else {}
        return RuleView(
            anchor=f"rule-{rule['rule']}",
            rule=rule["rule"],
            check=rule["check"],
            title=title,
            status=status or "pass",
            message=finding["message"] if finding else None,
            ways=tuple(map(tuple, finding["would_pass_when"])) if finding else (),
            settles=tuple(map(self._fact, open_facts)),
            ledger=tuple(dict.fromkeys(rule["ledger"])),
            engine_differs=rule["engine"] is not None and rule["engine"] != rule["verdict"],
            tree=self._node(rule["concern"], decides=True),
        )

    def _fact(self, name: str) -> FactLine:
        return fact_line(name, self._known.get(name), self._vocabulary)

    def _node(self, node: Mapping[str, Any], *, decides: bool, recorded: bool = False) -> Node:
        if "criterion" in node:
            return self._leaf(node, decides=decides, recorded=recorded)
        parts = node["of"]
        if node.get("joined_by") == "recorded" and "criterion" in parts[0]:
            # What is not known counts as not so: the truth is that of the joint.
            return self._node({**parts[0], "truth": node["truth"]}, decides=decides, recorded=True)
        says = str(_JOINTS[node["joined_by"]]) if "joined_by" in node else _defined(node["definition"])
        return Node(
            joint=node.get("joined_by", "definition"),
            says=says,
            truth=node["truth"],
            decides=decides,
            recorded=False,
            compared=None,
            facts=(),
            parts=tuple(self._node(part, decides=_decides(part, node)) for part in parts),
        )

    def _leaf(self, node: Mapping[str, Any], *, decides: bool, recorded: bool) -> Node:
        facts = tuple(map(self._fact, node["facts"]))
        raw = [self._known.get(name, {}).get("value") for name in node["facts"]]
        compared = None if node["value"] is None or node["value"] in map(_plain, raw) else str(node["value"])
        return Node(
            joint=None,
            says=node["criterion"],
            truth=node["truth"],
            decides=decides,
            recorded=recorded,
            compared=compared,
            facts=tuple(self._explained(fact, node) for fact in facts),
            parts=(),
        )

    def _explained(self, fact: FactLine, node: Mapping[str, Any]) -> FactLine:
        """A fact of a criterion that is not known, with the reason that the criterion names."""
        for unknown in node.get("unknown", ()):
            if unknown["fact"] == fact.name:
                return FactLine(fact.name, fact.label, fact.value, unknown["detail"], fact.at, fact.source)
        return fact


def _plain(value: Any) -> Any:
    """A value as a criterion shows it: numbers that are not whole as text."""
    return str(value) if isinstance(value, float) else value


def _defined(name: str) -> str:
    return Markup(gettext("Defined as: %(name)s", name=in_english(name.replace("_", " "))))


def _decides(part: Mapping[str, Any], whole: Mapping[str, Any]) -> bool:
    """Whether the truth of the whole rests on this part: under all and any, where it is the same truth."""
    return whole.get("joined_by") not in ("all", "any") or part["truth"] == whole["truth"]


def _unknown(node: Mapping[str, Any]) -> Iterator[str]:
    """The facts that keep a condition open: those of its open parts."""
    if node["truth"] != "unknown":
        return
    yield from (unknown["fact"] for unknown in node.get("unknown", ()))
    for part in node.get("of", ()):
        yield from _unknown(part)
