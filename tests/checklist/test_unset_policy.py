"""A parameter that the site has not set: a hold of kind policy, never a pass and never a guess."""

import pytest

from service.checklist.evaluate import evaluate
from service.checklist.rules import Kind, Override, Status
from service.intake.requests import read_request
from tests.builders import request_for, shipped
from tests.checklist.answers import EVERY_PATIENT, FIRST, INEBILIZUMAB


def under_policy(**parameters):
    """The checklist of a complete patient where the site's policy has other values."""
    request = read_request(request_for(INEBILIZUMAB, FIRST), shipped())
    policy = {**shipped().policy.values, **parameters}
    return evaluate(request.pack, request.situation, policy, shipped().engine(request.pack))


def test_an_unset_policy_parameter_blocks_with_kind_policy_and_nobody_may_override():
    checklist = under_policy(hbv_screen_max_age_days=None)
    (finding,) = [each for each in checklist.findings if each.status is not Status.PASS]
    assert (finding.check, finding.status, finding.kind) == ("hepatitis_b", Status.BLOCK, Kind.POLICY)
    assert finding.override is Override.NEVER
    assert "hbv_screen_max_age_days" in finding.message
    assert "hbv_screen_max_age_days" not in checklist.needs
    assert checklist.needs == ()


PARAMETERS = sorted(set(shipped().policy.values) - {"region"})


@pytest.mark.parametrize("parameter", PARAMETERS)
@pytest.mark.parametrize(("drug", "patient"), EVERY_PATIENT)
def test_no_unset_parameter_ever_turns_a_finding_into_a_pass(parameter, drug, patient):
    request = read_request(request_for(drug, patient), shipped())
    engine = shipped().engine(request.pack)
    unset = {**shipped().policy.values, parameter: None}
    checklist = evaluate(request.pack, request.situation, unset, engine)
    for finding in checklist.findings:
        assert finding.kind in (Kind.OK, Kind.NOT_APPLICABLE, Kind.POLICY), finding
        assert finding.status is (Status.BLOCK if finding.kind is Kind.POLICY else Status.PASS)


def test_a_parameter_that_is_not_set_and_not_needed_holds_nothing():
    assert under_policy(bsa_formula=None).status is Status.PASS
