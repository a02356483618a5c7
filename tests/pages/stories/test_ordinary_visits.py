"""Visits as they are on most days: little is missing, and the infusion begins."""

import pytest

from service.access.roles import Role
from tests.pages import taps
from tests.people import PIN

pytestmark = pytest.mark.any_database

OF_THIS_VISIT = ("infection_signs", "anti_infectives", "active_infection", "pml_signs")
FIRST = "first dose, US"
NOTHING_FOUND = "Nothing was found that stops this infusion"


def test_a_clear_returning_patient(ward, nora):
    ward.given_the_record_knows_a_patient("P-2001", unless=OF_THIS_VISIT)
    nora.given_today_is_open()
    nora.then_they_read("P-2001", "In progress: Hospital record")

    nora.when_they_go_on_with("P-2001")
    nora.then_the_decision_is("Hold. 2 missing")
    nora.then_they_are_asked_only(*OF_THIS_VISIT)

    nora.when_they_answer("infection_signs", "None of these")
    nora.when_they_answer("anti_infectives", "None")
    nora.when_they_answer("active_infection", "None")
    nora.when_they_answer("pml_signs", "No")
    nora.then_the_decision_is(NOTHING_FOUND)
    nora.then_it_says_who_answered("signs of infection", "none", "Nora of the Test, 12:40")

    nora.when_they_record_the_checklist()
    nora.when_they_sign()
    nora.then_they_read("Signed by Nora of the Test", "Performed this check", "Covers all that was done.")
    taps.no_more_than_recorded("a clear returning patient", nora.taps)

    nora.when_the_infusion_has_ended()
    nora.then_they_read("Infused to the end", "Watch until 13:40")
    nora.then_nowhere_stands("safe to infuse")


def test_a_first_dose_with_three_things_missing(ward, nora):
    ward.given_the_record_knows_a_patient("P-2002", like=FIRST, unless=("hbsag", "igg", "pml_signs"))
    nora.given_today_is_open()
    nora.when_they_go_on_with("P-2002")
    nora.then_the_decision_is("Hold. 3 missing")
    nora.then_they_are_asked_only("hbsag", "igg", "pml_signs")

    nora.when_they_type("hbsag", on="2026-09-01")
    nora.when_they_answer("hbsag", "Negative")
    nora.when_they_type("igg", value="8.4")
    nora.when_they_tick("igg", "g/L")
    nora.when_they_type("igg", on="2026-09-01", ref_low="6.5")
    nora.when_they_answer("igg", "Save")
    nora.when_they_answer("pml_signs", "No")
    nora.then_the_decision_is(NOTHING_FOUND)

    nora.when_they_record_the_checklist()
    nora.when_they_sign()
    nora.then_they_read("Signed by Nora of the Test")
    taps.no_more_than_recorded("a first dose with three things missing", nora.taps)


def test_premedications_are_tapped_as_they_are_given_and_say_when_to_start(ward, nora):
    ward.given_the_record_knows_a_patient("P-2003", unless=("premedications",))
    nora.given_today_is_open()
    nora.when_they_go_on_with("P-2003")
    nora.then_the_decision_is("Hold. 1 missing")

    for drug in ("corticosteroid", "antihistamine", "antipyretic"):
        nora.when_they_answer("premedications", "Given now", row=drug)
    nora.then_they_read("A start from 12:55 to 13:25 suits all of them.", "the planned start lies in it")
    nora.then_the_decision_is(NOTHING_FOUND)

    nora.when_they_record_the_checklist()
    nora.when_they_sign()
    taps.no_more_than_recorded("premedications given now", nora.taps)


def test_without_javascript_from_the_door_to_the_end_of_the_infusion(ward, person):
    ward.given_the_record_knows_a_patient("P-2004", unless=OF_THIS_VISIT)
    nora = person(Role.NURSE, "nora", java_script_enabled=False)
    nora.given_nobody_is_signed_in()

    nora.when_they_sign_in_with_their_name()
    nora.then_they_read("P-2004")
    nora.when_they_go_on_with("P-2004")
    nora.when_they_answer("infection_signs", "None of these")
    nora.when_they_answer("anti_infectives", "None")
    nora.when_they_answer("active_infection", "None")
    nora.when_they_answer("pml_signs", "No")
    nora.then_the_decision_is(NOTHING_FOUND)

    nora.when_they_record_the_checklist()
    nora.when_the_infusion_has_ended()
    nora.when_they_sign()
    nora.then_they_read("Signed by Nora of the Test", "Infused to the end", "Watch until 13:40")


def test_with_the_keyboard_alone_from_today_to_the_signed_outcome(ward, nora):
    ward.given_the_record_knows_a_patient("P-2005", unless=OF_THIS_VISIT)
    nora.given_today_is_open()
    nora.given_the_mouse_is_put_away()

    nora.when_they_tab_to("Go on")
    nora.when_they_press("Enter", and_come_to="/drafts/")
    nora.when_they_press("j")
    for fact in OF_THIS_VISIT:
        nora.then_they_stand_at(fact)
        nora.when_they_press("1")
    nora.then_they_stand_at_the_end()
    nora.then_the_decision_is(NOTHING_FOUND)

    nora.when_they_tab_to("Record this checklist")
    nora.when_they_press("Enter", and_come_to="/checklists/")
    nora.when_they_tab_to("Your PIN or password")
    nora.when_they_write(PIN)
    nora.when_they_press("Enter", and_come_to="#signatures")
    nora.when_they_tab_to("Infusion ended")
    nora.when_they_press("Enter", and_come_to="#outcome")
    nora.then_they_read("Infused to the end")
    nora.when_they_tab_to("Your PIN or password")
    nora.when_they_write(PIN)
    nora.when_they_press("Enter", and_come_to="#signatures")
    nora.then_they_read("Signed by Nora of the Test", "Covers all that was done.")
