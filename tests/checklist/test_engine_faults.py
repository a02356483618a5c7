"""An engine that fails: a fault of ours, a held infusion, and the next patient answered right."""

import json

import durable_rules_engine as durable
import pytest

from service.checklist.engine import Engine, EngineFault
from service.checklist.evaluate import evaluate
from service.checklist.rules import Kind, Override, Status
from service.checklist.truth import FALSE, TRUE, UNKNOWN
from service.intake.documents import result_document, trace_document
from service.intake.requests import read_request
from tests.builders import EVALUATED_AT, loaded, pack_of, request_for, shipped
from tests.checklist.engines import run_apart, truths, values_for

SOME = {"dose_number": {"at_least": 1}}

FORGETTING = """
from service.checklist.measures import SCALE
from service.checklist.engine import Engine, EngineFault
from tests.builders import pack_of
pack = pack_of({"r": {"warn_if": {"dose_number": {"above": 3}}}})
engine = Engine(pack)
for _ in range(50):
    try:
        engine.decide([1e-07])  # a number that the engine cannot read
    except EngineFault:
        continue
    raise SystemExit("the engine read it")
assert engine.decide([9])["r"].word == "yes"
engine.close()
"""


def test_forgetting_a_session_in_which_no_rule_has_fired_does_not_crash():
    done = run_apart(FORGETTING)
    assert (done.returncode, done.stderr) == (0, "")


# What fails is an EngineFault, and the next patient is answered right.


def test_a_number_that_the_engine_cannot_read_is_a_fault_and_not_a_pass():
    pack = shipped().packs["inebilizumab"]
    sound = values_for(pack, 1)
    with loaded(pack) as engine:
        for bad in (1e-07, 1e300):
            with pytest.raises(EngineFault, match="error code: 204"):
                engine.decide([bad] * pack.places)
            assert engine.decide(sound) == truths(pack, sound)


def test_an_engine_that_was_closed_is_a_fault():
    pack = pack_of({"r": {"warn_if": SOME}})
    engine = Engine(pack)
    engine.close()
    with pytest.raises(EngineFault, match="closed"):
        engine.decide([1])
    engine.close()


def test_a_rule_set_deleted_behind_the_engines_back_is_a_fault():
    pack = pack_of({"r": {"warn_if": SOME}})
    engine = Engine(pack)
    (handle,) = engine._handles
    durable.delete_ruleset(handle)
    with pytest.raises(EngineFault, match="error code"):
        engine.decide([1])


def test_a_definition_that_the_engine_refuses_is_a_fault_at_load():
    pack = pack_of({"r": {"warn_if": {"dose_number": {"above": 3}}}})
    (criterion,) = pack.rules[0].concern.criteria()
    object.__setattr__(criterion, "operand", 1e-07)
    with pytest.raises(EngineFault, match="was refused by the engine"):
        Engine(pack)


def test_two_versions_of_a_pack_live_side_by_side():
    old = pack_of({"r": {"warn_if": {"dose_number": {"above": 3}}}})
    new = pack_of({"r": {"warn_if": {"dose_number": {"above": 5}}}})
    with loaded(old) as first, loaded(new) as second:
        assert (first.decide([4]), second.decide([4])) == ({"r": TRUE}, {"r": FALSE})
    with loaded(old) as first, loaded(old) as again:
        assert (first.decide([4]), again.decide([3])) == ({"r": TRUE}, {"r": FALSE})


class Interrupted:
    """The engine's own module, of which one call is broken off: before it, or just after it."""

    def __init__(self, name, *, after):
        self.name, self.after, self.done = name, after, False

    def __getattr__(self, name):
        call = getattr(durable, name)
        if name != self.name or self.done:
            return call

        def broken_off(*arguments):
            self.done = True
            if self.after:
                call(*arguments)
            raise KeyboardInterrupt

        return broken_off


TWO_FACTS = ("tb_active", "pml_signs")
CALLS = ("assert_fact", "start_action_for_state", "complete_and_start_action", "retract_fact")


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("call", CALLS)
def test_an_evaluation_that_is_broken_off_leaves_nothing_for_the_next_patient(monkeypatch, call, after):
    pack = pack_of(
        {"a": {"block_if": {"tb_active": {"is": "yes"}}}, "b": {"warn_if": {"pml_signs": {"is": "yes"}}}}
    )
    with loaded(pack) as engine:
        engine.decide(["no", "no"])
        with monkeypatch.context() as patch:
            patch.setattr("service.checklist.engine.durable", Interrupted(call, after=after))
            with pytest.raises(KeyboardInterrupt):
                engine.decide(["yes", "yes"])
        for _ in range(3):
            assert engine.decide(["no", None]) == {"a": FALSE, "b": UNKNOWN}


# Whatever happens in the engine, the answer is a checklist in which every check is held.


class Decider:
    """An engine that answers, or fails, in a given way."""

    def __init__(self, answer):
        self.answer = answer

    def decide(self, values):
        return self.answer(values)


def failing(error):
    def decide(values):
        raise error

    return decide


def disagreeing(values):
    found = truths(PACK, values)
    return {**found, "hbv-active": TRUE if found["hbv-active"] is FALSE else FALSE}


def incomplete(values):
    found = truths(PACK, values)
    del found["hbv-active"]
    return found


PACK = shipped().packs["inebilizumab"]
FAILURES = {
    "a fault": failing(EngineFault("code 303")),
    "an error": failing(RuntimeError("Jane Roe, HBsAg positive")),
    "no memory": failing(MemoryError()),
    "a nesting too deep": failing(RecursionError()),
    "nothing": lambda values: None,
    "an empty answer": lambda values: {},
    "words": lambda values: "pass",
    "a disagreement": disagreeing,
    "a rule left out": incomplete,
    "a rule too many": lambda values: {**truths(PACK, values), "other": FALSE},
    "all passed": lambda values: dict.fromkeys(truths(PACK, values), FALSE),
    "all unknown": lambda values: dict.fromkeys(truths(PACK, values), UNKNOWN),
}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
def test_a_failing_engine_holds_the_infusion_at_every_check(failure):
    positive = {"hbsag": {"value": "positive", "at": "2026-09-01"}}
    request = read_request(request_for("inebilizumab", "first dose, US", with_=positive), shipped())
    checklist = evaluate(PACK, request.situation, shipped().policy.values, Decider(failure))
    assert checklist.status is Status.BLOCK
    assert [finding.check for finding in checklist.findings] == [check.id for check in PACK.checks]
    for finding in checklist.findings:
        assert (finding.status, finding.kind, finding.override) == (Status.BLOCK, Kind.ENGINE, Override.NEVER)
        assert finding.message
        assert finding.action
    assert (checklist.needs, checklist.eligible_from) == ((), None)
    # It is a document like any other, and it quotes no patient.
    result = result_document(checklist, request, shipped(), id="1", evaluated_at=EVALUATED_AT)
    trace = trace_document(checklist)
    assert trace["fault"]
    assert "Roe" not in json.dumps([result, trace])
    assert result["observation"]["minutes_after"] == 60


def test_a_closed_engine_holds_the_infusion_and_a_new_one_answers_again():
    request = read_request(request_for("inebilizumab", "first dose, US"), shipped())
    engine = Engine(PACK)
    engine.close()
    held = evaluate(PACK, request.situation, shipped().policy.values, engine)
    assert {finding.kind for finding in held.findings} == {Kind.ENGINE}
    with loaded(PACK) as again:
        assert evaluate(PACK, request.situation, shipped().policy.values, again).status is Status.PASS


def test_a_policy_of_the_wrong_type_holds_the_infusion():
    request = read_request(request_for("inebilizumab", "first dose, US"), shipped())
    policy = {**shipped().policy.values, "hbv_screen_max_age_days": "a year"}
    with loaded(PACK) as engine:
        held = evaluate(PACK, request.situation, policy, engine)
    assert {finding.kind for finding in held.findings} == {Kind.ENGINE}
