"""What may still be done about a checklist, from its journal entries alone."""

import hashlib
import json

import pytest

from service.records.journal import Act, Event, link
from service.records.record import CannotAct, Finding, Meaning, Outcome, Visit
from tests.records.conftest import NOW

WARN = Finding("infection", "infection-resolved", "warn", "caution", "acknowledge")
BLOCK = Finding("infection", "infection-active", "block", "defer", "prescriber")
NEVER = Finding("hepatitis_b", "hbv-active", "block", "contraindication", "never")
PASS = Finding("dose", None, "pass", "ok", None)
FAULT = Finding("pml", None, "block", "engine", "never")
POLICY = Finding("qt", "qt-long", "block", "policy", "never")
FINDINGS = (WARN, BLOCK, NEVER, PASS, FAULT, POLICY)
NAMES = {"nina": "Nina N.", "omar": "Omar O.", "paul": "Paul P."}


def visit(*done, findings=FINDINGS, asked=(), superseded_by=None):
    """The visit of these events, each (actor, event, details); the first entry makes the checklist."""
    entries, place = [], ("main", 0, "sha256:before")
    for actor, event, details in (("nina", Event.CHECKLIST_MADE, {}), *done):
        act = Act(f"user:{actor}", "nurse", "a-request", NOW)
        committed = {"result": "hmac-sha256:r"} if event is Event.CHECKLIST_MADE else {}
        said = {"name": NAMES[actor], **details}
        entry = link(place, act, event, "a-checklist", details=said, commitments=committed)
        entries.append(entry)
        place = ("main", entry.sequence, entry.digest)
    return Visit(findings, tuple(entries), asked, superseded_by)


def answered(finding, event=Event.WARN_ACKNOWLEDGED, actor="nina"):
    return actor, event, {"check": finding.check, "rule": finding.rule, "reason": "action-completed"}


def signed(meaning, actor="nina"):
    return actor, Event.ATTESTED, {"meaning": meaning}


def double_checked(actor="omar", differs=()):
    return actor, Event.DOUBLE_CHECKED, {"agrees": [], "differs": list(differs)}


def ended(outcome, actor="nina"):
    return actor, Event.OUTCOME_RECORDED, {"outcome": outcome}


def viewed(actor, event=Event.CHECKLIST_VIEWED):
    return actor, event, {}


ASKED = {"asked": ("weight",)}


# Answers


def test_a_warn_is_acknowledged_and_a_block_is_overridden_and_both_are_then_no_longer_open():
    assert visit().check_acknowledgeable(WARN.key) is WARN
    assert visit().check_overridable(BLOCK.key) is BLOCK

    after = visit(answered(WARN), answered(BLOCK, Event.BLOCK_OVERRIDDEN))
    assert after.open_findings == (NEVER, FAULT, POLICY)
    assert after.was_overridden
    assert not visit(answered(WARN)).was_overridden


@pytest.mark.parametrize(
    ("before", "finding", "said"),
    [
        (visit(), PASS, "passed"),
        (visit(), Finding("infection", "no-such-rule", "block"), "no such finding"),
        (visit(), Finding("dose", "infection-active", "block"), "no such finding"),
        (visit(), FAULT, "a fault of the service"),
        (visit(), POLICY, "a fault of the service"),
        (visit(), NEVER, "can never be overridden"),
        (visit(answered(BLOCK, Event.BLOCK_OVERRIDDEN)), BLOCK, "answered already, by Nina N."),
        (visit(answered(WARN)), WARN, "answered already, by Nina N."),
        (visit(ended("held")), BLOCK, "outcome of this visit is recorded"),
        (visit(superseded_by="another"), BLOCK, "is superseded; what is done now belongs to another"),
    ],
)
@pytest.mark.parametrize("how", ["check_acknowledgeable", "check_overridable"])
def test_what_cannot_be_answered_is_refused_and_it_is_said_why(before, finding, said, how):
    with pytest.raises(CannotAct, match=said):
        getattr(before, how)(finding.key)


def test_a_block_is_never_acknowledged_whatever_its_rule_says():
    odd = Finding("dose", "dose-odd", "block", "dose", "acknowledge")
    for finding in (BLOCK, odd):
        with pytest.raises(CannotAct, match="only a prescriber"):
            visit(findings=(finding,)).check_acknowledgeable(finding.key)
    assert visit(findings=(odd,)).check_overridable(odd.key) is odd


def test_a_warn_is_acknowledged_rather_than_overridden_unless_its_rule_asks_for_a_prescriber():
    strict = Finding("dose", "dose-odd", "warn", "dose", "prescriber")
    with pytest.raises(CannotAct, match="acknowledge it"):
        visit().check_overridable(WARN.key)
    with pytest.raises(CannotAct, match="not one that can be acknowledged"):
        visit(findings=(strict,)).check_acknowledgeable(strict.key)
    assert visit(findings=(strict,)).check_overridable(strict.key) is strict


# Signatures


def test_the_same_signature_again_is_the_first_one_and_another_meaning_is_refused():
    once = visit(signed("performed"), signed("reviewed", "paul"))
    assert once.attested_before("user:nina", Meaning.PERFORMED) == once.entries[1]
    assert once.attested_before("user:omar", Meaning.PERFORMED) is None
    for meaning in (Meaning.REVIEWED, Meaning.DOUBLE_CHECK):
        with pytest.raises(CannotAct, match="signed this visit already, as performed"):
            once.attested_before("user:nina", meaning)


@pytest.mark.parametrize(
    ("before", "may"),
    [
        (visit(**ASKED), False),
        (visit(double_checked(differs=["weight"]), **ASKED), False),
        (visit(double_checked("paul"), **ASKED), False),
        (visit(double_checked(), **ASKED), True),
    ],
)
def test_a_double_check_is_signed_only_by_whose_own_one_agrees(before, may):
    if may:
        assert before.attested_before("user:omar", Meaning.DOUBLE_CHECK) is None
    else:
        with pytest.raises(CannotAct, match="no blind double check of this visit that agrees"):
            before.attested_before("user:omar", Meaning.DOUBLE_CHECK)


def test_whoever_checked_a_second_time_performs_and_reviews_nothing():
    for meaning in (Meaning.PERFORMED, Meaning.REVIEWED):
        with pytest.raises(CannotAct, match="a colleague signs this"):
            visit(double_checked(), **ASKED).attested_before("user:omar", meaning)


def test_what_is_signed_is_the_result_and_every_entry_before_in_order():
    before = visit(answered(WARN), viewed("omar"))
    signed_text = json.dumps(
        {
            "checklist": "a-checklist",
            "entries": [entry.digest for entry in before.entries],
            "result": "hmac-sha256:r",
        },
        separators=(",", ":"),
    )
    assert before.digest == f"sha256:{hashlib.sha256(signed_text.encode()).hexdigest()}"
    assert visit(answered(WARN)).digest != before.digest


# The double check


def test_of_several_double_checks_the_last_one_counts():
    differs, agrees = double_checked(differs=["weight"]), double_checked("paul")
    found = [visit(*done, **ASKED).double_check for done in ((), (differs,), (differs, agrees))]
    assert found == ["needed", "differs", "agrees"]
    assert visit().double_check == "not_asked"


@pytest.mark.parametrize(
    "done",
    [
        viewed("omar"),
        viewed("omar", Event.TRACE_VIEWED),
        viewed("omar", Event.RECORD_VIEWED),
        viewed("omar", Event.CHECKLIST_REPLAYED),
        answered(WARN, actor="omar"),
        signed("performed", "omar"),
        double_checked("omar", differs=["weight"]),
    ],
    ids=lambda done: done[1].value,
)
def test_whoever_has_had_to_do_with_the_checklist_is_no_second_person(done):
    with pytest.raises(CannotAct, match="Ask a colleague who has not opened it"):
        visit(done, **ASKED).check_second_person("user:omar")
    visit(done, **ASKED).check_second_person("user:paul")
    with pytest.raises(CannotAct, match="Ask a colleague"):  # who saw the one that it corrects saw its facts
        visit(**ASKED).check_second_person("user:omar", seen=visit(done).entries)


def test_the_maker_is_no_second_person_and_having_read_the_questions_is_no_harm():
    with pytest.raises(CannotAct, match="Ask a colleague"):
        visit(**ASKED).check_second_person("user:nina")
    visit(viewed("omar", Event.DOUBLE_CHECK_VIEWED), **ASKED).check_second_person("user:omar")


@pytest.mark.parametrize(
    ("before", "said"),
    [
        (visit(), "ask for no independent double check"),
        (visit(ended("infused"), **ASKED), "outcome of this visit is recorded"),
        (visit(superseded_by="another", **ASKED), "superseded"),
    ],
)
def test_a_double_check_that_comes_too_late_or_is_not_asked_for_is_refused(before, said):
    with pytest.raises(CannotAct, match=said):
        before.check_second_person("user:omar")


# Outcomes


@pytest.mark.parametrize(
    ("before", "outcome", "must"),
    [
        (visit(findings=(PASS,)), Outcome.INFUSED, False),
        (visit(findings=(PASS,)), Outcome.HELD, True),
        (visit(findings=(PASS,)), Outcome.STOPPED, True),
        (visit(findings=(WARN,)), Outcome.INFUSED, True),
        (visit(answered(WARN), findings=(WARN,)), Outcome.INFUSED, False),
        (visit(findings=(PASS,), **ASKED), Outcome.INFUSED, True),
        (visit(double_checked(differs=["weight"]), findings=(PASS,), **ASKED), Outcome.INFUSED, True),
        (visit(double_checked(), findings=(PASS,), **ASKED), Outcome.INFUSED, False),
        (visit(ended("held"), findings=(PASS,)), Outcome.INFUSED, True),
    ],
)
def test_an_outcome_is_explained_unless_it_is_the_first_and_nothing_is_open(before, outcome, must):
    assert before.must_explain(outcome) is must


def test_the_last_outcome_counts_and_the_earlier_one_stays():
    corrected = visit(ended("infused"), ended("stopped"))
    assert corrected.outcome == corrected.entries[2]
    assert corrected.was_held
    assert len(corrected.entries_of(Event.OUTCOME_RECORDED)) == 2
    assert not visit(ended("held"), ended("infused")).was_held
    assert visit().outcome is None
