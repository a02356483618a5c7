"""A result as people read it: the strip of patient and drug, the decision, and the findings, worst first.

Every text of a finding in the result is in its view, and every template that shows a finding shows all of it.
"""

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from service.checklist.facts import Vocabulary
from service.checklist.rules import Kind
from service.pages.presenters.seen import Seen, label_of, seen_of
from service.pages.statuses import OVERRIDES, UNKNOWN_KINDS
from service.pages.texts import gettext, ngettext

_RANKS = {"block": 0, "warn": 1, "pass": 2}
_AT_THE_TOP = frozenset({"dose_number"})  # in the strip of every page about an infusion
_THROUGH_A_LIST, _MOST_WAYS = " has entry ", 2


@dataclass(frozen=True)
class Cited:
    """A source: the document, the place in it, its revision, and the rows of the ledger."""

    id: str
    title: str
    section: str
    revised: str
    ledger: tuple[str, ...]


@dataclass(frozen=True)
class FindingView:
    """One finding. `would_pass_when` are ways out, each a list of changes, as the result has them.

    `ways` are the same with the labels of facts in place of their names, and `named` the facts that they
    name. `missing` and `named` pair fact and label. `anchor` names the finding within its page, `key` is
    check and rule as an act names them.
    """

    anchor: str
    check: str
    rule: str | None
    title: str
    status: str
    kind: str
    is_unknown: bool
    message: str
    action: str | None
    who: str | None
    missing: tuple[tuple[str, str], ...]
    because: tuple[Seen, ...]
    would_pass_when: tuple[tuple[str, ...], ...]
    ways: tuple[tuple[str, ...], ...]
    named: tuple[tuple[str, str], ...]
    eligible_from: str | None
    sources: tuple[Cited, ...]
    override: str | None
    unverified: bool

    @property
    def key(self) -> tuple[str, str | None]:
        """What names it in the record of a visit."""
        return self.check, self.rule

    @property
    def glance(self) -> tuple[Seen, ...]:
        """What settled it, without what stands at the top of the page anyway."""
        return tuple(each for each in self.because if each.fact not in _AT_THE_TOP)

    @property
    def as_recorded(self) -> tuple[Seen, ...]:
        """What `glance` leaves out or says in other words."""
        return tuple(
            each
            for each in self.because
            if each.fact in _AT_THE_TOP or (each.says, each.says_at) != (each.value, each.at or "")
        )

    @property
    def ways_read(self) -> bool:
        """Whether its ways out read as sentences.

        Those that look through a list do not, nor do all the values that would do where none is known.
        """
        if self.is_unknown and len(self.would_pass_when) > _MOST_WAYS:
            return False
        return not any(_THROUGH_A_LIST in step for way in self.would_pass_when for step in way)

    @property
    def who_may(self) -> str | None:
        """Who may go on in spite of it, by the rule behind it."""
        return str(OVERRIDES[self.override]) if self.override else None


@dataclass(frozen=True)
class Decision:
    """The strip of the decision: the status, its words, and what is counted under them."""

    status: str
    blocks: int
    missing: int
    warnings: int
    passed: int
    eligible_from: str | None

    @property
    def counted(self) -> str:
        """The counts in words: "1 block, 2 missing, 1 warning"."""
        parts = []
        if self.blocks:
            parts.append(ngettext("%(num)s block", "%(num)s blocks", self.blocks))
        if self.missing:
            parts.append(ngettext("%(num)s missing", "%(num)s missing", self.missing))
        if self.warnings:
            parts.append(ngettext("%(num)s warning", "%(num)s warnings", self.warnings))
        return ", ".join(parts)


@dataclass(frozen=True)
class LookAlike:
    """A drug whose name is easily taken for this one, and what tells it apart."""

    drug: str
    brands: str
    drug_class: str


@dataclass(frozen=True)
class Strip:
    """Patient and drug, as they stand at the top of every page about an infusion."""

    patient: str | None
    title: str
    brands: str
    drug_class: str
    dose_number: int | None
    region: str
    infusion_at: datetime
    look_alikes: tuple[LookAlike, ...]


@dataclass(frozen=True)
class ResultView:
    """A result: `needs_her` are warns and blocks, worst first; `passed` the rest, in the pack's order."""

    strip: Strip
    decision: Decision
    needs_her: tuple[FindingView, ...]
    passed: tuple[FindingView, ...]
    needs: tuple[str, ...]
    observation: Mapping[str, Any] | None
    pack: Mapping[str, str]
    policy_digest: str

    @property
    def findings(self) -> tuple[FindingView, ...]:
        """All of them."""
        return (*self.needs_her, *self.passed)


def result_view(
    result: Mapping[str, Any], vocabulary: Vocabulary, zone: tzinfo, dose_number: int | None = None
) -> ResultView:
    """A result document as it is shown in the time of a place; `dose_number` is given where it is known."""
    findings = [_finding(each, vocabulary, zone) for each in result["findings"]]
    open_ones = sorted((each for each in findings if each.status != "pass"), key=_rank)
    return ResultView(
        strip=_strip(result, zone, dose_number),
        decision=_decision(result, findings),
        needs_her=tuple(open_ones),
        passed=tuple(each for each in findings if each.status == "pass"),
        needs=tuple(result["needs"]),
        observation=result["observation"],
        pack=result["pack"],
        policy_digest=result["policy"]["digest"],
    )


def _rank(finding: FindingView) -> tuple[int, bool]:
    """Blocks before warnings; among each, what was found before what is only not known."""
    return _RANKS[finding.status], finding.is_unknown


def _decision(result: Mapping[str, Any], findings: Sequence[FindingView]) -> Decision:
    def count(status: str, *, unknown: bool) -> int:
        return sum(each.status == status and each.is_unknown == unknown for each in findings)

    return Decision(
        status=result["status"],
        blocks=count("block", unknown=False),
        missing=count("block", unknown=True) + count("warn", unknown=True),
        warnings=count("warn", unknown=False),
        passed=sum(each.status == "pass" for each in findings),
        eligible_from=result["eligible_from"],
    )


def _strip(result: Mapping[str, Any], zone: tzinfo, dose_number: int | None) -> Strip:
    return Strip(
        patient=result["patient"]["id"],
        title=result["title"],
        brands=", ".join(result["brands"]),
        drug_class=result["class"],
        dose_number=dose_number,
        region=result["region"],
        infusion_at=datetime.fromisoformat(result["infusion_at"]).astimezone(zone),
        look_alikes=tuple(
            LookAlike(each["drug"], ", ".join(each["brands"]), each["class"])
            for each in result["look_alikes"]
        ),
    )


def _finding(finding: Mapping[str, Any], vocabulary: Vocabulary, zone: tzinfo) -> FindingView:
    # A contradiction that a rule has found is known: nothing is missing, something known is wrong.
    contradicts = finding["kind"] == Kind.CONFLICT and not finding["missing"]
    is_unknown = finding["kind"] in UNKNOWN_KINDS and not contradicts
    # Of a contradiction any side may be the wrong one, also one that no way out speaks of.
    seen = " ".join(each["fact"] for each in finding["because"]) if contradicts else ""
    ways = tuple(tuple(each) for each in finding["would_pass_when"])
    return FindingView(
        anchor="-".join(filter(None, ("finding", finding["check"], finding["rule"]))),
        check=finding["check"],
        rule=finding["rule"],
        title=finding["title"],
        status=finding["status"],
        kind=finding["kind"],
        is_unknown=is_unknown,
        message=finding["message"],
        action=finding["action"],
        who=_who(finding, vocabulary),
        missing=tuple((name, label_of(name, vocabulary)) for name in finding["missing"]),
        because=tuple(seen_of(each, vocabulary, zone) for each in finding["because"]),
        would_pass_when=ways,
        ways=tuple(tuple(_labelled(step, vocabulary) for step in way) for way in ways),
        named=_named([seen, *(step for way in ways for step in way)], vocabulary),
        eligible_from=finding["eligible_from"],
        sources=cited(finding["sources"]),
        override=finding["override"],
        unverified="unverified" in finding.get("tags", ()),
    )


@functools.cache
def _names(facts: frozenset[str]) -> re.Pattern[str]:
    return re.compile(rf"\b({'|'.join(sorted(map(re.escape, facts)))})\b")


def _labelled(step: str, vocabulary: Vocabulary) -> str:
    """A step of a way out, with each fact as it is called rather than by its name."""
    return _names(frozenset(vocabulary.facts)).sub(lambda found: vocabulary[found[0]].label, step)


def _named(texts: Sequence[str], vocabulary: Vocabulary) -> tuple[tuple[str, str], ...]:
    names = _names(frozenset(vocabulary.facts))
    found = dict.fromkeys(name for text in texts for name in names.findall(text))
    return tuple((name, vocabulary[name].label) for name in found)


def _who(finding: Mapping[str, Any], vocabulary: Vocabulary) -> str | None:
    """Who can do something about a finding: whoever gives what is missing, else whoever may answer it."""
    if finding["status"] == "pass":
        return None
    asked = {vocabulary[name].answered_by for name in finding["missing"] if name in vocabulary}
    words = {
        "patient": gettext("The patient can say"),
        "nurse": gettext("The nurse can measure or chart it"),
        "record": gettext("The record or the laboratory has it"),
        "prescriber": gettext("The prescriber decides"),
    }
    if asked:
        return ". ".join(words[each] for each in words if each in asked)
    return words["prescriber"] if finding["status"] == "block" else gettext("The nurse acknowledges it")


def cited(sources: Sequence[Mapping[str, Any]]) -> tuple[Cited, ...]:
    """Sources as they are shown."""
    return tuple(
        Cited(each["id"], each["title"], each["section"], each["revised"], tuple(each["ledger"]))
        for each in sources
    )
