"""Advice is true: what would make a finding pass does, and the date on which time lifts it is the first."""

import random
import re
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings

from service.checklist.evidence import Case
from service.checklist.rules import Status
from service.checklist.trace import measure
from service.checklist.truth import FALSE
from service.intake.requests import read_request
from tests.laws.asking import DRUGS, LAWS, LIBRARY, SEEDS, ask, compact, is_taken, patients
from tests.oracle import verdicts as by_the_oracle

EXAMPLES = settings(LAWS, max_examples=80)
BATCH = 3
FACTS = LIBRARY.vocabulary.facts
every_drug = pytest.mark.parametrize("drug", DRUGS)


# ---- would_pass_when


def answered(sentence, infusion_at):
    """The fact and the answer that a sentence such as "hbsag is negative" speaks of; None for any other."""
    found = re.fullmatch(r"(\w+) is (\S+)(?: (\S+))?", sentence)
    if not found or found[1] not in FACTS:
        return None
    name, value, unit = found.groups()
    fact = FACTS[name]
    if unit is None and (value in fact.values or value in fact.words):
        return name, {"value": value, "at": infusion_at} if fact.result else value
    if unit is None and fact.type == "date" and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        return name, value
    if unit in fact.units and not fact.result:
        return name, {"value": float(value), "unit": unit}
    return None


def with_answers(request, sentences):
    """The request with what the sentences say, or None where they say more than one value a fact."""
    answers = [answered(sentence, request["infusion_at"]) for sentence in sentences]
    return None if None in answers else {**request, "facts": {**request["facts"], **dict(answers)}}


@every_drug
def test_what_would_make_a_finding_pass_does_and_makes_nothing_else_of_the_check_worse(drug):
    followed = 0

    @EXAMPLES
    @given(SEEDS)
    def law(seed):
        nonlocal followed
        for request in patients(seed, drug, BATCH):
            before = by_the_oracle(request, drug)
            for finding in ask(request).findings:
                for sentences in finding.would_pass_when:
                    changed = with_answers(request, sentences)
                    if changed is None:
                        continue
                    followed += 1
                    assert is_taken(changed), f"{finding.rule} when {sentences}: {compact(request)}"
                    after = by_the_oracle(changed, drug)
                    assert after[finding.rule] == "ruled_out", f"when {sentences}: {compact(request)}"
                    for rule in rules_of(drug, finding.check):
                        assert after[rule] in ("ruled_out", before[rule]), f"{sentences}: {compact(request)}"

    law()
    assert followed > 60


def rules_of(drug, check):
    return [rule.id for rule in LIBRARY.packs[drug].rules if rule.check == check]


@every_drug
def test_a_finding_that_passed_has_nothing_to_advise(drug):
    @EXAMPLES
    @given(SEEDS)
    def law(seed):
        for finding in ask(*patients(seed, drug, 1)).findings:
            if finding.status is Status.PASS:
                assert not finding.would_pass_when
                assert finding.eligible_from is None

    law()


# ---- eligible_from


def days_later(request, days):
    """The same facts at the same hour some days later."""
    at = datetime.fromisoformat(request["infusion_at"]) + timedelta(days=days)
    return {**request, "infusion_at": at.isoformat()}


def days_until(request, day):
    return (day - datetime.fromisoformat(request["infusion_at"]).date()).days


@every_drug
def test_a_finding_is_lifted_on_its_date_and_not_the_day_before(drug):
    seen = 0

    @EXAMPLES
    @given(SEEDS)
    def law(seed):
        nonlocal seen
        for request in patients(seed, drug, BATCH):
            for finding in ask(request).findings:
                if finding.eligible_from:
                    days = days_until(request, finding.eligible_from)
                    assert days > 0
                    seen += 1
                    for day, lifted in ((days, True), (days - 1, False)):
                        said = by_the_oracle(days_later(request, day), drug)[finding.rule]
                        assert (said == "ruled_out") is lifted, f"{finding.rule} +{day}: {compact(request)}"

    law()
    assert seen > 5


@every_drug
def test_the_result_names_the_first_date_on_which_all_that_time_lifts_is_lifted(drug):
    @EXAMPLES
    @given(SEEDS)
    def law(seed):
        for request in patients(seed, drug, BATCH):
            checklist = ask(request)
            lifted = [finding.rule for finding in checklist.findings if finding.eligible_from]
            if not lifted:
                assert checklist.eligible_from is None
            elif checklist.eligible_from:
                days = days_until(request, checklist.eligible_from)
                for day, all_of_them in ((days, True), (days - 1, False)):
                    said = by_the_oracle(days_later(request, day), drug)
                    assert all(said[rule] == "ruled_out" for rule in lifted) is all_of_them, compact(request)

    law()


@every_drug
def test_what_time_lifts_has_its_date_and_no_earlier_day_would_do(drug):
    """Each of the next 40 days, and some of the next 400, tried one by one."""
    tried = 0

    @EXAMPLES
    @given(SEEDS)
    def law(seed):
        nonlocal tried
        [request] = patients(seed, drug, 1)
        # What is dated later comes to count as time goes by, which is more than time alone.
        if tried > 40 or dated_after_the_infusion(request["facts"], request["infusion_at"]):
            return
        lifts = {finding.rule: finding.eligible_from for finding in ask(request).findings if finding.rule}
        tried += bool(lifts)
        rng = random.Random(seed)
        for day in [*range(1, 41), *sorted(rng.sample(range(41, 400), 20))] if lifts else ():
            ruled_out = ruled_out_at(days_later(request, day))
            for rule, first in lifts.items():
                if rule in ruled_out:
                    assert first and days_until(request, first) <= day, f"{rule} +{day}: {compact(request)}"

    law()
    assert tried > 20


def ruled_out_at(request):
    """The rules that are ruled out, without the advice that takes most of the time."""
    read = read_request(request, LIBRARY)
    situation, pack = read.situation, read.pack
    policy = dict(LIBRARY.policy.values)
    case = Case.of(pack.vocabulary, situation.facts, situation.infusion_at, situation.region, policy)
    values = measure(pack, case)
    return {rule.id for rule in pack.rules if rule.concern.truth(values) is FALSE}


def dated_after_the_infusion(thing, infusion_at):
    if isinstance(thing, (dict, list)):
        parts = thing.values() if isinstance(thing, dict) else thing
        return any(dated_after_the_infusion(each, infusion_at) for each in parts)
    if not isinstance(thing, str) or not re.match(r"\d{4}-\d\d-\d\d", thing):
        return False
    at, infusion = datetime.fromisoformat(thing), datetime.fromisoformat(infusion_at)
    return at > infusion if at.tzinfo else at.date() > infusion.date()
