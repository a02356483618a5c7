"""The window of a premedication, against the rules themselves: minute by minute, the two say the same."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.checklist.evaluate import Situation
from service.checklist.facts import Facts
from service.checklist.windows import Window, common_start, windows
from service.intake.requests import read_request
from tests.builders import checklist_for, request_for, scenario_file, shipped

START = datetime(2026, 10, 6, 13, 0, tzinfo=UTC)
CLASSES = ("corticosteroid", "antihistamine", "antipyretic")


def windows_of(drug, policy=None):
    """The windows of a drug for a patient of whom nothing is known."""
    library = shipped()
    situation = Situation(Facts({}), START, "US")
    return windows(library.packs[drug], situation, policy or library.policy.values)


def window_of(kind):
    return next(each for each in windows_of("inebilizumab") if each.entry["class"] == kind)


def minutes_of(drug, **policy):
    found = windows_of(drug, {**shipped().policy.values, **policy})
    return {each.entry["class"]: (each.least, each.most) for each in found}


def test_the_windows_are_those_of_the_rules_widened_by_the_sites_tolerance():
    assert minutes_of("inebilizumab") == {
        "corticosteroid": (15, 45),
        "antihistamine": (15, 75),
        "antipyretic": (15, 75),
    }
    narrow = minutes_of("inebilizumab", premedication_timing_tolerance_minutes=0)
    assert narrow == {"corticosteroid": (30, 30), "antihistamine": (30, 60), "antipyretic": (30, 60)}


def test_a_drug_whose_rules_ask_for_nothing_before_has_no_window():
    assert windows_of("ibalizumab") == []


def test_a_tolerance_that_is_not_set_opens_no_window():
    assert minutes_of("inebilizumab", premedication_timing_tolerance_minutes=None) == {}


def given_before(drug, minutes):
    """What is found of each class where all three were given so many minutes before; and the windows."""
    request = request_for(drug, next(iter(scenario_file(drug)["patients"])))
    start = datetime.fromisoformat(request["infusion_at"])
    at = (start - timedelta(minutes=minutes)).isoformat()
    request["facts"]["premedications"] = [{"class": kind, "at": at} for kind in CLASSES]
    checklist = checklist_for(request)
    situation = read_request(request, shipped()).situation
    found = windows(checklist.pack, situation, shipped().policy.values)
    rules = [each.rule for each in checklist.findings if each.check == "premedication" and each.rule]
    return {each.entry["class"]: each for each in found}, rules


@pytest.mark.parametrize(
    ("drug", "minutes"),
    [
        ("inebilizumab", (*range(80), *range(1438, 1444))),
        ("inotuzumab_ozogamicin", (0, 1, 60, 1439, 1440, 1441)),
    ],
)
def test_each_minute_is_in_the_window_exactly_where_the_rules_find_nothing(drug, minutes):
    for minute in minutes:
        found, rules = given_before(drug, minute)
        for kind in CLASSES:
            against = [rule for rule in rules if rule.endswith(kind)]
            within = found[kind].least <= minute <= found[kind].most
            assert within == (against == []), (minute, kind, against)


@given(st.sampled_from(CLASSES), st.integers(0, 200), st.integers(0, 59))
def test_the_starts_of_a_window_are_the_whole_minutes_that_it_covers(kind, later, second):
    window, given_at = window_of(kind), START.replace(second=second)
    earliest, latest = window.starts(given_at)
    start = START + timedelta(minutes=later)
    minutes = int((start - given_at).total_seconds() // 60)
    assert (earliest <= start <= latest) == (window.least <= minutes <= window.most)
    first, last = window.times(start)
    at = START.replace(second=0)
    between = int((start - at).total_seconds() // 60)
    assert (first <= at <= last) == (window.least <= between <= window.most)


def test_a_start_that_suits_several_lies_in_all_of_their_windows():
    steroid, antihistamine = window_of("corticosteroid"), window_of("antihistamine")
    spans = [steroid.starts(START), antihistamine.starts(START - timedelta(minutes=20))]
    assert common_start(spans) == (START + timedelta(minutes=15), START + timedelta(minutes=45))
    assert common_start([steroid.starts(START), steroid.starts(START - timedelta(hours=2))]) is None
    assert common_start([]) is None


def test_a_window_is_about_the_entries_of_its_class_that_were_given():
    window = Window("premedications", {"class": "antipyretic", "status": "given"}, "at", 15, 75)
    assert window.covers({"class": "antipyretic", "status": "given", "drug": "paracetamol"})
    assert not window.covers({"class": "antipyretic", "status": "ordered"})
    assert not window.covers({"class": "corticosteroid", "status": "given"})
