"""Laws of every checklist, whoever the patient: less knowledge never clears, order never matters."""

import copy
import json
import random

import pytest
from hypothesis import given, settings

from service.checklist.evidence import Reason
from service.checklist.rules import Kind, Override, Status
from service.checklist.truth import FALSE, UNKNOWN
from service.intake.requests import read_request
from tests.laws.asking import (
    DRUGS,
    LAWS,
    LIBRARY,
    SEEDS,
    ask,
    compact,
    documents,
    fresh_library,
    is_taken,
    patients,
    statuses,
    verdicts,
)
from tests.laws.leniency import lenient_facts
from tests.patients.clear import clear_draft

EXAMPLES = settings(LAWS, max_examples=75)
LISTS = tuple(name for name, fact in LIBRARY.vocabulary.facts.items() if fact.type == "list")
every_drug = pytest.mark.parametrize("drug", DRUGS)


def a_patient(seed, drug):
    [request] = patients(seed, drug, 1)
    return request


def with_facts(request, facts):
    return {**request, "facts": facts}


def is_known(fact):
    return fact is not None and fact != "unknown"


# ---- knowing less, knowing more


@every_drug
def test_a_fact_that_goes_missing_never_clears_a_check(drug):
    @EXAMPLES
    @given(SEEDS)
    def law(seed):
        rng, request = random.Random(seed), a_patient(seed, drug)
        before, rules = ask(request).trace.verdicts, LIBRARY.packs[drug].rules
        known = sorted(name for name, fact in request["facts"].items() if is_known(fact))
        for name in rng.sample(known, min(6, len(known))):
            after = ask(with_facts(request, without(request["facts"], name, rng)))
            for rule in rules:
                if before[rule.id] is not FALSE and name not in lenient_facts(rule):
                    said = f"{rule.id} without {name}: {compact(request)}"
                    assert after.trace.verdicts[rule.id] is not FALSE, said
                    assert statuses(after)[rule.check] != "pass", said

    law()


def without(facts, name, rng):
    """The facts without one: absent, null, or said to be unknown."""
    others = {other: fact for other, fact in facts.items() if other != name}
    return rng.choice((others, {**others, name: None}, {**others, name: "unknown"}))


@every_drug
def test_one_more_fact_never_reopens_or_reverses_what_was_decided(drug):
    @EXAMPLES
    @given(SEEDS)
    def law(seed):
        rng, request = random.Random(seed), a_patient(seed, drug)
        known = {name: fact for name, fact in request["facts"].items() if is_known(fact)}
        for name in rng.sample(sorted(known), min(4, len(known))):
            del known[name]
        request = with_facts(request, known)
        before = verdicts(ask(request))
        other = clear_draft(random.Random(seed + 1), drug).facts
        for name in sorted(other.keys() - known.keys()):
            more = with_facts(request, {**known, name: other[name]})
            if is_taken(more):
                after = verdicts(ask(more))
                for rule in LIBRARY.packs[drug].rules:
                    if before[rule.id] != "undecided" and name not in lenient_facts(rule):
                        assert after[rule.id] == before[rule.id], f"{rule.id} with {name}: {compact(more)}"

    law()


# ---- the same question, the same answer


@every_drug
def test_the_order_of_facts_and_of_results_never_matters(drug):
    @EXAMPLES
    @given(SEEDS)
    def law(seed):
        request = a_patient(seed, drug)
        turned = with_facts(request, shuffled(request["facts"], random.Random(seed), LISTS))
        assert documents(turned, ask(turned)) == documents(request, ask(request)), compact(request)

    law()


@every_drug
def test_the_order_of_entries_matters_only_to_how_the_list_is_shown(drug):
    @EXAMPLES
    @given(SEEDS)
    def law(seed):
        request = a_patient(seed, drug)
        turned = with_facts(request, shuffled(request["facts"], random.Random(seed)))
        for one, other in zip(documents(request, ask(request)), documents(turned, ask(turned)), strict=True):
            assert shown_in_one_order(one) == shown_in_one_order(other), compact(request)

    law()


def shuffled(thing, rng, left_alone=()):
    """The same thing in another order, the facts left alone apart from their place."""
    if isinstance(thing, dict):
        return {
            key: thing[key] if key in left_alone else shuffled(thing[key], rng)
            for key in rng.sample(sorted(thing), len(thing))
        }
    if isinstance(thing, list):
        return [shuffled(each, rng) for each in rng.sample(thing, len(thing))]
    return thing


def shown_in_one_order(document):
    """The document with the entries of each list that it shows put in one order."""

    def sort(shown):
        if isinstance(shown.get("value"), list):
            shown["value"] = sorted(shown["value"], key=json.dumps)
        return shown

    return json.loads(document, object_hook=sort)


@every_drug
def test_the_same_request_has_the_same_answer_byte_for_byte(drug):
    @settings(LAWS, max_examples=60)
    @given(SEEDS)
    def law(seed):
        request = a_patient(seed, drug)
        first = documents(request, ask(request))
        assert documents(request, ask(copy.deepcopy(request))) == first
        read = read_request(request, fresh_library())
        engine = fresh_library().engine(read.pack)
        decided = engine.decide(ask(request).trace.values)
        assert decided == ask(request).trace.decided

    law()


@every_drug
def test_an_evaluation_changes_nothing_that_it_was_given(drug):
    @settings(LAWS, max_examples=60)
    @given(SEEDS)
    def law(seed):
        request = a_patient(seed, drug)
        as_sent, read = copy.deepcopy(request), read_request(request, LIBRARY)
        as_read, policy = copy.deepcopy(read.situation), dict(LIBRARY.policy.values)
        ask(request)
        assert request == as_sent
        assert read_request(request, LIBRARY).situation == as_read == read.situation
        assert LIBRARY.policy.values == policy

    law()


# ---- what every checklist keeps to


@every_drug
def test_every_check_is_answered_and_the_worst_answer_is_the_result(drug):
    @EXAMPLES
    @given(SEEDS)
    def law(seed):
        checklist = ask(a_patient(seed, drug))
        found = checklist.findings
        assert checklist.status is max(finding.status for finding in found)
        assert {finding.check for finding in found} == {check.id for check in checklist.pack.checks}
        assert [finding.status for finding in found] == sorted((each.status for each in found), reverse=True)
        for check in checklist.pack.checks:
            own = [finding for finding in found if finding.check == check.id]
            if any(finding.status is Status.PASS for finding in own):
                assert len(own) == 1
                assert own[0].kind in (Kind.OK, Kind.NOT_APPLICABLE)
                assert not own[0].missing
            for finding in own:
                assert finding.kind is not Kind.ENGINE
                assert (finding.status is Status.PASS) == (finding.override is None)
                assert (finding.status is Status.WARN) == (finding.override is Override.ACKNOWLEDGE)

    law()


@every_drug
def test_every_undecided_finding_says_what_would_settle_it(drug):
    @EXAMPLES
    @given(SEEDS)
    def law(seed):
        request = a_patient(seed, drug)
        checklist = ask(request)
        for finding in checklist.findings:
            if finding.rule and checklist.trace.verdicts[finding.rule] is UNKNOWN:
                assert finding.unknowns, f"{finding.rule}: {compact(request)}"
                assert finding.kind in (Kind.MISSING, Kind.STALE, Kind.CONFLICT, Kind.POLICY)
                assert finding.status is not Status.PASS
            else:
                assert not finding.missing

    law()


@every_drug
def test_what_is_asked_for_is_really_not_known_and_nothing_is_asked_twice(drug):
    @EXAMPLES
    @given(SEEDS)
    def law(seed):
        request = a_patient(seed, drug)
        checklist = ask(request)
        asked = {
            unknown.fact: unknown.reason
            for finding in checklist.findings
            for unknown in finding.unknowns
            if unknown.reason is not Reason.POLICY
        }
        assert len(checklist.needs) == len(set(checklist.needs))
        assert set(checklist.needs) == set(asked), compact(request)
        for name, reason in asked.items():
            known = checklist.trace.case.evidence(name)
            nothing_counts = known.unknown is not None
            is_asked_rightly = nothing_counts or reason is Reason.STALE or lacks_a_part(name, known)
            assert is_asked_rightly, f"{name} {known}: {compact(request)}"

    law()


def lacks_a_part(name, known):
    """Whether what counts is without a date, a limit, a result before it, or a field of an entry."""
    if isinstance(known.value, tuple):
        fields = LIBRARY.vocabulary[name].fields
        return any(item.get(field) is None for item in known.value for field in fields)
    return None in (known.at, known.ref_low, known.ref_high, known.before)
