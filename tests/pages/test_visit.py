"""The page of a recorded checklist: what is found is answered in place, signed and ended, by role."""

import re
import uuid

import pytest

from tests.pages.visit_forms import (
    HEPATITIS,
    INFECTION,
    POSITIVE,
    RESOLVED,
    entries,
    made,
    named,
    page_of,
    send,
    words_of,
)
from tests.people import PASSWORD, PIN, signed_in

pytestmark = pytest.mark.any_database

WHY = {"reason": "risk-benefit-ratio", "comment": "Afebrile for 48 h; MRN-1001 cannot wait."}
WHY_HELD = {"reason": "finding-stands", "comment": "Fever, sent home."}


@pytest.fixture
def nina(app):
    return signed_in(app, "nurse", "nina")


@pytest.fixture
def paul(app):
    return signed_in(app, "prescriber", "paul")


def acknowledge(client, id, finding=RESOLVED, **fields):
    return send(client, id, "acknowledgements", **named(finding), **{"reason": "action-completed", **fields})


def override(client, id, finding=INFECTION, **fields):
    return send(client, id, "overrides", **named(finding), **{**WHY, "secret": PIN, **fields})


def sign(client, id, meaning="performed", secret=PIN):
    return send(client, id, "attestations", meaning=meaning, secret=secret)


def end(client, id, outcome="infused", **why):
    return send(client, id, "outcomes", outcome=outcome, **why)


def done(response, id, place):
    """Whether a form was taken: the browser is sent to the page again."""
    assert response.status_code == 303, words_of(response.text)
    assert response.location.endswith(f"/checklists/{id}#{place}")
    return True


def refused(response, status, said):
    """Whether a form was refused on the same page, which says why at its top."""
    assert response.status_code == status, words_of(response.text)
    assert 'class="nhsuk-error-summary"' in response.text
    assert said in words_of(response.text)
    return True


# Findings


def test_a_warn_is_acknowledged_in_one_tap_and_then_says_who_when_and_why(nina, app, sql):
    id = made(app, "resolved")
    before = page_of(nina, id)
    assert before.count('class="nhsuk-button nhsuk-button--secondary visit-choice"') == 5
    assert "1 finding is not answered" in before
    assert done(acknowledge(nina, id), id, "open")
    after = words_of(page_of(nina, id))
    assert "Acknowledged – Nina of the Test (Nurse), 2026-10-06 12:00" in after
    assert "Because: What is asked for has been done" in after
    assert "Every finding is answered" in after
    assert entries(sql, id, "warn.acknowledged") == 1


def test_a_second_tap_changes_nothing_and_is_no_error(nina, paul, app, sql):
    warned, blocked, clear = made(app, "resolved"), made(app, "serious"), made(app)
    for _ in range(2):
        assert done(acknowledge(nina, warned), warned, "open")
        assert done(override(paul, blocked), blocked, "open")
        assert done(sign(nina, clear), clear, "signatures")
        assert done(end(nina, clear), clear, "outcome")
    assert entries(sql, warned, "warn.acknowledged") == entries(sql, blocked, "block.overridden") == 1
    assert entries(sql, clear, "outcome.recorded") == 1


def test_a_reason_that_says_too_little_asks_for_a_comment_and_keeps_what_was_chosen(nina, app, sql):
    id = made(app, "resolved")
    response = acknowledge(nina, id, reason="expert-contradicts")
    assert refused(response, 422, "by itself it says too little")
    assert '<option value="expert-contradicts" selected>' in response.text
    assert refused(acknowledge(nina, id, reason="because"), 422, "Choose a reason.")
    assert refused(acknowledge(nina, id, comment="x" * 2001), 422, "at most 2000 plain characters")
    assert entries(sql, id, "warn.acknowledged") == 0
    assert done(acknowledge(nina, id, reason="expert-contradicts", comment="Dr Ono."), id, "open")
    assert "“Dr Ono.”" in words_of(page_of(nina, id)) or "Dr Ono." in page_of(nina, id)


def test_what_somebody_else_answered_meanwhile_is_told_and_what_was_typed_is_not_lost(nina, paul, app):
    id = made(app, "resolved")
    acknowledge(paul, id)
    response = acknowledge(nina, id, comment="Looked at him myself.")
    assert refused(response, 409, "answered already, by Paul of the Test")
    assert "Looked at him myself." in response.text


def test_a_block_says_who_can_override_it_and_gives_the_form_to_a_prescriber_alone(nina, paul, app, sql):
    id = made(app, "serious")
    assert "Only a prescriber can override this, for this dose only" in page_of(nina, id)
    assert "Override and sign" not in page_of(nina, id)
    assert override(nina, id).status_code == 403
    assert "Override and sign" in page_of(paul, id)
    assert done(override(paul, id, order_reference="ORD-7", secret=PASSWORD), id, "open")
    after = words_of(page_of(nina, id))
    assert "Overridden, for this dose only – Paul of the Test (Prescriber)" in after
    assert "Order: ORD-7" in after
    assert "Hold" in after  # what was found stays found
    assert refused(acknowledge(nina, made(app, "serious"), INFECTION), 409, "only a prescriber can override")


def test_an_override_with_a_wrong_pin_keeps_everything_but_the_pin(paul, app, sql):
    id = made(app, "serious")
    response = override(paul, id, order_reference="ORD-7", secret="314159")
    assert refused(response, 403, "neither your PIN nor your password")
    assert "cannot wait." in response.text
    assert 'value="ORD-7"' in response.text
    assert '<option value="risk-benefit-ratio" selected>' in response.text
    assert "314159" not in response.text
    empty = override(paul, id, reason="", comment=" ", secret="")
    for said in ("Choose a reason.", "in your own words", "Enter your PIN or your password"):
        assert refused(empty, 422, said)
    assert entries(sql, id, "block.overridden") == 0


def test_after_too_many_wrong_pins_it_says_when_to_try_again(nina, app):
    id = made(app)
    for _ in range(5):
        assert sign(nina, id, secret="314159").status_code == 403
    response = sign(nina, id)
    assert refused(response, 429, "Too many wrong tries. Try again in 15 minutes.")
    assert int(response.headers["Retry-After"]) > 0


def test_what_can_never_be_overridden_says_so_and_why_also_to_a_prescriber(nina, paul, app):
    id = made(app, with_={"hbsag": POSITIVE})
    for client in (nina, paul):
        assert "Nobody can override this, not even a prescriber" in page_of(client, id)
        assert "it is a contraindication, and its sources name no exception" in page_of(client, id)
    assert "Override and sign" not in page_of(paul, id)
    assert refused(override(paul, id, HEPATITIS), 409, "can never be overridden")


def test_a_fault_of_the_service_is_answered_by_nobody(paul, app, monkeypatch):
    def fail(self, values):
        raise RuntimeError("broken")

    with monkeypatch.context() as broken:
        broken.setattr("service.checklist.engine.Engine.decide", fail)
        id = made(app)
    assert "This is a fault of the service or of its settings" in page_of(paul, id)
    assert "Override and sign" not in page_of(paul, id)


# Signatures


def test_a_signature_shows_name_meaning_both_times_digest_and_whether_it_covers_all(nina, app):
    id = made(app)
    assert "Nobody has signed yet" in page_of(nina, id)
    assert done(sign(nina, id), id, "signatures")
    signed = words_of(page_of(nina, id))
    assert "Nina of the Test (Nurse): Performed this check" in signed
    assert "Local time 2026-10-06 07:00 (2026-10-06 12:00 UTC)" in signed
    assert re.search(r"Digest of the record that was signed: sha256:[0-9a-f]{64}", signed)
    assert "Covers all that was done." in signed
    assert "You have signed, and nothing was done since." in signed
    end(nina, id)
    later = words_of(page_of(nina, id))
    assert "Something was done after it: this signature does not cover that." in later
    assert done(sign(nina, id), id, "signatures")
    assert words_of(page_of(nina, id)).count("Covers all that was done.") == 1


def test_a_wrong_pin_signs_nothing_and_says_so_beside_the_field(nina, app, sql):
    id = made(app)
    response = sign(nina, id, secret="314159")
    assert refused(response, 403, "neither your PIN nor your password")
    assert 'href="#sign-secret"' in response.text
    assert 'id="sign-secret"' in response.text
    assert refused(sign(nina, id, secret=""), 422, "Enter your PIN or your password")
    assert refused(sign(nina, id, meaning="approved"), 422, "Choose what you sign.")
    assert entries(sql, id, "checklist.attested") == 0


OFFERED = {
    "nurse": {"acknowledge", "performed", "outcome", "correct"},
    "prescriber": {"acknowledge", "override", "performed", "reviewed", "outcome", "correct"},
    "pharmacist": {"acknowledge", "reviewed", "correct"},
    "auditor": set(),
}


@pytest.mark.parametrize("role", OFFERED)
def test_each_role_is_offered_its_own_acts_and_refused_every_other(app, role):
    id = made(app, "serious")
    warned = made(app, "resolved")
    client = signed_in(app, role)
    text = page_of(client, id) + page_of(client, warned)
    found = {
        "acknowledge": 'class="nhsuk-button nhsuk-button--secondary visit-choice"' in text,
        "override": "Override and sign" in text,
        "performed": "Sign: Performed this check" in text,
        "reviewed": "Sign: Reviewed this check" in text,
        "outcome": "Record the outcome" in text,
        "correct": 'id="correct"' in text,
    }
    assert {name for name, there in found.items() if there} == OFFERED[role]
    assert f"/checklists/{id}/trace" in text  # every reader may see each rule
    tried = {
        "acknowledge": acknowledge(client, warned).status_code,
        "override": override(client, id).status_code,
        "performed": sign(client, id, "performed").status_code,
        "reviewed": sign(client, warned, "reviewed").status_code,
        "outcome": end(client, id, "held", reason="finding-stands", comment="Fever.").status_code,
    }
    assert {name: code == 403 for name, code in tried.items()} == {
        name: name not in OFFERED[role] for name in tried
    }


def test_an_administrator_sees_no_checklist(app):
    assert signed_in(app, "admin").get(f"/checklists/{made(app)}").status_code == 403


# Outcomes


def test_a_clear_infusion_ends_with_one_tap_and_the_time_to_watch_begins(nina, app, clock):
    id = made(app)
    assert "watch for 60 minutes" in page_of(nina, id)
    assert "Watch until" not in page_of(nina, id)
    assert done(end(nina, id, form="ended"), id, "outcome")
    text = page_of(nina, id)
    assert "Infused to the end. Watch until 13:00" in words_of(text)  # also at the top of the page
    assert "Counted from 12:00" in words_of(text)
    assert 'data-watch-seconds="3600"' in text
    clock.move(minutes=61)
    nina = signed_in(app, "nurse")
    assert "The time to watch was over at 13:00" in words_of(page_of(nina, id))


def test_an_outcome_with_something_open_needs_a_reason_and_a_comment(nina, app, sql):
    id = made(app, "serious")
    assert "Infusion ended" not in words_of(page_of(nina, id))
    response = end(nina, id, "held", comment="Fever of 38.4.")
    assert refused(response, 422, "Choose why")
    assert "Fever of 38.4." in response.text
    assert re.search(r'value="held" checked', response.text)
    assert refused(end(nina, id, "given"), 422, "Choose how the visit ended.")
    assert entries(sql, id, "outcome.recorded") == 0
    assert done(end(nina, id, "held", reason="finding-stands", comment="Fever of 38.4."), id, "outcome")
    text = words_of(page_of(nina, id))
    assert "Held, and nothing given – Nina of the Test" in text
    assert "Because: A finding of the checklist stands" in text
    assert "watch for" not in text
    assert "It was open when the outcome was recorded" in text


def test_a_corrected_outcome_stays_beside_the_first_and_stops_the_time_to_watch(nina, app):
    id = made(app)
    end(nina, id)
    assert refused(end(nina, id, "stopped"), 422, "Choose why")
    end(nina, id, "stopped", reason="reaction", comment="Rash after 20 minutes.")
    text = words_of(page_of(nina, id))
    assert "Infused to the end" in text
    assert "Stopped before the whole dose was given – Nina" in text
    assert "Watch until" not in text


def test_where_time_alone_lifts_it_the_first_date_is_shown(nina, app):
    id = made(app, with_={"vaccinations": [{"cvx": "03", "on": "2026-09-25"}]})
    end(nina, id, "held", reason="finding-stands", comment="Live vaccine.")
    assert "Plan the next visit from then" in page_of(nina, id)
    assert "2026-10-23" in page_of(nina, id)


# What came before and what comes after


def test_the_next_visit_shows_who_overrode_last_time_and_why_and_what_was_held(nina, paul, app):
    held, overridden = made(app, "serious"), made(app, "serious")
    end(nina, held, "held", reason="finding-stands", comment="Fever of 38.4.")
    override(paul, overridden)
    text = words_of(page_of(nina, made(app)))
    assert "Overridden by Paul of the Test (Prescriber): Infection today" in text
    assert "because: The benefit outweighs the risk" in text
    assert "Fever of 38.4." in text
    assert text.index("Earlier visits") < text.index("Signatures")
    assert "Earlier visits" not in page_of(nina, held)


def test_a_superseded_checklist_says_so_leads_to_the_newer_one_and_takes_no_acts(nina, paul, app):
    old = made(app, "serious")
    new = made(app, "resolved", supersedes={"id": old, "reason": "typing error"})
    text = page_of(nina, old)
    assert "This checklist was corrected. Do not work from it." in text
    assert f'href="/checklists/{new}"' in text
    assert "typing error" in text
    for offer in ("Sign: ", "Record the outcome", 'id="correct"'):
        assert offer not in text
    for act in (override(paul, old), sign(nina, old), end(nina, old, "held", **WHY_HELD)):
        assert refused(act, 409, "superseded")
    assert "Fever, sent home." in end(nina, old, "held", **WHY_HELD).text
    newer = page_of(nina, new)
    assert f'href="/checklists/{old}"' in newer
    assert "typing error" in newer


def test_correct_it_begins_a_draft_with_what_was_known(nina, app):
    id = made(app, "serious")
    response = send(nina, id, "continue")
    assert response.status_code == 303
    assert "/drafts/" in response.location


def test_of_an_erased_patient_the_acts_are_left_without_their_words(nina, paul, app, sql):
    id = made(app, "serious")
    override(paul, id)
    sign(nina, id)
    sql("DELETE FROM contents")
    sql("DELETE FROM remarks")
    text = words_of(page_of(nina, id))
    assert "Erased checklist" in text
    assert "Overridden, for this dose only – Paul of the Test" in text
    assert "The words that went with it have been erased." in text
    assert "Nina of the Test (Nurse): Performed this check" in text
    assert "MRN-1001" not in text
    assert sign(paul, id, "reviewed").status_code == 410


def test_each_view_is_entered_once_and_nothing_typed_reaches_the_journal_or_the_log(
    nina, paul, app, sql, caplog
):
    id = made(app, "serious")
    page_of(nina, id)
    assert entries(sql, id, "record.viewed") == 1
    override(paul, id, secret="314159")
    override(paul, id)
    end(nina, id, "held", reason="other", comment="Sent home to Mr Ito.")
    journal = str([list(map(str, row)) for row in sql("SELECT * FROM journal")])
    for word in ("afebrile", "Afebrile", "Ito", "MRN-1001", PIN, "314159"):
        assert word not in journal
        assert word not in caplog.text


def test_an_unknown_checklist_is_none(nina):
    id = str(uuid.uuid4())
    assert nina.get(f"/checklists/{id}").status_code == 404
    for part in ("acknowledgements", "attestations", "outcomes"):
        fields = {**named(RESOLVED), "reason": "action-completed", "meaning": "performed", "secret": PIN}
        fields["outcome"] = "infused"
        if part == "outcomes":
            del fields["reason"]
        assert send(nina, id, part, **fields).status_code == 404


def test_a_form_without_its_key_is_refused(nina, app, sql):
    id = made(app, "resolved")
    response = nina.post(f"/checklists/{id}/acknowledgements", data={**named(RESOLVED), "reason": "x"})
    assert response.status_code == 403
    assert entries(sql, id, "warn.acknowledged") == 0


def test_no_page_says_that_it_is_safe(nina, app):
    assert "safe to" not in words_of(page_of(nina, made(app))).lower()


def test_every_text_of_every_finding_is_on_the_page(nina, app):
    id = made(app, "serious", with_={"hbsag": POSITIVE, "weight": None})
    result = nina.get(f"/api/v1/checklists/{id}").json
    text = words_of(page_of(nina, id))
    for finding in result["findings"]:
        for said in (finding["title"], finding["message"], finding["action"]):
            assert said is None or " ".join(said.split()) in text
        for source in finding["sources"]:
            assert source["title"] in text


def test_a_checklist_of_another_day_says_so_and_offers_no_infusion_at_once(app, nina, clock):
    id = made(app, infusion_at="2026-10-30T13:00:00+00:00", with_={"scheduled_on": "2026-10-30"})
    assert "it says nothing about today" in page_of(nina, id)
    clock.now = clock.now.replace(day=30)
    nina = signed_in(app, "nurse")
    assert "it says nothing about today" not in page_of(nina, id)
    clock.move(days=1)
    nina = signed_in(app, "nurse")
    assert "it says nothing about today" in page_of(nina, id)
    assert end(nina, id, outcome="held", reason="finding-stands", comment="Sent home.").status_code == 303
    assert "it says nothing about today" not in page_of(nina, id)


def test_an_infusion_is_recorded_with_one_tap_on_its_own_day_only(app, nina):
    given = [
        {"class": each, "drug": "as ordered", "at": f"2026-10-07T{clock}:00+00:00"}
        for each, clock in (("corticosteroid", "12:30"), ("antihistamine", "12:15"), ("antipyretic", "12:15"))
    ]
    later = {"infusion_at": "2026-10-07T13:00:00+00:00", "with_": {"premedications": given}}
    assert "Infusion ended" in page_of(nina, made(app))
    shown = page_of(nina, made(app, **later))
    assert "There is nothing to answer" in shown and "Infusion ended" not in shown
