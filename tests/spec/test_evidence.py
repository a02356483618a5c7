"""Which results count (public contract, section 2, rules 3 to 5), from facts as they are received."""

from datetime import datetime, timedelta, timezone

import pytest

from service.checklist.evidence import Case, Reason
from service.intake.errors import BadInput
from service.intake.facts import read_facts
from tests.builders import shipped

AT = datetime(2026, 12, 1, 9, 0, tzinfo=timezone(timedelta(hours=-5)))
NEGATIVE, POSITIVE = {"value": "negative"}, {"value": "positive"}


def evidence(name, raw, infusion_at=AT):
    vocabulary = shipped().vocabulary
    facts = read_facts({name: raw}, vocabulary, infusion_at)
    return Case.of(vocabulary, facts, infusion_at, "US", {}).evidence(name)


def on(day, value="negative", **more):
    return {"value": value, "at": day, **more}


UNKNOWN_FORMS = [None, "unknown", {"value": None}, {"value": "unknown"}, {"value": None, "at": "2026-11-10"}]


@pytest.mark.parametrize("raw", UNKNOWN_FORMS)
@pytest.mark.parametrize("name", ["hbsag", "pregnant", "dose_number", "birth_date", "igg", "vaccinations"])
def test_absent_null_and_the_word_unknown_are_unknown(name, raw):
    if isinstance(raw, dict) and "at" in raw and not shipped().vocabulary[name].result:
        raw = {"value": None}
    known = evidence(name, raw)
    assert known.value is None
    assert known.unknown.reason is Reason.MISSING


def test_an_absent_fact_was_not_given():
    vocabulary = shipped().vocabulary
    case = Case.of(vocabulary, read_facts({}, vocabulary, AT), AT, "US", {})
    assert case.evidence("hbsag").unknown.detail == "not recorded"


@pytest.mark.parametrize("name", ["vaccinations", "reactions", "infection_signs", "premedications"])
def test_an_empty_list_was_asked_and_there_is_none(name):
    known = evidence(name, [])
    assert (known.value, known.unknown) == ((), None)


def test_an_empty_list_of_results_is_unknown():
    assert evidence("hbsag", []).unknown.reason is Reason.MISSING


STATUSES = [
    # The status of a result, and why it does not count.
    (None, None),
    ("final", None),
    ("amended", None),
    ("corrected", None),
    ("preliminary", "only preliminary"),
    ("registered", "only registered"),
    ("cancelled", "only cancelled"),
    ("entered-in-error", "entered in error"),
]


@pytest.mark.parametrize(("status", "why_not"), STATUSES)
def test_only_a_final_amended_or_corrected_result_counts(status, why_not):
    known = evidence("hbsag", on("2026-11-10", **({"status": status} if status else {})))
    if why_not is None:
        assert (known.value, known.unknown) == ("negative", None)
    else:
        assert (known.value, known.unknown.reason, known.unknown.detail) == (None, Reason.MISSING, why_not)


@pytest.mark.parametrize(("status", "why_not"), STATUSES)
def test_a_newer_result_that_does_not_count_leaves_the_older_one_in_force(status, why_not):
    newer = on("2026-11-20", "positive", **({"status": status} if status else {}))
    known = evidence("hbsag", [newer, on("2026-11-10")])
    assert known.value == ("positive" if why_not is None else "negative")


TIMES = [
    # When it was collected, and whether that is after an infusion at 09:00 on 1 December, offset -05:00.
    ("2026-11-30", False),
    ("2026-12-01", False),
    ("2026-12-02", True),
    ("2026-12-01T08:59:00-05:00", False),
    ("2026-12-01T09:00:00-05:00", False),
    ("2026-12-01T09:01:00-05:00", True),
    ("2026-12-01T14:00:00+00:00", False),
    ("2026-12-01T14:01:00+00:00", True),
    ("2026-12-02T00:30:00+10:00", True),
    ("2026-12-02T00:00:00+10:00", False),
]


@pytest.mark.parametrize(("at", "after"), TIMES)
def test_a_result_collected_after_the_infusion_does_not_count(at, after):
    known = evidence("hbsag", on(at))
    assert (known.value is None) is after
    if after:
        assert known.unknown.detail == "collected after the infusion time"


CONFLICT = "conflict"
SEVERAL = [
    # Results, and the value that counts.
    ([on("2026-11-10"), on("2026-11-20", "positive")], "positive"),
    ([on("2026-11-20", "positive"), on("2026-11-10")], "positive"),
    ([on("2026-11-10"), on("2026-11-10", "positive")], CONFLICT),
    ([on("2026-11-10"), on("2026-11-10")], "negative"),
    ([on("2026-11-10"), on("2026-11-10", "positive"), on("2026-11-11")], "negative"),
    ([on("2026-11-11"), on("2026-11-10", "positive"), on("2026-11-10")], "negative"),
    ([on("2026-11-10"), on("2026-11-10", "positive", status="preliminary")], "negative"),
    ([on("2026-11-10"), on("2026-11-10", "positive", status="entered-in-error")], "negative"),
    # A datetime is newer than the bare date, whatever its hour.
    ([on("2026-11-10"), on("2026-11-10T00:01:00-05:00", "positive")], "positive"),
    ([on("2026-11-10T00:01:00-05:00", "positive"), on("2026-11-10")], "positive"),
    ([on("2026-11-10T08:00:00-05:00"), on("2026-11-10T08:01:00-05:00", "positive")], "positive"),
    # The same moment written with two offsets is the same time.
    ([on("2026-11-10T08:00:00-05:00"), on("2026-11-10T13:00:00+00:00", "positive")], CONFLICT),
    ([on("2026-11-10T08:00:00-05:00"), on("2026-11-10T13:00:00+00:00")], "negative"),
    # The day is that of the infusion's offset: 02:00 in Greenwich is still the evening before.
    ([on("2026-11-10"), on("2026-11-10T02:00:00+00:00", "positive")], "negative"),
    ([NEGATIVE, POSITIVE], CONFLICT),
    ([NEGATIVE, NEGATIVE], "negative"),
    # What has no date cannot be the newest; but a value that would not clear is not forgotten.
    ([NEGATIVE, on("2026-11-10", "positive")], "positive"),
    ([{"value": "indeterminate"}, on("2026-11-10")], "negative"),
    ([POSITIVE, on("2026-11-10")], CONFLICT),
    ([POSITIVE, on("2026-11-10", "positive")], "positive"),
    ([{"value": None, "at": "2026-11-20"}, on("2026-11-10")], "negative"),
]


@pytest.mark.parametrize(("readings", "counted"), SEVERAL)
@pytest.mark.parametrize("order", [1, -1], ids=["as given", "reversed"])
def test_the_newest_counted_result_wins_and_two_of_one_time_conflict(readings, counted, order):
    known = evidence("hbsag", readings[::order])
    if counted == CONFLICT:
        assert (known.value, known.unknown.reason) == (None, Reason.CONFLICT)
    else:
        assert (known.value, known.unknown) == (counted, None)


def test_a_conflict_says_what_is_different():
    same_day = evidence("hbsag", [on("2026-11-10"), on("2026-11-10", "positive")])
    assert same_day.unknown.detail == "different values of the same time"
    undated = evidence("hbsag", [POSITIVE, on("2026-11-10")])
    assert undated.unknown.detail == "different values, one without a date"


def test_several_results_of_which_none_counts_say_each_reason_once():
    none = [on("2026-11-10", status="preliminary"), on("2026-12-24"), on("2026-11-11", status="preliminary")]
    detail = evidence("hbsag", none).unknown.detail
    assert detail == "collected after the infusion time; only preliminary"


def test_the_same_amount_in_two_units_is_no_conflict():
    grams, milligrams = (
        {"value": 7, "unit": "g/L", "at": "2026-11-10"},
        {"value": 700, "unit": "mg/dL", "at": "2026-11-10"},
    )
    known = evidence("igg", [grams, milligrams])
    assert (known.value, known.unit, known.unknown) == (7, "g/L", None)


def test_of_equal_results_the_one_with_the_tighter_limit_counts_in_either_order():
    wide = {"value": 50, "unit": "U/L", "at": "2026-11-30", "ref_high": 55, "source": "b"}
    tight = {"value": 50, "unit": "U/L", "at": "2026-11-30", "ref_high": 40, "source": "z"}
    for readings in ([wide, tight], [tight, wide]):
        assert (evidence("alt", readings).ref_high, evidence("alt", readings).source) == (40, "z")


def test_the_counted_result_knows_the_one_before_it():
    known = evidence(
        "hbsag", [on("2026-11-01"), on("2026-11-20", "positive"), on("2026-11-10", "indeterminate")]
    )
    values = (known.value, known.before.value, known.before.before.value)
    assert values == ("positive", "indeterminate", "negative")
    assert known.before.before.before is None


def test_the_day_of_a_result_is_that_of_the_infusions_offset():
    known = evidence("hbsag", on("2026-11-30T03:00:00+00:00"))
    assert known.day.isoformat() == "2026-11-29"


def test_a_premedication_given_after_the_infusion_is_not_given():
    early = {"class": "corticosteroid", "at": "2026-12-01T08:30:00-05:00"}
    late = {"class": "antihistamine", "at": "2026-12-01T09:01:00-05:00"}
    ordered = {"class": "antipyretic", "at": "2026-12-01T09:30:00-05:00", "status": "ordered"}
    counted = evidence("premedications", [early, late, ordered]).value
    assert [each["class"] for each in counted] == ["corticosteroid", "antipyretic"]


def test_looking_at_evidence_changes_no_fact():
    raw = {"hbsag": [on("2026-11-10"), on("2026-11-20", "positive")], "premedications": []}
    vocabulary = shipped().vocabulary
    facts = read_facts(raw, vocabulary, AT)
    before = dict(facts.readings)
    case = Case.of(vocabulary, facts, AT, "US", {})
    assert case.evidence("hbsag") is case.evidence("hbsag")
    assert facts.readings == before


# What is there and cannot be read

UNREADABLE = "the text is neither positive nor negative"


def unread(day=None, **more):
    return {"value": None, "unreadable": UNREADABLE, **({"at": day} if day else {}), **more}


@pytest.mark.parametrize(
    ("readings", "value"),
    [
        ([unread("2026-11-10")], None),
        ([on("2026-11-01"), unread("2026-11-10")], None),
        ([on("2026-11-10"), unread("2026-11-01")], "negative"),
        ([on("2026-11-10"), unread("2026-11-10")], None),
        ([on("2026-11-10"), unread("2026-11-10T08:00:00-05:00")], None),
        ([on("2026-11-10"), unread()], None),
        ([on("2026-11-10", "positive"), unread()], None),
        ([NEGATIVE, unread("2026-11-10")], None),
        ([on("2026-11-01"), unread("2026-11-10", status="preliminary")], "negative"),
        ([on("2026-11-01"), unread("2026-11-10", status="entered-in-error")], "negative"),
        ([on("2026-11-01"), unread("2026-12-02")], "negative"),
    ],
)
def test_a_result_that_cannot_be_read_is_never_passed_over_for_an_older_one(readings, value):
    known = evidence("hbsag", readings)
    assert known.value == value
    if value is None:
        assert (known.unknown.reason, known.unknown.detail) == (
            Reason.MISSING,
            f"cannot be read: {UNREADABLE}",
        )


def test_what_cannot_be_read_is_named_by_its_source():
    known = evidence("hbsag", unread("2026-11-10", source="Observation/31"))
    assert known.unknown.detail == f"cannot be read: {UNREADABLE} (Observation/31)"


def test_the_result_before_one_that_cannot_be_read_is_no_result_to_compare_with():
    weights = [
        {"value": 70, "unit": "kg", "at": "2026-10-01"},
        {"value": None, "unreadable": "no unit", "at": "2026-11-01"},
        {"value": 72, "unit": "kg", "at": "2026-11-30"},
    ]
    known = evidence("weight", weights)
    assert known.value == 72
    assert known.before.unknown.detail == "cannot be read: no unit"


# Lists that may have other entries


def test_a_list_says_whether_it_is_all_there_is():
    assert evidence("vaccinations", {"value": [], "complete": "no"}).others
    assert not evidence("vaccinations", {"value": [], "complete": "yes"}).others
    assert not evidence("vaccinations", []).others


@pytest.mark.parametrize(
    ("name", "fact", "path"),
    [
        ("hbsag", {"value": "negative", "unreadable": "x"}, "facts.hbsag.unreadable"),
        ("hbsag", {"value": "negative", "complete": "no"}, "facts.hbsag.complete"),
        ("vaccinations", {"value": None, "complete": "no"}, "facts.vaccinations.complete"),
        ("vaccinations", {"value": [], "complete": "perhaps"}, "facts.vaccinations.complete"),
        ("hbsag", {"value": None, "unreadable": 5}, "facts.hbsag.unreadable"),
    ],
)
def test_neither_is_said_of_what_it_cannot_be_true_of(name, fact, path):
    with pytest.raises(BadInput) as refused:
        evidence(name, fact)
    assert [each.path for each in refused.value.errors] == [path]
