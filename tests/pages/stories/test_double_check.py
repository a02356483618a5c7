"""A dose that two people read, each by themselves, and that they read differently."""

import functools
from datetime import UTC, datetime

import pytest

from service.knowledge.library import library_from
from tests.builders import shipped
from tests.pages.clock import Clock

pytestmark = pytest.mark.any_database

FILE = "drugs/inotuzumab_ozogamicin.yaml"
ASKED = """independent_double_check:
  facts: [ordered_dose, weight]
  because: Two people read the dose and the weight.
  cites: [{source: uspi-2024, at: "2", ledger: [ino.dose.bsa]}]

observation:
"""


@pytest.fixture
def clock():
    return Clock(datetime(2026, 8, 24, 12, 40, tzinfo=UTC))


@pytest.fixture
def library():
    return asks_two_people()


@functools.cache
def asks_two_people():
    """The shipped rules, where inotuzumab is read by two people."""
    texts = shipped().texts
    return library_from({**texts, FILE: texts[FILE].replace("observation:\n", ASKED, 1)})


def test_two_nurses_read_the_dose_of_inotuzumab_differently(ward, nora, nina):
    checklist = ward.given_a_cycle_of_inotuzumab_is_recorded("P-4001")
    nora.given_the_checklist_is_open(checklist)
    nora.then_they_read("It is needed, and nobody has made it.", "Two people read the dose and the weight.")

    nina.given_the_checklist_is_open(f"{checklist}/double-check")
    nina.then_they_read("What your colleague entered is not shown", "2 answers are left.")
    nina.then_nowhere_stands("1.2 mg", "50 kg")
    nina.when_they_type("ordered_dose", value="12")
    nina.when_they_tick_in_the_form_of("ordered_dose", "mg")
    nina.when_they_save_in_the_form_of("ordered_dose")
    nina.when_they_type("weight", value="50", on="2026-08-22")
    nina.when_they_tick_in_the_form_of("weight", "kg")
    nina.when_they_save_in_the_form_of("weight")
    nina.when_they_compare()
    nina.then_the_row_says("ordered dose", "1.2 mg", "12 mg", "different")
    nina.then_they_read("The two differ: nothing is started on this.")

    nora.when_they_look_again()
    nora.then_they_read("Differs: checked by Nina of the Test", "The two differ: nothing is started on this.")
    nora.then_there_is_no_button("Infusion ended")
