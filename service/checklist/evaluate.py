"""The one door: a pack, facts, an infusion and a policy go in, a checklist comes out.

Everything a verdict depends on is in the arguments, so that a verdict can be replayed for ever.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from service.checklist.advice import eligible_from, would_pass_when
from service.checklist.evidence import Case, Reason, Unknown
from service.checklist.facts import Facts
from service.checklist.findings import Checklist, Finding, worst_first
from service.checklist.measures import Scaled
from service.checklist.rules import Check, IfUnknown, Kind, Observation, Override, Pack, Rule, Status
from service.checklist.trace import Trace, measure
from service.checklist.truth import FALSE, TRUE, UNKNOWN, Truth

_UNKNOWN_OVERRIDE = {Status.BLOCK: Override.PRESCRIBER, Status.WARN: Override.ACKNOWLEDGE}


class Decider(Protocol):
    """What decides: the rules engine loaded with the pack."""

    def decide(self, values: list[Scaled]) -> dict[str, Truth]:
        """The truth of every rule's concern."""
        ...


@dataclass(frozen=True)
class Situation:
    """One infusion of one patient: when, where, and what is known."""

    facts: Facts
    infusion_at: datetime
    region: str


def evaluate(
    pack: Pack, situation: Situation, policy: Mapping[str, str | int | Decimal | None], engine: Decider
) -> Checklist:
    """Answer every check of a pack. Never raises: what cannot be evaluated is a block of kind `engine`."""
    case = Case.of(pack.vocabulary, situation.facts, situation.infusion_at, situation.region, dict(policy))
    try:
        values = measure(pack, case)
        trace = Trace(pack, case, values, engine.decide(values))
        if trace.decided != trace.verdicts:
            differ = sorted(
                rule for rule, truth in trace.verdicts.items() if trace.decided.get(rule) != truth
            )
            return _fault(pack, case, f"engine and trace differ on {', '.join(differ)}")
        return _checklist(pack, trace)
    except Exception as error:
        return _fault(pack, case, f"{type(error).__name__} while the rules were evaluated")


def _checklist(pack: Pack, trace: Trace) -> Checklist:
    findings: list[Finding] = []
    undecided: list[tuple[Rule, tuple[Unknown, ...]]] = []
    for check in pack.checks:
        own, unsettled = _findings_of(check, trace)
        findings.extend(own)
        undecided.extend(unsettled)
    lifted = [finding for finding in findings if finding.eligible_from]
    return Checklist(
        pack=pack,
        status=max(finding.status for finding in findings),
        findings=worst_first(findings, {check.id: place for place, check in enumerate(pack.checks)}),
        needs=_needs(undecided, pack),
        eligible_from=eligible_from(trace, [_rule(pack, finding.rule) for finding in lifted])
        if lifted
        else None,
        observation=_observation(pack, trace),
        trace=trace,
    )


def _findings_of(check: Check, trace: Trace) -> tuple[list[Finding], list[tuple[Rule, tuple[Unknown, ...]]]]:
    verdicts = trace.verdicts
    fired = [rule for rule in check.rules if verdicts[rule.id] is TRUE]
    undecided = [(rule, trace.unknowns(rule.concern)) for rule in check.rules if verdicts[rule.id] is UNKNOWN]
    undecided += [(rule, unset) for rule in check.rules if (unset := _unset(rule, check, trace))]
    found = [_fired(check, rule, trace) for rule in fired]
    found += _merged([_undecided(check, rule, unknowns, trace) for rule, unknowns in undecided])
    if found:
        found.sort(key=lambda finding: -finding.status)
        return [_advised(finding, check, trace) for finding in found], undecided
    return [_nothing_found(check, trace)], undecided


def _fired(check: Check, rule: Rule, trace: Trace) -> Finding:
    return Finding(
        check=check.id,
        title=check.title,
        status=rule.status,
        kind=rule.kind,
        rule=rule.id,
        message=" ".join([rule.message, *_notes(rule, trace)]),
        action=rule.action,
        because=trace.because(rule.concern),
        citations=rule.citations,
        override=rule.override,
        unverified=rule.unverified,
    )


def _notes(rule: Rule, trace: Trace) -> list[str]:
    return [note.text for note in rule.notes if note.when.truth(trace.values) is TRUE]


def _undecided(check: Check, rule: Rule, unknowns: tuple[Unknown, ...], trace: Trace) -> Finding:
    parameters = [unknown for unknown in unknowns if unknown.reason is Reason.POLICY]
    answer = rule.if_unknown or IfUnknown(Status.BLOCK, "")
    status = Status.BLOCK if parameters else answer.status
    return Finding(
        check=check.id,
        title=check.title,
        status=status,
        kind=_kind_of(unknowns),
        rule=rule.id,
        message=" ".join([_not_known(unknowns, trace), *_notes(rule, trace)]),
        action="Ask the site's pharmacist to set the parameter." if parameters else answer.action,
        missing=tuple(unknown.fact for unknown in unknowns if unknown.reason is not Reason.POLICY),
        unknowns=unknowns,
        because=trace.because(rule.concern),
        citations=rule.citations,
        override=Override.NEVER if parameters else _UNKNOWN_OVERRIDE[status],
        unverified=rule.unverified,
    )


def _unset(rule: Rule, check: Check, trace: Trace) -> tuple[Unknown, ...]:
    """Parameters that a ruled-out rule reads only on record, and that are not set: never a silent pass."""
    if not rule.silent_policies or trace.verdicts[rule.id] is not FALSE:
        return ()
    if any(each is not None and each.truth(trace.values) is FALSE for each in (check.applies, rule.applies)):
        return ()
    return tuple(
        Unknown(name, Reason.POLICY, "not set in the site's policy")
        for name in rule.silent_policies
        if trace.case.policy.get(name) is None
    )


def _kind_of(unknowns: tuple[Unknown, ...]) -> Kind:
    reasons = {unknown.reason for unknown in unknowns}
    for reason, kind in (
        (Reason.POLICY, Kind.POLICY),
        (Reason.CONFLICT, Kind.CONFLICT),
        (Reason.MISSING, Kind.MISSING),
    ):
        if reason in reasons:
            return kind
    return Kind.STALE


def _not_known(unknowns: tuple[Unknown, ...], trace: Trace) -> str:
    vocabulary = trace.pack.vocabulary
    said = [
        f"{vocabulary[unknown.fact].label if unknown.fact in vocabulary else unknown.fact}: {unknown.detail}"
        for unknown in unknowns
    ]
    return f"Cannot be decided ({'; '.join(said)})."


def _merged(findings: list[Finding]) -> list[Finding]:
    """Without those that ask for nothing a stricter one of the same check does not ask for already."""
    ordered = sorted(findings, key=lambda finding: (-finding.status, -len(finding.unknowns)))
    kept: list[Finding] = []
    for finding in ordered:
        asked = set(finding.unknowns)
        if not any(asked <= set(other.unknowns) for other in kept):
            kept.append(finding)
    return kept


def _advised(finding: Finding, check: Check, trace: Trace) -> Finding:
    rule = _rule(trace.pack, finding.rule)
    return Finding(
        **{
            **{name: getattr(finding, name) for name in Finding.__slots__},
            "would_pass_when": would_pass_when(trace, check, rule),
            "eligible_from": eligible_from(trace, [rule]),
        }
    )


def _nothing_found(check: Check, trace: Trace) -> Finding:
    applies = check.applies is None or check.applies.truth(trace.values) is not FALSE
    settled = [rule.concern for rule in check.rules] if applies else [check.applies]
    return Finding(
        check=check.id,
        title=check.title,
        status=Status.PASS,
        kind=Kind.OK if applies else Kind.NOT_APPLICABLE,
        rule=None,
        message=check.nothing_found if applies else check.not_applicable,
        action="",
        because=trace.because(*(each for each in settled if each is not None)),
    )


def _needs(undecided: list[tuple[Rule, tuple[Unknown, ...]]], pack: Pack) -> tuple[str, ...]:
    """The facts to ask for: those of the worst findings first, then those that settle most of them."""
    weight: dict[str, list[int]] = {}
    for rule, unknowns in undecided:
        for unknown in unknowns:
            if unknown.reason is not Reason.POLICY and rule.if_unknown is not None:
                weight.setdefault(unknown.fact, [0, 0, 0])[rule.if_unknown.status] += 1
    places = {name: place for place, name in enumerate(pack.vocabulary.facts)}
    return tuple(sorted(weight, key=lambda fact: (-weight[fact][2], -weight[fact][1], places[fact])))


def _observation(pack: Pack, trace: Trace) -> Observation | None:
    for plan in pack.observations:
        if plan.when is None or plan.when.truth(trace.values) is TRUE:
            return plan
    return None


def _rule(pack: Pack, name: str | None) -> Rule:
    return next(rule for rule in pack.rules if rule.id == name)


def _fault(pack: Pack, case: Case, why: str) -> Checklist:
    findings = tuple(
        Finding(
            check=check.id,
            title=check.title,
            status=Status.BLOCK,
            kind=Kind.ENGINE,
            rule=None,
            message="This check could not be evaluated: the rules engine failed or contradicted itself.",
            action="Hold. Work through this check by hand, and report the fault.",
            override=Override.NEVER,
        )
        for check in pack.checks
    )
    empty: dict[str, Any] = {}
    trace = Trace(pack, case, [None] * pack.places, empty, why)
    return Checklist(
        pack,
        Status.BLOCK,
        findings,
        (),
        None,
        max(pack.observations, key=lambda plan: plan.minutes_after, default=None),
        trace,
    )
