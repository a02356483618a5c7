"""Each fact as a person answers it: read back, and taken by the real intake as it was meant."""

from datetime import date, datetime
from decimal import Decimal

import pytest
from werkzeug.datastructures import MultiDict

from service.intake.errors import BadInput
from service.pages.answers import BadAnswer, input_errors, own_limits, read_answer
from tests.builders import shipped
from tests.pages.answering import (
    CLOCK,
    DAY,
    SINGLE,
    VOCABULARY,
    answer,
    asked,
    control,
    dated,
    taken_in,
    ways,
)

WORDED = [(name, word) for name in SINGLE for word in VOCABULARY[name].words]
TAKEN = datetime.fromisoformat("2026-09-30T09:10:00+02:00")


@pytest.mark.parametrize("fact", SINGLE)
def test_what_is_typed_is_what_the_intake_has(fact):
    for typed, meant in ways(VOCABULARY[fact]):
        [reading] = taken_in(fact, answer(fact, {**typed, **dated(fact)}))
        assert reading.value == meant
        assert reading.at == (TAKEN if VOCABULARY[fact].result else None)
        assert reading.status == "final"
        assert "Nora Quill" in reading.source


@pytest.mark.parametrize("fact", VOCABULARY.facts)
def test_not_known_is_unknown(fact):
    assert answer(fact, {"say": "unknown"}) is None
    assert taken_in(fact, None) == ()


@pytest.mark.parametrize(("fact", "word"), WORDED)
def test_a_word_answers_where_the_fact_has_one(fact, word):
    [reading] = taken_in(fact, answer(fact, {"say": word}))
    assert reading.value == word


@pytest.mark.parametrize("fact", VOCABULARY.facts)
def test_no_answer_is_not_taken_for_any(fact):
    for nothing in ({}, {"say": "save"}, {"value": " "}, {"say": "no such thing"}):
        with pytest.raises(BadAnswer) as caught:
            answer(fact, nothing)
        shown = control(fact, None, caught.value.errors, caught.value.typed)
        assert shown.errors


@pytest.mark.parametrize("fact", VOCABULARY.facts)
def test_no_code_of_a_fact_is_taken_for_a_button_or_a_field(fact):
    definition = VOCABULARY[fact]
    assert {"unknown", "none", "all", "add", "save", "remove"}.isdisjoint(definition.words)
    assert {"say", "remove", "fact"}.isdisjoint([*definition.values, *definition.fields])
    assert "unknown" not in definition.values
    for field in definition.fields.values():
        assert {"say", "remove"}.isdisjoint(field.values)


def test_whoever_told_it_is_named():
    assert answer("pregnant", {"value": "no"}) == {
        "value": "no",
        "source": "told by the patient to Nora Quill, 2026-10-06 14:03",
    }
    assert answer("vod_history", {"value": "none"})["source"] == "Nora Quill at the chair, 2026-10-06 14:03"
    long = answer("pregnant", {"value": "no"}, person="N" * 400)
    [reading] = taken_in("pregnant", long)
    assert reading.source.startswith("told by the patient to NNN")


class TestResults:
    """A result is a value of a sample that was taken at some time."""

    def test_what_is_measured_now_has_this_minute(self):
        [reading] = taken_in("temperature", answer("temperature", typed_now("36.85", "Cel")))
        assert reading.at == datetime.fromisoformat("2026-10-06T14:03:00+02:00")

    def test_a_day_without_a_time_is_that_day(self):
        [reading] = taken_in("hbsag", answer("hbsag", {"value": "negative", "on": DAY}))
        assert reading.at == date(2026, 9, 30)

    def test_a_day_is_asked_for_until_somebody_says_that_there_is_none(self):
        assert refused("hbsag", {"value": "positive"}) == {"on"}
        [reading] = taken_in("hbsag", answer("hbsag", {"value": "positive", "when": "undated"}))
        assert (reading.value, reading.at) == ("positive", None)
        assert refused("hbsag", {"value": "positive", "when": "undated", "on": DAY}) == {"on"}

    def test_a_time_needs_its_day(self):
        assert refused("hbsag", {"value": "positive", "time": CLOCK}) == {"on"}

    @pytest.mark.parametrize(
        ("on", "at", "field"), [("2026-10-07", "", "on"), ("2026-10-06", "14:04", "time")]
    )
    def test_nothing_was_taken_in_the_future(self, on, at, field):
        assert refused("hbsag", {"value": "negative", "on": on, "time": at}) == {field}

    @pytest.mark.parametrize(("on", "at"), [("2026-03-29", "02:30"), ("2025-10-26", "02:30")])
    def test_a_time_that_the_clocks_showed_never_or_twice_is_refused(self, on, at):
        assert refused("hbsag", {"value": "negative", "on": on, "time": at}) == {"time"}

    def test_the_laboratorys_own_limit_is_asked_for_where_a_rule_reads_it(self):
        typed = {"value": "650", "unit": "mg/dL", "on": DAY, "ref_low": "700"}
        [reading] = taken_in("igg", answer("igg", typed))
        assert (reading.value, reading.ref_low, reading.ref_high) == (Decimal("6.5"), Decimal(7), None)
        assert field_names("igg") >= {"igg.ref_low"}
        assert own_limits(shipped().packs["inotuzumab_ozogamicin"]) == {
            "alt": {"ref_high"},
            "ast": {"ref_high"},
            "bilirubin_total": {"ref_high"},
        }
        assert "igg.ref_low" not in {each.name for each in control("igg", limits={}).fields}

    def test_a_new_result_stands_beside_the_earlier_ones(self):
        earlier = {"value": 80, "unit": "kg", "at": "2026-08-01", "source": "Observation/9"}
        both = answer("weight", {"value": "76.5", "unit": "kg", "on": DAY}, earlier)
        assert [each.value for each in taken_in("weight", both)] == [80, Decimal("76.5")]

    def test_what_somebody_typed_here_for_the_same_time_is_corrected(self):
        first = answer("weight", {"value": "67.5", "unit": "kg", "on": DAY})
        second = answer("weight", {"value": "76.5", "unit": "kg", "on": DAY}, first)
        assert second["value"] == 76.5

    def test_the_laboratorys_result_of_the_same_day_is_not_overwritten(self):
        theirs = {"value": "positive", "at": DAY, "source": "Observation/9"}
        both = answer("hbsag", {"value": "negative", "on": DAY}, theirs)
        assert [each["value"] for each in both] == ["positive", "negative"]

    def test_a_result_that_could_not_be_read_stays_until_somebody_removes_it(self):
        unread = {"value": None, "unreadable": "a free text", "at": "2026-10-01", "source": "Observation/9"}
        both = answer("hbsag", {"value": "negative", "on": DAY}, unread)
        assert [each.unreadable for each in taken_in("hbsag", both)] == ["a free text", None]
        assert "a free text" in control("hbsag", both).known[0].words
        assert answer("hbsag", {"remove": control("hbsag", both).known[0].key}, both)["value"] == "negative"

    def test_a_result_is_removed_by_itself_and_not_known_is_not_offered_over_it(self):
        earlier = [{"value": "positive", "at": "2026-01-02"}, {"value": "negative", "at": DAY}]
        shown = control("hbsag", earlier)
        assert "unknown" not in {each.value for each in shown.buttons}
        assert answer("hbsag", {"remove": shown.known[1].key}, earlier) == earlier[0]
        assert answer("hbsag", {"remove": shown.known[0].key}, earlier[0]) is None
        assert refused("hbsag", {"remove": "0" * 16}, earlier) == {"value"}


def typed_now(value, unit):
    return {"value": value, "unit": unit, "when": "now"}


def field_names(fact):
    return {each.name for each in control(fact).fields}


def refused(fact, fields, given=None):
    """The fields that are refused; what was typed is shown again."""
    with pytest.raises(BadAnswer) as caught:
        answer(fact, fields, given)
    shown = control(fact, given, caught.value.errors, caught.value.typed)
    again = {each.name: each.value for each in (*shown.fields, *shown.adding)}
    for name, text in fields.items():
        assert again.get(f"{fact}.{name}", text) == text
    return set(caught.value.errors)


@pytest.mark.parametrize(
    "number",
    [
        "1,5",
        "1.500,0",
        "72.5 kg",
        "1e3",
        "+5",
        ".5",
        "5.",
        "NaN",
        "Infinity",
        "٣",
        "0x10",
        "1 000",
        "--1",
        "1" * 16,
    ],
)
def test_a_number_is_never_guessed(number):
    assert refused("weight", {**typed_now(number, "kg")}) == {"value"}


def test_a_comma_is_explained():
    with pytest.raises(BadAnswer) as caught:
        answer("weight", typed_now("1,5", "kg"))
    assert "point" in caught.value.errors["value"]


@pytest.mark.parametrize("number", ["1.0", "1.5", "one", "1e2"])
def test_a_whole_number_is_one(number):
    assert refused("dose_number", {"value": number}) == {"value"}


def test_a_unit_is_chosen_and_never_taken_for_granted():
    assert refused("weight", {"value": "70", "when": "now"}) == {"unit"}
    assert refused("weight", typed_now("70", "stone")) == {"unit"}
    units = next(each for each in control("weight").fields if each.name == "weight.unit")
    assert units.value == "" and dict(units.choices)["[lb_av]"] == "lb"


def test_two_answers_to_one_question_are_none():
    form = MultiDict([("pregnant.value", "no"), ("pregnant.value", "yes")])
    with pytest.raises(BadAnswer):
        read_answer(VOCABULARY["pregnant"], form, asked())


def test_no_comes_before_yes_and_not_known_last():
    assert [str(each.words) for each in control("pregnant").buttons] == ["No", "Yes", "Not known"]
    assert [each.value for each in control("pregnant", {"value": "no"}).buttons if each.chosen] == ["no"]


def test_a_button_that_was_pressed_in_vain_says_so():
    with pytest.raises(BadAnswer) as caught:
        answer("hbsag", {"value": "negative"})
    shown = control("hbsag", None, caught.value.errors, caught.value.typed)
    assert [each.value for each in shown.buttons if each.pressed] == ["negative"]
    assert not any(each.chosen for each in shown.buttons)


def test_few_numbers_are_buttons():
    assert [each.value for each in control("cycle_day").buttons] == ["1", "8", "15", "unknown"]
    grades = control("nonhaematologic_toxicity_grade")
    assert [each.value for each in grades.buttons] == ["0", "1", "2", "3", "4", "unknown"]
    assert control("dose_number").fields[0].is_number


def test_what_the_intake_refuses_is_shown_at_its_field():
    typed = {"value": "720", "unit": "kg", "on": DAY}
    with pytest.raises(BadInput) as caught:
        taken_in("weight", answer("weight", typed))
    errors = input_errors(VOCABULARY["weight"], caught.value)
    assert set(errors) == {"value"} and "implausible" in errors["value"]
    shown = control("weight", None, errors, {name: [text] for name, text in typed.items()})
    assert shown.errors == (("answer-weight-value", errors["value"]),)
    assert {each.name: each.value for each in shown.fields}["weight.value"] == "720"
    assert input_errors(VOCABULARY["height"], caught.value) == {}


def test_what_is_taken_after_the_planned_start_is_said_to_be_in_vain():
    assert control("temperature").note == ""
    assert (
        "passed"
        in control("temperature", infusion_at=datetime.fromisoformat("2026-10-06T14:00:00+02:00")).note
    )
