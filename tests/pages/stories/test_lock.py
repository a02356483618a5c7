"""The tablet is laid down, locks, and is taken up again: by the same nurse, and by the next one."""

import pytest

pytestmark = pytest.mark.any_database

PML_SIGNS = "signs suggesting progressive multifocal leukoencephalopathy (PML)"


def test_the_tablet_locks_with_a_half_given_answer_and_the_next_nurse_goes_on(ward, clock, nora, nina):
    ward.given_the_record_knows_a_patient("P-5001", unless=("igg", "pml_signs"))
    nora.given_the_screen_has_a_clock_that_can_be_moved()
    nora.given_today_is_open()
    nora.when_they_go_on_with("P-5001")
    nora.when_they_answer("pml_signs", "No")
    nora.when_they_type("igg", value="8.4")

    clock.move(minutes=5)
    nora.when_nobody_touches_the_screen_for(minutes=5)
    nora.then_they_read("Locked", "This is the session of Nora of the Test. Nothing is lost.")
    nora.then_nowhere_stands("P-5001", "8.4", "nebilizumab")
    nora.when_they_unlock_it()
    nora.then_they_read("What you had half typed is back.")
    nora.then_the_field_holds("igg.value", "8.4")

    nora.when_they_lock_the_screen()
    nora.then_they_read("What was typed is kept, and comes back after unlocking.")
    nora.when_somebody_else_takes_the_tablet(nina)
    nora.then_they_read("P-5001", "In progress: Nora of the Test")
    nora.when_they_go_on_with("P-5001")
    nora.then_the_field_holds("igg.value", "")
    nora.then_it_says_who_answered(PML_SIGNS, "no", "Nora of the Test, 12:40")

    nora.when_they_type("igg", value="8.6")
    nora.when_they_tick("igg", "g/L")
    nora.when_they_type("igg", on="2026-09-30", ref_low="6.5")
    nora.when_they_answer("igg", "Save")
    nora.then_it_says_who_answered("immunoglobulin G (IgG)", "8.6", "Nina of the Test, 12:45")
    nora.then_the_decision_is("Nothing was found that stops this infusion")
