"""Visits that are held until a prescriber decides, or for ever; and those with something to look at."""

import pytest

from tests.pages import taps

pytestmark = pytest.mark.any_database

LOCALISED, POSITIVE = "localised", {"value": "positive", "at": "2026-09-20"}
WHY = "Afebrile for two days; cannot wait."


def test_a_block_that_a_prescriber_overrides_at_a_screen_of_their_own(ward, nora, paul):
    ward.given_the_record_knows_a_patient("P-3001", active_infection=LOCALISED)
    nora.given_today_is_open()
    nora.when_they_go_on_with("P-3001")
    nora.then_the_decision_is("Hold. 1 block")
    checklist = nora.when_they_record_the_checklist()
    nora.then_they_read("Only a prescriber can override this")
    nora.then_there_is_no_button("Override and sign")
    nora.then_there_is_no_button("Infusion ended")

    paul.given_the_checklist_is_open(checklist)
    paul.when_they_override("Infection today", "The benefit outweighs the risk", WHY)
    paul.then_they_read("Every finding is answered")

    nora.when_they_look_again()
    nora.then_they_read(
        "Overridden, for this dose only", "Paul of the Test", "The benefit outweighs the risk"
    )
    nora.then_the_decision_is("Hold. 1 block")
    nora.when_they_sign()
    nora.when_the_infusion_has_ended()
    nora.then_they_read("Infused to the end")

    another = ward.given_a_checklist_is_recorded("P-3001", active_infection=LOCALISED)
    nora.given_the_checklist_is_open(another)
    nora.then_they_read("Overridden by Paul of the Test", WHY, "1 finding is not answered")


def test_a_block_that_may_never_be_overridden_is_held_and_recorded_as_held(ward, nora, paul):
    ward.given_the_record_knows_a_patient("P-3002", hbsag=POSITIVE)
    nora.given_today_is_open()
    nora.when_they_go_on_with("P-3002")
    nora.then_they_read("Can never be overridden")
    checklist = nora.when_they_record_the_checklist()

    paul.given_the_checklist_is_open(checklist)
    paul.then_they_read("Hepatitis B", "Nobody can override this, not even a prescriber")
    paul.then_there_is_no_button("Override and sign")
    paul.then_there_is_no_button("Acknowledge")
    paul.then_there_is_no_button("Infusion ended")

    nora.when_they_record_that_it_was_held(
        "A finding of the checklist stands", "HBsAg positive; Dr Ono told."
    )
    nora.when_they_sign()
    nora.then_they_read(
        "Held, and nothing given", "HBsAg positive; Dr Ono told.", "Covers all that was done."
    )
    taps.no_more_than_recorded("held, and recorded as held", nora.taps)


def test_a_warning_is_acknowledged_with_one_tap(ward, nora):
    ward.given_the_record_knows_a_patient("P-3003", active_infection="resolved")
    nora.given_today_is_open()
    nora.when_they_go_on_with("P-3003")
    nora.then_the_decision_is("1 warning")
    nora.when_they_record_the_checklist()
    nora.when_they_acknowledge("Infection today", "What is asked for has been done")
    nora.then_they_read("Every finding is answered")
    nora.when_they_sign()
    taps.no_more_than_recorded("a warning acknowledged", nora.taps)


def test_no_infection_says_the_patient_and_then_a_line_and_an_antibiotic_are_found(ward, nora):
    asked = ("infection_signs", "anti_infectives", "active_infection")
    ward.given_the_record_knows_a_patient("P-3004", unless=asked)
    nora.given_today_is_open()
    nora.when_they_go_on_with("P-3004")
    nora.then_they_read("Fever or chills", "New line or catheter", "This is judged after")
    for fact, answer in zip(asked, ("None of these", "None", "None"), strict=True):
        nora.when_they_answer(fact, answer)
    nora.then_the_decision_is("Nothing was found that stops this infusion")

    nora.when_they_want_to_change("signs of infection")
    nora.when_they_tick("infection_signs", "Yes", within="New line or catheter")
    nora.when_they_answer("infection_signs", "Save these answers")
    nora.when_they_want_to_change("anti-infective medicines")
    nora.when_they_open("Add one", within="#ask-anti_infectives")
    nora.when_they_type("anti_infectives", drug="ceftriaxone")
    nora.when_they_tick("anti_infectives", "Treatment")
    nora.when_they_answer("anti_infectives", "Add it")
    nora.then_they_read(
        "Infection today Warn: Contradiction",
        "No infection is recorded, yet a sign of infection, a fever or an anti-infective for treatment is.",
        "Settle whether there is an infection, and correct the record.",
    )
    nora.then_the_decision_is("Look before you start. 1 warning")
    nora.then_nowhere_stands("Nothing was found that stops this infusion")

    nora.when_they_open("Correct it")
    nora.when_they_follow("Change: active infection")
    nora.when_they_answer("active_infection", "Suspected")
    nora.then_the_decision_is("Hold. 1 block")
